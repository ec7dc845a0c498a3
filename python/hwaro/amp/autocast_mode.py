"""autocast: regions where operators choose a smaller type."""

import functools
import warnings

from hwaro import _C

_AVAILABLE = ("cpu",)


def is_autocast_available(device_type):
    """Whether autocast can be on for this kind of device."""
    return False


class autocast:
    """Off for devices that this build lacks (PyTorch warns and does the same); enabled on the CPU it raises."""

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = _C.device(device_type).type
        self.fast_dtype = dtype if dtype is not None else (_C.bfloat16 if self.device == "cpu" else _C.float16)
        self._cache_enabled = True if cache_enabled is None else cache_enabled
        if enabled and self.device == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        if enabled and self.device == "mps":
            warnings.warn("MPS is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        self._enabled = bool(enabled)

    def __enter__(self):
        if self._enabled:
            raise NotImplementedError(
                f"Hwaro has no autocast on '{self.device}': convert the model and its inputs with"
                f" .to({self.fast_dtype})"
            )
        return self

    def __exit__(self, *error):
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return wrapper


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """For forward() of an autograd.Function; outside of autocast it changes nothing."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd=None, *, device_type):
    """For backward() of an autograd.Function; outside of autocast it changes nothing."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    return bwd
