"""Hwaro: tensors and automatic differentiation with PyTorch's semantics.

`import hwaro as torch` runs PyTorch code; `python -m hwaro script.py` runs a script that says `import torch`.
Submodules load on first use, so that importing this package stays cheap.
"""

import importlib as _importlib

from hwaro import _C
from hwaro._C import *  # noqa: F401,F403  (types, dtypes, creation, settings)
from hwaro._C import Tensor, _TensorMeta  # noqa: F401

globals().update(_C.functions)
_C.linalg.LinAlgError = _C._LinAlgError

from hwaro import _tensor  # noqa: E402,F401  (methods of Tensor that are written in Python)
from hwaro._top import *  # noqa: E402,F401,F403
from hwaro._torch_version import TorchVersion as _TorchVersion  # noqa: E402

__version__ = _TorchVersion("2.13.0+hwaro0.1.0")

_SUBMODULES = {
    "nn",
    "optim",
    "utils",
    "autograd",
    "cuda",
    "cpu",
    "mps",
    "xpu",
    "mtia",
    "backends",
    "version",
    "accelerator",
    "linalg",
    "special",
    "random",
    "testing",
    "func",
    "amp",
    "distributions",
    "serialization",
    "return_types",
    "types",
    "overrides",
    "_tensor_str",
    "jit",
    "multiprocessing",
    "compiler",
    "distributed",
    "storage",
    "functional",
    "_device",
    "masked",
    "_utils",
    "profiler",
}

# name -> the module that it is taken from when it is first used
_LAZY = {
    name: module
    for module, names in {
        "serialization": "save load",
        "_tensor_str": "set_printoptions get_printoptions",
        "_numeric": "finfo iinfo",
        "random": "fork_rng",
        "amp": "autocast GradScaler",
        "func": "vmap",
        "_draw": "draw",
        "storage": (
            "UntypedStorage TypedStorage FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage"
            " ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage"
        ),
        "functional": (
            "unique unique_consecutive broadcast_shapes result_type unravel_index vander hann_window"
            " hamming_window blackman_window bartlett_window kaiser_window meshgrid broadcast_tensors block_diag"
            " cartesian_prod chain_matmul split atleast_1d atleast_2d atleast_3d einsum tensordot nonzero cdist lu"
        ),
        "_lowrank": "svd_lowrank pca_lowrank",
        "nn.functional": (
            "bilinear cosine_similarity cosine_embedding_loss pairwise_distance pixel_shuffle pixel_unshuffle "
            "adaptive_max_pool1d margin_ranking_loss triplet_margin_loss hinge_embedding_loss kl_div poisson_nll_loss "
            "binary_cross_entropy_with_logits rrelu instance_norm ctc_loss"
        ),
    }.items()
    for name in names.split()
}
for _name in _LAZY:
    globals().pop(_name, None)  # compiled parts of functions that Python completes


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
