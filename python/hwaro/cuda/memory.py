"""Memory statistics of CUDA devices: there are none. See torch.cpu.memory_stats for the CPU's."""

import collections
import warnings

__all__ = [
    "memory_allocated",
    "max_memory_allocated",
    "memory_reserved",
    "max_memory_reserved",
    "memory_cached",
    "max_memory_cached",
    "memory_stats",
    "memory_summary",
    "memory_snapshot",
    "empty_cache",
    "reset_peak_memory_stats",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "mem_get_info",
    "set_per_process_memory_fraction",
]


def _lazy_init():
    raise AssertionError("Torch not compiled with CUDA enabled")


def memory_allocated(device=None):
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_cached(device=None):
    warnings.warn(
        "`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`", FutureWarning, stacklevel=2
    )
    return 0


def max_memory_cached(device=None):
    warnings.warn(
        "`torch.cuda.max_memory_cached` has been renamed to `torch.cuda.max_memory_reserved`",
        FutureWarning,
        stacklevel=2,
    )
    return 0


def memory_stats(device=None):
    return collections.OrderedDict()


def empty_cache():
    pass


def reset_peak_memory_stats(device=None):
    _lazy_init()


reset_accumulated_memory_stats = reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


def memory_summary(device=None, abbreviated=False):
    _lazy_init()


def memory_snapshot(mempool_id=None):
    _lazy_init()


def mem_get_info(device=None):
    _lazy_init()


def set_per_process_memory_fraction(fraction, device=None):
    _lazy_init()
