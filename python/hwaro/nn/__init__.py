"""Neural networks: layers, functions, initial values. Everything but Parameter loads at its first use."""
import importlib

from hwaro.nn import modules as modules
from hwaro.nn.parameter import Buffer, Parameter

_SUBMODULES = frozenset(["functional", "init", "utils", "parameter", "parallel", "attention", "_reduction"])
__all__ = [*modules.__all__, "Buffer", "Parameter", "DataParallel", "UninitializedBuffer", "UninitializedParameter"]


def __getattr__(name):
    if name in modules._HOME:
        value = getattr(modules, name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    elif name in ("UninitializedBuffer", "UninitializedParameter"):
        from hwaro.nn import parameter

        value = getattr(parameter, name)
    elif name == "DataParallel":
        from hwaro.nn.parallel import DataParallel as value
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__, *_SUBMODULES})
