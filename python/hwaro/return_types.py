"""The named tuples that operators with several results return: torch.return_types.sort, …"""
from hwaro import _C


def __getattr__(name):
    value = _C._return_types().get(name) if not name.startswith("__") else None
    if value is None:
        raise AttributeError(f"module 'torch.return_types' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_C._return_types()))
