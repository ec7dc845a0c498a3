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
    return False


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
    return False


def get_deterministic_debug_mode():
    return 0


def set_deterministic_debug_mode(debug_mode):
    """Everything here is deterministic already."""


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
    return input.numel()


def set_default_device(device):
    """Makes factory functions use this device."""
    from hwaro import _device

    _device.set_default(device)


def get_default_device():
    from hwaro import _device

    return _device.get_default()


def set_default_tensor_type(t):
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


def are_deterministic_algorithms_enabled():
    return True


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Everything here is deterministic already."""


def set_float32_matmul_precision(precision):
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError("set_float32_matmul_precision: invalid precision")


def get_float32_matmul_precision():
    return "highest"


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
