"""Functions of the top level that are written in Python."""

import builtins

from hwaro import _C
from hwaro._removed import eig, lstsq, matrix_rank, solve, symeig  # noqa: F401
from hwaro._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401

inf, nan, pi, e = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None


def is_tensor(obj):
    """Whether obj is a Tensor."""
    return isinstance(obj, _C.Tensor)


def is_storage(obj):
    """Whether obj is a storage."""
    from hwaro.storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def typename(obj):
    if isinstance(obj, _C.Tensor):
        return obj.type()
    cls = obj if isinstance(obj, type) else type(obj)
    return cls.__qualname__ if cls.__module__ in ("builtins", "__builtin__") else f"{cls.__module__}.{cls.__qualname__}"


def is_floating_point(input):
    return input.is_floating_point()


def is_complex(input):
    return input.is_complex()


def is_conj(input):
    return input.is_conj()


def is_nonzero(input):
    """The truth of a tensor with one element."""
    return builtins.bool(input)


def is_signed(input):
    return input.is_signed()


def is_inference(input):
    """Whether a tensor was made in inference mode."""
    return input.is_inference()


def is_neg(input):
    return input.is_neg()


def is_distributed(input):
    return False


def is_same_size(input, other):
    return input.shape == other.shape


def get_device(input):
    """The index of a tensor's device, -1 for the CPU."""
    return input.get_device()


def detach_(input):
    return input.detach_()


def compile(
    model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False, **kwargs
):
    """The function or module itself: there is no compiler, and operators are fast without one."""
    return model if model is not None else (lambda f: f)


def compiled_with_cxx11_abi():
    return True


def is_anomaly_enabled():
    return _C._anomaly()[0]


def is_anomaly_check_nan_enabled():
    return _C._anomaly()[1]


def set_anomaly_enabled(enabled, check_nan=True):
    _C._set_anomaly(enabled, check_nan)


def is_autocast_enabled(device_type="cuda"):
    return False


def is_autocast_cpu_enabled():
    import warnings

    warnings.warn(
        "torch.is_autocast_cpu_enabled() is deprecated. Please use torch.is_autocast_enabled('cpu') instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return is_autocast_enabled("cpu")


def is_autocast_cache_enabled():
    return True


def get_autocast_dtype(device_type):
    return _C.bfloat16 if device_type == "cpu" else _C.float16


def get_autocast_gpu_dtype():
    return _C.float16


def get_autocast_cpu_dtype():
    return _C.bfloat16


def clear_autocast_cache():
    pass


def is_deterministic_algorithms_warn_only_enabled():
    return _settings["warn_only"]


def get_deterministic_debug_mode():
    return (1 if _settings["warn_only"] else 2) if _settings["deterministic"] else 0


def set_deterministic_debug_mode(debug_mode):
    """0 or "default", 1 or "warn", 2 or "error"; everything here is deterministic already."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    modes = {"default": 0, "warn": 1, "error": 2}
    if isinstance(debug_mode, str) and debug_mode not in modes:
        raise RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got " + debug_mode)
    mode = modes.get(debug_mode, debug_mode)
    if mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {mode}")
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def is_vulkan_available():
    return False


def get_device_module(device=None):
    """The module of a kind of device: torch.cpu, torch.cuda, …"""
    import importlib

    kind = "cpu" if device is None else _C.device(device).type
    return importlib.import_module("hwaro." + kind)


def sym_int(a):
    return builtins.int(a)


def sym_float(a):
    return builtins.float(a)


def sym_max(a, b):
    return max(a, b)


def sym_min(a, b):
    return min(a, b)


def sym_not(a):
    return not a


def to_dlpack(ext_tensor):
    """The tensor as a DLPack capsule."""
    return ext_tensor.__dlpack__()


def cond(pred, true_fn, false_fn, operands=()):
    """true_fn(*operands) or false_fn(*operands)."""
    return true_fn(*operands) if builtins.bool(pred) else false_fn(*operands)


def numel(input):
    if not isinstance(input, _C.Tensor):
        raise TypeError(f"numel(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input.numel()


def set_default_device(device):
    """Makes factory functions use this device."""
    from hwaro import _device

    _device.set_default(device)


def get_default_device():
    from hwaro import _device

    return _device.get_default()


_warned = set()


def _warn_once(text):
    """A deprecation that PyTorch tells once per process."""
    if text not in _warned:
        import warnings

        _warned.add(text)
        warnings.warn(text, stacklevel=3)


def set_default_tensor_type(t):
    _warn_once(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives."
    )
    name = t if isinstance(t, str) else f"{t.__module__}.{t.__name__}"
    kinds = {
        "FloatTensor": _C.float32,
        "DoubleTensor": _C.float64,
        "HalfTensor": _C.float16,
        "BFloat16Tensor": _C.bfloat16,
    }
    if name.split(".")[-1] not in kinds:
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    _C.set_default_dtype(kinds[name.split(".")[-1]])


def get_num_interop_threads():
    return 1


def set_num_interop_threads(threads):
    pass


# What programs set and read back. Nothing here depends on it: everything is deterministic, and float32 stays float32.
_settings = {"deterministic": False, "warn_only": False, "matmul_precision": "highest"}


def are_deterministic_algorithms_enabled():
    return _settings["deterministic"]


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Everything here is deterministic already."""
    _settings.update(deterministic=bool(mode), warn_only=bool(warn_only))


def set_float32_matmul_precision(precision):
    """Products of float32 are computed in float32 whatever it says."""
    if precision in ("highest", "high", "medium"):
        _settings["matmul_precision"] = precision
    else:
        import warnings

        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
            "setFloat32MatmulPrecision call has no effect.",
            stacklevel=2,
        )


def get_float32_matmul_precision():
    return _settings["matmul_precision"]


def set_flush_denormal(mode):
    return False


class _LegacyMeta(type):
    def __instancecheck__(cls, obj):
        return isinstance(obj, _C.Tensor) and obj.dtype == cls.dtype and obj.is_cpu

    def __call__(cls, *args, **kwargs):
        return _C.legacy_new(cls.dtype, args, kwargs)


def _legacy(name, dtype):
    return _LegacyMeta(name, (), {"dtype": dtype, "__module__": "torch", "is_cuda": False, "is_sparse": False})


FloatTensor = _legacy("FloatTensor", _C.float32)
DoubleTensor = _legacy("DoubleTensor", _C.float64)
HalfTensor = _legacy("HalfTensor", _C.float16)
BFloat16Tensor = _legacy("BFloat16Tensor", _C.bfloat16)
ByteTensor = _legacy("ByteTensor", _C.uint8)
CharTensor = _legacy("CharTensor", _C.int8)
ShortTensor = _legacy("ShortTensor", _C.int16)
IntTensor = _legacy("IntTensor", _C.int32)
LongTensor = _legacy("LongTensor", _C.int64)
BoolTensor = _legacy("BoolTensor", _C.bool)
