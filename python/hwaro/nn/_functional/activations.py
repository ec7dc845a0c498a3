"""Activation functions on top of compiled ones."""
import hwaro as torch
from hwaro._C.nn_functional import celu, elu, hardtanh, leaky_relu, selu, softmax, threshold


def _get_softmax_dim(name, ndim, stacklevel):
    import warnings
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                  "argument.", stacklevel=stacklevel)
    return 0 if ndim in (0, 1, 3) else 1


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-x)."""
    if dim is None:
        dim = _get_softmax_dim("softmin", input.dim(), _stacklevel)
    return softmax(-input, dim, dtype=dtype)


def softsign(input):
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample of the Gumbel-Softmax distribution (Jang et al., 2016); hard: one-hot values with soft gradients."""
    if eps != 1e-10:
        import warnings
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -torch.empty_like(logits, memory_format=torch.legacy_contiguous_format).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = torch.zeros_like(logits, memory_format=torch.legacy_contiguous_format).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


def _rrelu_slopes(input, lower, upper, training):
    if not training:
        return (lower + upper) / 2
    # One draw in double per element that is not positive, in memory order.
    negative = input <= 0
    slopes = torch.ones_like(input, requires_grad=False)
    count = int(negative.sum())
    if count:
        slopes[negative] = torch.empty(count, dtype=torch.float64).uniform_(lower, upper).to(slopes.dtype)
    return slopes


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """x where positive, else x times a random slope in [lower, upper) (their mean outside of training)."""
    with torch.no_grad():
        slopes = _rrelu_slopes(input, lower, upper, training)
    result = torch.where(input > 0, input, input * slopes)
    return input.copy_(result) if inplace else result


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    return rrelu(input, lower, upper, training, True)


def elu_(input, alpha=1.0):
    return elu(input, alpha, True)


def selu_(input):
    return selu(input, True)


def celu_(input, alpha=1.0):
    return celu(input, alpha, True)


def leaky_relu_(input, negative_slope=0.01):
    return leaky_relu(input, negative_slope, True)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    return hardtanh(input, min_val, max_val, True)


def threshold_(input, threshold, value):
    return _threshold(input, threshold, value, True)


_threshold = threshold
