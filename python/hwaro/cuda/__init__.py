"""CUDA: this build has no such backend; the functions answer as PyTorch's do on a machine without a card."""
import collections
import contextlib

from hwaro import _C
from hwaro.cuda import memory, random  # noqa: F401
from hwaro.cuda.memory import *  # noqa: F401,F403
from hwaro.cuda.random import *  # noqa: F401,F403

_MESSAGE = "Torch not compiled with CUDA enabled"
has_half = has_magma = False
default_generators = ()
OutOfMemoryError = _C.OutOfMemoryError


def _lazy_init():
    raise AssertionError(_MESSAGE)


init = _lazy_init


def is_available():
    return False


def device_count():
    return 0


def is_initialized():
    return False


def is_bf16_supported(including_emulation=True):
    return False


def is_tf32_supported():
    return False


def get_arch_list():
    return []


def get_gencode_flags():
    return ""


def current_device():
    _lazy_init()


def synchronize(device=None):
    _lazy_init()


def ipc_collect():
    _lazy_init()


def get_device_name(device=None):
    _lazy_init()


def get_device_capability(device=None):
    _lazy_init()


def get_device_properties(device=None):
    _lazy_init()


def can_device_access_peer(device, peer_device):
    _lazy_init()


def current_stream(device=None):
    _lazy_init()


def default_stream(device=None):
    _lazy_init()


def current_blas_handle():
    _lazy_init()


def utilization(device=None):
    _lazy_init()


def set_device(device):
    if device is not None and not (isinstance(device, int) and device < 0):
        _lazy_init()


class device:
    """Nothing is changed: there is no device to change to."""

    def __init__(self, device):
        self.idx = device.index if isinstance(device, _C.device) else device

    def __enter__(self):
        if self.idx is not None and not (isinstance(self.idx, int) and self.idx < 0):
            _lazy_init()

    def __exit__(self, *error):
        return False


class device_of(device):
    def __init__(self, obj):
        super().__init__(None)


@contextlib.contextmanager
def stream(stream):
    if stream is not None:
        _lazy_init()
    yield


def set_stream(stream):
    if stream is not None:
        _lazy_init()


StreamContext = stream


class Stream:
    def __new__(cls, *args, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class ExternalStream(Stream):
    pass


class Event:
    def __new__(cls, *args, **kwargs):
        raise RuntimeError("Tried to instantiate dummy base class Event")


class CUDAGraph:
    def __new__(cls, *args, **kwargs):
        raise RuntimeError("Tried to instantiate dummy base class CUDAGraph")


def _tensor_class(name):
    def refuse(cls, *args, **kwargs):
        raise TypeError(f"type torch.cuda.{name} not available. Torch not compiled with CUDA enabled.")

    class Meta(type):
        def __instancecheck__(cls, instance):
            return False
    return Meta(name, (), {"__module__": "torch.cuda", "__new__": refuse, "is_cuda": True})


for _name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool"):
    globals()[_name + "Tensor"] = _tensor_class(_name + "Tensor")

_DeviceProperties = collections.namedtuple("_CudaDeviceProperties", ())


def __getattr__(name):
    if name in ("amp", "nvtx"):
        import importlib
        return importlib.import_module("hwaro.cuda." + name)
    raise AttributeError(f"module 'torch.cuda' has no attribute '{name}'")
