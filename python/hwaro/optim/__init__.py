"""Optimizers; each file loads when its class is first used."""
import importlib

from hwaro.optim.optimizer import Optimizer

_FILES = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "RMSprop": "rmsprop", "Adagrad": "adagrad",
          "Adadelta": "adadelta", "Adamax": "adamax", "NAdam": "nadam", "RAdam": "radam", "ASGD": "asgd",
          "Rprop": "rprop", "LBFGS": "lbfgs"}
_SUBMODULES = frozenset(["lr_scheduler", "optimizer", "swa_utils", *_FILES.values()])
__all__ = ["Optimizer", "lr_scheduler", "swa_utils", *_FILES]


def __getattr__(name):
    if name in _FILES:
        value = getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    elif name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_FILES, *_SUBMODULES})
