"""Linear algebra."""

from hwaro._C.linalg import *  # noqa: F401,F403
from hwaro._C.linalg import LinAlgError  # noqa: F401
