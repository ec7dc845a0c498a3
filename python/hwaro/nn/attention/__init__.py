"""Which implementation scaled_dot_product_attention may use. There is one, so the choice has no effect."""
import contextlib
import enum

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """PyTorch's names for the implementations."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Accepts a backend or a list of them."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not (isinstance(chosen, list) and all(isinstance(item, SDPBackend) for item in chosen)):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    yield {}
