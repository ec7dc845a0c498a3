"""Data loading, checkpointing and helpers; each submodule loads at its first use."""
import importlib

_SUBMODULES = {"data", "checkpoint", "dlpack", "hooks"}


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(__name__ + "." + name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
