"""Pooling functions on top of compiled ones."""
import hwaro as torch
from hwaro._C import nn_functional as compiled
from hwaro.nn.modules.utils import _pair, _single, _triple


def _power_pool(input, pool, size, norm_type, kernel_size, stride, ceil_mode):
    # relu and sign keep roots of negative sums of odd powers away, as PyTorch does.
    if stride is not None:
        out = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    else:
        out = pool(input.pow(norm_type), kernel_size, padding=0, ceil_mode=ceil_mode)
    count = 1
    for extent in size:
        count *= extent
    return (torch.sign(out) * compiled.relu(torch.abs(out))).mul(count).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window: (N, C, L)."""
    return _power_pool(input, compiled.avg_pool1d, _single(kernel_size), norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window: (N, C, H, W)."""
    return _power_pool(input, compiled.avg_pool2d, _pair(kernel_size), norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window: (N, C, D, H, W)."""
    return _power_pool(input, compiled.avg_pool3d, _triple(kernel_size), norm_type, kernel_size, stride, ceil_mode)


def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    return compiled.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    return compiled.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    return compiled.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    return compiled.adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    return compiled.adaptive_max_pool2d(input, _whole_size(input, output_size), True)


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    return compiled.adaptive_max_pool3d(input, _whole_size(input, output_size), True)


def _unpool_size(input, kernel_size, stride, padding, output_size):
    dims = len(kernel_size)
    default = [(input.size(-dims + d) - 1) * stride[d] + kernel_size[d] - 2 * padding[d] for d in range(dims)]
    if output_size is None:
        return default
    output_size = list(output_size)
    if len(output_size) == dims + 2:
        output_size = output_size[2:]
    if len(output_size) != dims:
        raise ValueError("output_size should be a sequence containing "
                         f"{dims} or {dims + 2} elements, but it has a length of '{len(output_size)}'")
    for d in range(dims):
        low, high = default[d] - stride[d], default[d] + stride[d]
        if not low < output_size[d] < high:
            raise ValueError(f"invalid output_size '{output_size}' (dim {d} must be between {low} and {high})")
    return output_size


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, L)."""
    kernel_size = _single(kernel_size)
    stride = kernel_size if stride is None else _single(stride)
    size = _unpool_size(input, kernel_size, stride, _single(padding), output_size)
    return compiled.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [*size, 1]).squeeze(-1)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, H, W)."""
    kernel_size = _pair(kernel_size)
    stride = kernel_size if stride is None else _pair(stride)
    return compiled.max_unpool2d(input, indices,
                                 _unpool_size(input, kernel_size, stride, _pair(padding), output_size))


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, D, H, W)."""
    kernel_size = _triple(kernel_size)
    stride = kernel_size if stride is None else _triple(stride)
    padding = _triple(padding)
    size = _unpool_size(input, kernel_size, stride, padding, output_size)
    return compiled.max_unpool3d(input, indices, size, stride, padding)


def _whole_size(input, output_size):
    """output_size with input's extents where it says None."""
    if isinstance(output_size, int):
        return output_size
    if input.dim() <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    return [n if given is None else given for given, n in zip(output_size, input.shape[-len(output_size):])]


def adaptive_avg_pool2d(input, output_size):
    """Averages over as many windows as asked for; None keeps a size: (N, C, H, W)."""
    return compiled.adaptive_avg_pool2d(input, _whole_size(input, output_size))


def adaptive_avg_pool3d(input, output_size):
    """Averages over as many windows as asked for; None keeps a size: (N, C, D, H, W)."""
    return compiled.adaptive_avg_pool3d(input, _whole_size(input, output_size))


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Maxima of as many windows as asked for; None keeps a size: (N, C, H, W)."""
    return compiled.adaptive_max_pool2d(input, _whole_size(input, output_size), return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Maxima of as many windows as asked for; None keeps a size: (N, C, D, H, W)."""
    return compiled.adaptive_max_pool3d(input, _whole_size(input, output_size), return_indices)


def _fractional(input, kernel_size, output_size, output_ratio, samples, expand, pool):
    dims = len(expand(0))
    if output_size is None and output_ratio is None:
        raise ValueError(f"fractional_max_pool{dims}d requires specifying either an output_size or an output_ratio")
    if output_size is None:
        output_size = [int(input.size(-dims + d) * ratio) for d, ratio in enumerate(expand(output_ratio))]
    if samples is None:
        batch = 1 if input.dim() == dims + 1 else input.size(0)
        samples = torch.rand(batch, input.size(-dims - 1), dims, dtype=input.dtype, device=input.device)
    return tuple(pool(input, kernel_size, output_size, samples))


def fractional_max_pool2d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): values and indices."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _pair,
                       compiled.fractional_max_pool2d)


def fractional_max_pool3d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): values and indices."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _triple,
                       compiled.fractional_max_pool3d)


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): (N, C, H, W)."""
    out = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _pair,
                      compiled.fractional_max_pool2d)
    return out if return_indices else out[0]


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): (N, C, D, H, W)."""
    out = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _triple,
                      compiled.fractional_max_pool3d)
    return out if return_indices else out[0]
