"""The switches of recording."""

from hwaro._grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,  # noqa: F401
    _DecoratorContextManager,
    _unsafe_preserve_version_counter,
)
