"""Hwaro: tensors and automatic differentiation with PyTorch's semantics.

`import hwaro as torch` runs PyTorch code; `python -m hwaro script.py` runs a script that says `import torch`.
Submodules load on first use, so that importing this package stays cheap.
"""
import importlib as _importlib

from hwaro import _C
from hwaro._C import *  # noqa: F401,F403  (types, dtypes, creation, settings)
from hwaro._C import Tensor, _TensorMeta  # noqa: F401

globals().update(_C.functions)

from hwaro import _tensor  # noqa: E402,F401  (methods of Tensor that are written in Python)
from hwaro._top import *  # noqa: E402,F401,F403

__version__ = "2.13.0+hwaro0.1.0"

_SUBMODULES = {
    "nn", "optim", "utils", "autograd", "cuda", "cpu", "mps", "backends", "version", "accelerator", "linalg", "special", "fft",
    "random", "testing", "func", "amp", "distributions", "serialization", "return_types", "types", "overrides", "_tensor_str", "jit",
    "hub", "multiprocessing", "compiler", "library", "onnx", "distributed", "sparse", "profiler", "storage", "functional", "_device",
}
_LAZY = {
    "save": "serialization", "load": "serialization", "set_printoptions": "_tensor_str", "get_printoptions": "_tensor_str",
    "finfo": "_numeric", "iinfo": "_numeric",
}


def __getattr__(name):
    if name in _LAZY:
        value = getattr(_importlib.import_module("hwaro." + _LAZY[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        try:
            return _importlib.import_module("hwaro." + name)
        except ModuleNotFoundError as error:
            if error.name != "hwaro." + name:
                raise
    raise AttributeError(f"module 'torch' has no attribute '{name}'")


def __dir__():
    return sorted(set(globals()) | _SUBMODULES | set(_LAZY))
