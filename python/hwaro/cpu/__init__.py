"""The CPU as a device, and its memory."""

import contextlib

from hwaro import _C

__all__ = [
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
    "Stream",
    "Event",
    "memory_stats",
    "memory_allocated",
    "max_memory_allocated",
    "memory_reserved",
    "max_memory_reserved",
    "reset_peak_memory_stats",
    "empty_cache",
    "set_memory_limit",
]


def is_available():
    return True


def is_initialized():
    return True


def device_count():
    return 1


def current_device():
    return "cpu"


def set_device(device):
    """There is one: nothing to set."""


def synchronize(device=None):
    """Every call has finished when it returns: nothing to wait for."""


class Stream:
    """The order in which calls are made."""

    def __init__(self, priority=-1):
        pass

    def wait_stream(self, stream):
        pass

    def record_event(self):
        return Event()

    def wait_event(self, event):
        pass


class Event:
    """A point in that order."""

    def query(self):
        return True

    def record(self, stream=None):
        pass

    def synchronize(self):
        pass

    def wait(self, stream=None):
        pass


_stream = Stream()


def current_stream(device=None):
    return _stream


@contextlib.contextmanager
def stream(stream):
    yield


def _is_avx2_supported():
    return _C._cpu_capability() in ("avx2", "avx512")


def _is_avx512_supported():
    return _C._cpu_capability() == "avx512"


# ---- memory: the names that users of torch.cuda know ----


def memory_stats(device=None):
    """Bytes and blocks, now and at the peak, in use and kept for reuse."""
    return dict(_C.memory_stats())


def memory_allocated(device=None):
    """Bytes of tensors that are alive."""
    return _C.memory_allocated()


def max_memory_allocated(device=None):
    return _C.max_memory_allocated()


def memory_reserved(device=None):
    """The same and what is kept for reuse."""
    return _C.memory_reserved()


def max_memory_reserved(device=None):
    return _C.max_memory_reserved()


def reset_peak_memory_stats(device=None):
    _C.reset_peak_memory_stats()


def empty_cache():
    """Gives memory that is kept for reuse back to the system."""
    _C.empty_cache()


def set_memory_limit(bytes):
    """More than this raises OutOfMemoryError instead of being asked of the system."""
    _C.set_memory_limit(bytes)


def memory_summary(device=None, abbreviated=False):
    return "\n".join(f"{name:<36} {value:>16}" for name, value in memory_stats().items())


def __getattr__(name):
    if name == "amp":
        import importlib

        return importlib.import_module("hwaro.cpu.amp")
    raise AttributeError(f"module 'torch.cpu' has no attribute '{name}'")
