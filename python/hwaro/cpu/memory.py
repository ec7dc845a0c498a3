"""The memory of tensors: statistics, a limit, and the cache. The names are those of torch.cuda's functions.

`allocated` is what living tensors hold, `reserved` what was taken from the system: that, and blocks kept for reuse.
"""

from hwaro import _C


def memory_stats(device=None):
    """Bytes, blocks and mappings: now, at the peak, and all that came and went. The keys are torch.cuda's."""
    return dict(_C.memory_stats())


def memory_stats_as_nested_dict(device=None):
    """memory_stats with one dict inside the other for each dot of a key."""
    nested = {}
    for key, value in memory_stats().items():
        *path, last = key.split(".")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return nested


def memory_allocated(device=None):
    """Bytes of living tensors, with the few that describe each storage."""
    return _C.memory_allocated()


def max_memory_allocated(device=None):
    """The most that memory_allocated was, since the start or since reset_peak_memory_stats."""
    return _C.max_memory_allocated()


def memory_reserved(device=None):
    """Bytes taken from the system: of living tensors, and of blocks kept for reuse."""
    return _C.memory_reserved()


def max_memory_reserved(device=None):
    """The most that memory_reserved was, since the start or since reset_peak_memory_stats."""
    return _C.max_memory_reserved()


def reset_peak_memory_stats(device=None):
    """From now on, peaks count from what there is now."""
    _C.reset_peak_memory_stats()


def reset_accumulated_memory_stats(device=None):
    """From now on, what came and went counts from zero."""
    _C.reset_accumulated_memory_stats()


def empty_cache():
    """Gives memory that is kept for reuse back to the system."""
    _C.empty_cache()


def set_memory_limit(bytes):
    """More than this raises OutOfMemoryError instead of being asked of the system; 0 for no limit.

    HWARO_MEMORY_LIMIT=2g in the environment sets it from the start.
    """
    _C.set_memory_limit(bytes)


def get_memory_limit():
    """What set_memory_limit or HWARO_MEMORY_LIMIT set; 0 for no limit."""
    return _C.get_memory_limit()


def mem_get_info(device=None):
    """Bytes that are left, and all that there are: of the machine, of its control group, or up to the limit."""
    total = _C._usable_memory()
    if get_memory_limit():
        total = min(total, get_memory_limit())
    return max(total - memory_reserved(), 0), total


def set_per_process_memory_fraction(fraction, device=None):
    """Sets the limit to a fraction of the memory that the machine, or the control group, has."""
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if fraction < 0 or fraction > 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    set_memory_limit(max(int(fraction * _C._usable_memory()), 1))


def get_per_process_memory_fraction(device=None):
    """The limit as a fraction of the memory that the machine, or the control group, has; 1.0 for no limit."""
    return min(get_memory_limit() / _C._usable_memory(), 1.0) if get_memory_limit() else 1.0


def _in_units(size, divisor, units):
    unit = 0
    while abs(size) >= divisor * 10 and unit + 1 < len(units):
        size, unit = size / divisor, unit + 1
    return f"{int(size)} {units[unit]}".rstrip()


_ROWS = [
    ("Allocated memory", "allocated_bytes", 1024, ("B", "KiB", "MiB", "GiB", "TiB")),
    ("Reserved memory", "reserved_bytes", 1024, ("B", "KiB", "MiB", "GiB", "TiB")),
    ("Allocations", "allocation", 1000, ("", "K", "M", "G")),
    ("Mappings", "segment", 1000, ("", "K", "M", "G")),
]


def memory_summary(device=None, abbreviated=False):
    """A table of memory_stats to read. Where no peak is counted, its column is empty."""
    stats = memory_stats()
    width = 18
    columns = ["Metric", "Cur Usage", "Peak Usage", "Tot Alloc", "Tot Freed"]
    rule = "|" + "-" * (len(columns) * (width + 3) - 1) + "|"
    lines = [
        rule,
        "|" + "Memory of CPU tensors".center(len(rule) - 2) + "|",
        rule,
        "|" + f" OOMs: {stats['num_ooms']}   cache flushes: {stats['num_alloc_retries']}".ljust(len(rule) - 2) + "|",
        rule,
        "|" + "|".join(f" {name:^{width}} " for name in columns) + "|",
        rule,
    ]
    for title, key, divisor, units in _ROWS[:2] if abbreviated else _ROWS:
        cells = [f" {title:<{width}} "]
        for kind in ("current", "peak", "allocated", "freed"):
            value = stats.get(f"{key}.all.{kind}")
            cells.append(f" {'' if value is None else _in_units(value, divisor, units):>{width}} ")
        lines.append("|" + "|".join(cells) + "|")
    return "\n".join([*lines, rule])
