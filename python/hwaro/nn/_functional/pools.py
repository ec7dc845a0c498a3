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
    return compiled.adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    return compiled.adaptive_max_pool3d(input, output_size, True)


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


def _max_unpool(input, indices, kernel_size, stride, padding, output_size, expand):
    kernel_size = expand(kernel_size)
    stride = kernel_size if stride is None else expand(stride)
    size = _unpool_size(input, kernel_size, stride, expand(padding), output_size)
    dims = len(size)
    lead = input.shape[:-dims]
    count = 1
    for extent in size:
        count *= extent
    flat = torch.zeros((*lead, count), dtype=input.dtype, device=input.device)
    return flat.scatter(-1, indices.flatten(-dims), input.flatten(-dims)).view(*lead, *size)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, L)."""
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, _single)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, H, W)."""
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, _pair)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Puts pooled maxima back to where they came from, zero elsewhere: (N, C, D, H, W)."""
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, _triple)


def _window_starts(sample, size, out, kernel):
    """First index of each fractional window (Graham, 2014), one row per sample."""
    if out == 1:
        return torch.full((sample.numel(), 1), size - kernel, dtype=torch.long)
    alpha = (size - kernel) / (out - 1)
    steps = torch.arange(out, dtype=sample.dtype)
    starts = ((steps + sample.reshape(-1, 1)) * alpha).long() - (sample.reshape(-1, 1) * alpha).long()
    starts[:, -1] = size - kernel
    return starts


def _fractional(input, kernel_size, output_size, output_ratio, samples, expand):
    kernel_size = expand(kernel_size)
    dims = len(kernel_size)
    if output_size is None and output_ratio is None:
        raise ValueError(f"fractional_max_pool{dims}d requires specifying either an output_size or an output_ratio")
    if output_size is None:
        output_size = [int(input.size(-dims + d) * ratio) for d, ratio in enumerate(expand(output_ratio))]
    output_size = expand(output_size)
    batched = input.dim() == dims + 2
    whole = input if batched else input.unsqueeze(0)
    batch, channels = whole.shape[:2]
    if samples is None:
        samples = torch.rand(batch, channels, dims, dtype=input.dtype, device=input.device)
    spatial = whole.shape[2:]
    for d, axis in enumerate(("time", "height", "width")[-dims:]):
        # PyTorch lets the windows reach the border in two dimensions, and not in three.
        if output_size[d] + kernel_size[d] - 1 >= spatial[d] + (dims == 2):
            name = "fractional_max_pool2d()" if dims == 2 else "fractional_max_pool3d_out()"
            raise RuntimeError(f"{name}: pool {axis} {kernel_size[d]} too large relative to input {axis} {spatial[d]}")
    # Flat index of every element of every window, built one dimension at a time.
    flat = torch.zeros((batch * channels, *[1] * (2 * dims)), dtype=torch.long)
    for d in range(dims):
        # The samples are in the order width, height, depth.
        starts = _window_starts(samples[..., dims - 1 - d], spatial[d], output_size[d], kernel_size[d])
        shape = [batch * channels] + [1] * (2 * dims)
        shape[1 + d], shape[1 + dims + d] = output_size[d], kernel_size[d]
        places = (starts.unsqueeze(2) + torch.arange(kernel_size[d])).view(shape)
        flat = flat * spatial[d] + places
    windows = flat.reshape(batch, channels, -1)
    values = whole.flatten(2).gather(2, windows).view(batch, channels, *output_size, -1)
    best, which = values.max(-1)
    indices = windows.view(batch, channels, *output_size, -1).gather(-1, which.unsqueeze(-1)).squeeze(-1)
    return (best, indices) if batched else (best.squeeze(0), indices.squeeze(0))


def fractional_max_pool2d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): values and indices."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _pair)


def fractional_max_pool3d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): values and indices."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _triple)


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): (N, C, H, W)."""
    out = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _pair)
    return out if return_indices else out[0]


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Max pooling over windows at random places (Graham, 2014): (N, C, D, H, W)."""
    out = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, _triple)
    return out if return_indices else out[0]
