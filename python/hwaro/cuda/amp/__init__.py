"""Mixed precision on CUDA: the old names of torch.amp."""

import functools
import warnings

from hwaro.amp import GradScaler as _GradScaler
from hwaro.amp import autocast as _autocast


def _deprecated(name, new):
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use `torch.amp.{new}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(_autocast):
    def __init__(self, enabled=True, dtype=None, cache_enabled=True):
        _deprecated("autocast", "autocast")
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(_GradScaler):
    def __init__(self, init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        _deprecated("GradScaler", "GradScaler")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd=None, *, cast_inputs=None):
    from hwaro.amp import custom_fwd as new

    return (
        functools.partial(custom_fwd, cast_inputs=cast_inputs)
        if fwd is None
        else new(fwd, device_type="cuda", cast_inputs=cast_inputs)
    )


def custom_bwd(bwd):
    return bwd


def __getattr__(name):
    if name in ("autocast_mode", "grad_scaler"):
        import importlib

        return importlib.import_module("hwaro.cuda.amp." + name)
    raise AttributeError(f"module 'torch.cuda.amp' has no attribute '{name}'")
