"""The CPU as a device, and its memory."""

import contextlib

from hwaro import _C
from hwaro.cpu.memory import (
    empty_cache,
    get_memory_limit,
    get_per_process_memory_fraction,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_stats_as_nested_dict,
    memory_summary,
    reset_accumulated_memory_stats,
    reset_peak_memory_stats,
    set_memory_limit,
    set_per_process_memory_fraction,
)

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
    "empty_cache",
    "get_memory_limit",
    "get_per_process_memory_fraction",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_stats_as_nested_dict",
    "memory_summary",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "set_memory_limit",
    "set_per_process_memory_fraction",
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


def __getattr__(name):
    if name == "amp":
        import importlib

        return importlib.import_module("hwaro.cpu.amp")
    raise AttributeError(f"module 'torch.cpu' has no attribute '{name}'")
