"""Functions of the top level that are written in Python."""
import builtins

from hwaro import _C
from hwaro._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401

inf, nan, pi, e = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None


def is_tensor(obj):
    """Whether obj is a Tensor."""
    return isinstance(obj, _C.Tensor)


def is_storage(obj):
    """Whether obj is a storage; Hwaro has no storage objects."""
    return False


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
    return builtins.bool(input)


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
    kinds = {"FloatTensor": _C.float32, "DoubleTensor": _C.float64, "HalfTensor": _C.float16, "BFloat16Tensor": _C.bfloat16}
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
        if kwargs:
            raise TypeError("new() received an invalid combination of arguments")
        return _C.legacy_new(cls.dtype, args)


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
