"""Losses with PyTorch's full signatures: the old arguments size_average and reduce become a reduction, with its warning."""
from hwaro._C import nn_functional as compiled
from hwaro.nn._reduction import legacy_get_string


def _reduction(size_average, reduce, reduction):
    return reduction if size_average is None and reduce is None else legacy_get_string(size_average, reduce)


def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
    """The cross entropy between logits (N, C, …) and class indices (N, …) or probabilities (N, C, …)."""
    return compiled.cross_entropy(input, target, weight, ignore_index, _reduction(size_average, reduce, reduction), label_smoothing)


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """The negative log-likelihood of targets under log-probabilities (N, C, …)."""
    return compiled.nll_loss(input, target, weight, ignore_index, _reduction(size_average, reduce, reduction))


def _weighted(loss, weight, reduction):
    weighted = loss * weight
    if reduction == "none":
        return weighted
    return weighted.sum() if reduction == "sum" else weighted.sum() / weight.expand_as(loss).sum()


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The squared difference."""
    reduction = _reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(compiled.mse_loss(input, target, "none"), weight, reduction)
    return compiled.mse_loss(input, target, reduction)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The absolute difference."""
    reduction = _reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(compiled.l1_loss(input, target, "none"), weight, reduction)
    return compiled.l1_loss(input, target, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Quadratic below beta, linear above."""
    return compiled.smooth_l1_loss(input, target, _reduction(size_average, reduce, reduction), beta)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence of target from exp(input)."""
    return compiled.kl_div(input, target, _reduction(size_average, reduce, reduction), log_target)


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Binary cross entropy of probabilities."""
    return compiled.binary_cross_entropy(input, target, weight, _reduction(size_average, reduce, reduction))


def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    """Binary cross entropy of logits."""
    return compiled.binary_cross_entropy_with_logits(input, target, weight, _reduction(size_average, reduce, reduction), pos_weight)
