"""Linear algebra."""
from hwaro._C.linalg import *  # noqa: F401,F403


class LinAlgError(RuntimeError):
    """A matrix that has no inverse, factor or solution."""

    __module__ = "torch._C"
