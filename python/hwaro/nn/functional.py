"""Functions on tensors that the layers are made of.

What the engine compiles comes from there; the rest is written in Python on top of it and loads at its first use.
"""
import importlib

import hwaro as torch
from hwaro._C.nn_functional import *  # noqa: F401,F403

# The compiled losses know `reduction` only; these take PyTorch's older arguments too.
_LOSSES = """cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss kl_div binary_cross_entropy
    binary_cross_entropy_with_logits"""

_PYTHON = {
    "reductions": _LOSSES,
    "losses": """poisson_nll_loss gaussian_nll_loss hinge_embedding_loss multi_margin_loss multilabel_margin_loss
        multilabel_soft_margin_loss cosine_embedding_loss margin_ranking_loss triplet_margin_loss
        triplet_margin_with_distance_loss ctc_loss""",
    "attention": "multi_head_attention_forward _canonical_mask",
    "activations": "softmin gumbel_softmax rrelu_ _threshold _get_softmax_dim",
    "dropouts": "dropout1d dropout2d dropout3d feature_alpha_dropout",
    "norms": "normalize instance_norm local_response_norm",
    "pools": """adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d lp_pool1d lp_pool2d
        lp_pool3d max_unpool1d max_unpool2d max_unpool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices
        adaptive_max_pool3d_with_indices fractional_max_pool2d fractional_max_pool3d
        fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices""",
    "vision": "upsample upsample_nearest upsample_bilinear affine_grid grid_sample",
    "bags": "embedding_bag",
}
_HOME = {name: home for home, names in _PYTHON.items() for name in names.split()}
# Where Python stands above a compiled function of the same name, it loads at its first use.
for _name in _HOME:
    globals().pop(_name, None)


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module("hwaro.nn._functional." + _HOME[name]), name)
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOME})
