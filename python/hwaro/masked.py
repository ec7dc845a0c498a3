"""torch.masked: reductions and normalisations in which a boolean mask says which elements take part.

An element that is left out becomes the number that changes nothing: 0 for a sum, 1 for a product, the lowest for a
maximum. The rest is the plain operator, so gradients and nodes are those of `where` and of that operator.
"""

import hwaro as torch

__all__ = (
    "sum prod cumsum cumprod amax amin argmax argmin mean median norm var std softmax log_softmax softmin normalize "
    "logaddexp logsumexp"
).split()

_LOWEST = ("amax", "argmax", "logsumexp", "logaddexp")
_HIGHEST = ("amin", "argmin")
_WIDENED = (torch.uint8, torch.bool, torch.int8, torch.int16, torch.int32)  # their sums and products are int64


def _extreme(dtype, sign):
    """The infinity of a type, or the last number that it has on that side."""
    if dtype.is_floating_point or dtype.is_complex:
        return sign * float("inf")
    if dtype is torch.bool:
        return sign > 0
    return torch.iinfo(dtype).max if sign > 0 else torch.iinfo(dtype).min


def _neutral(name, input, ord=None):
    """The number that an element left out is replaced by, as a tensor of the input's type."""
    dtype = input.dtype
    if name == "prod":
        value = 1
    elif name in _LOWEST:
        value = _extreme(dtype, -1)
    elif name in _HIGHEST or (name == "norm" and ord == float("-inf")):
        value = _extreme(dtype, 1)
    elif name == "median":
        value = float("nan")
    else:
        value = 0
    return torch.tensor(value, dtype=dtype, device=input.device)


def _full_mask(input, mask):
    """The mask as bool, in the shape of the input."""
    if mask.ndim > input.ndim:
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"
        )
    if mask.shape != input.shape:
        mask = torch.broadcast_to(mask.clone(), input.shape)
    return mask if mask.dtype is torch.bool else mask.to(torch.bool)


def _filled(name, input, mask, ord=None):
    if mask is None:
        return input
    return torch.where(_full_mask(input, mask), input, _neutral(name, input, ord))


def _dims(dim, ndim):
    """The dimensions of a call, not negative, in order."""
    if dim is None:
        return tuple(range(ndim))
    dims = []
    for d in (dim,) if isinstance(dim, int) else tuple(dim):
        size = max(ndim, 1)
        if not -size <= d < size:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {d})")
        if d % size in dims:
            raise RuntimeError(f"dim={d % size} appears multiple times in the list of dims")
        dims.append(d % size)
    if dim == ():
        return tuple(range(ndim))
    return tuple(sorted(dims))


def _sum_type(input, dtype):
    return dtype or (torch.int64 if input.dtype in _WIDENED else input.dtype)


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the elements that take part; 0 where there are none."""
    dtype = _sum_type(input, dtype)
    return torch.sum(_filled("sum", input, mask), _dims(dim, input.ndim), bool(keepdim), dtype=dtype)


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the elements that take part; 1 where there are none."""
    out = _filled("prod", input, mask).to(dtype=_sum_type(input, dtype))
    for d in reversed(_dims(dim, input.ndim)):
        out = out.prod(dim=d, keepdim=bool(keepdim))
    return out


def cumsum(input, dim, *, dtype=None, mask=None):
    """Running sums; elements left out add nothing."""
    dtype = dtype or input.dtype
    return torch.cumsum(_filled("sum", input, mask), _dims(dim, input.ndim)[0], dtype=dtype).to(dtype=dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Running products; elements left out change nothing."""
    dtype = dtype or input.dtype
    return torch.cumprod(_filled("prod", input, mask), _dims(dim, input.ndim)[0], dtype=dtype).to(dtype=dtype)


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the elements that take part."""
    dims = _dims(dim, input.ndim)
    return torch.amax(_filled("amax", input, mask), dims, bool(keepdim)).to(dtype=dtype or input.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the elements that take part."""
    dims = _dims(dim, input.ndim)
    return torch.amin(_filled("amin", input, mask), dims, bool(keepdim)).to(dtype=dtype or input.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the largest of the elements that take part, in the input's type as PyTorch has it."""
    return torch.argmax(_filled("argmax", input, mask), dim, bool(keepdim)).to(dtype=dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the smallest of the elements that take part, in the input's type as PyTorch has it."""
    return torch.argmin(_filled("argmin", input, mask), dim, bool(keepdim)).to(dtype=dtype or input.dtype)


def _count(input, dim, keepdim, mask):
    """How many elements take part, and the mask in full."""
    if mask is None:
        return sum(torch.ones(input.shape, dtype=torch.int64, device=input.device), dim, keepdim=keepdim), None
    mask = _full_mask(input, mask)
    return mask.sum(dim=dim, keepdim=bool(keepdim)), mask


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the elements that take part; NaN where there are none."""
    source, dtype = ("Input", input.dtype) if dtype is None else ("Optional", dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype. "
            f"Got: {dtype}"
        )
    count, mask = _count(input, dim, keepdim, mask)
    return sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask) / count


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The median of the elements that take part; NaN where there are none, which integers refuse."""
    floating = torch.is_floating_point(input)
    values = input if floating else input.to(dtype=torch.float)
    out = torch.nanmedian(_filled("median", values, mask), _dims(dim, input.ndim)[0], keepdim).values
    if floating:
        return out
    if torch.isnan(out).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return out.to(dtype=dtype or input.dtype)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log of the sum of the exponentials of the elements that take part."""
    filled = _filled("logsumexp", input, mask)
    return torch.logsumexp(filled, _dims(dim, input.ndim), keepdim=keepdim).to(dtype=dtype or input.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)), each with a mask of its own."""
    left, right = _filled("logaddexp", input, input_mask), _filled("logaddexp", other, other_mask)
    return torch.logaddexp(left, right).to(dtype=dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of the elements that take part."""
    filled = _filled("norm", input, mask, ord)
    return torch.linalg.vector_norm(
        filled, ord, _dims(dim, input.ndim), bool(keepdim), dtype=dtype or input.dtype
    )


def _variance(input, dim, unbiased, correction, keepdim, dtype, mask):
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1.0 if unbiased is None or unbiased else 0.0
    if dtype is None:
        dtype = input.dtype if input.dtype.is_floating_point or input.dtype.is_complex else torch.float32
    compute = dtype if dtype.is_floating_point or dtype.is_complex else torch.float32
    count, mask = _count(input, dim, True, mask)
    centre = torch.divide(sum(input, dim, keepdim=True, dtype=dtype, mask=mask), count)
    distance = torch.subtract(input, centre)
    total = sum(distance * distance.conj(), dim, keepdim=keepdim, dtype=compute, mask=mask)
    if not keepdim:
        count = count.reshape(total.shape)
    if correction != 0:
        count = torch.subtract(count.to(compute.to_real()), float(correction))
        count = torch.maximum(count, count.new_zeros([]))
    return torch.divide(total, count).to(dtype=dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the elements that take part."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation of the elements that take part."""
    return torch.sqrt(_variance(input, dim, unbiased, correction, keepdim, dtype, mask))


def softmax(input, dim, *, dtype=None, mask=None):
    """softmax over the elements that take part; the others become 0."""
    filled = _filled("amax", input, mask)
    return torch.nn.functional.softmax(filled, _dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """log_softmax over the elements that take part; the others become -inf."""
    filled = _filled("amax", input, mask)
    return torch.nn.functional.log_softmax(filled, _dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmin over the elements that take part; the others become 0."""
    filled = _filled("amin", input, mask)
    return torch.nn.functional.softmin(filled, _dims(dim, input.ndim)[0], dtype=dtype or input.dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The input over its norm along dim, counting the elements that take part."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype or input.dtype, mask=mask)
    return torch.divide(_filled("sum", input, mask), torch.maximum(length, length.new_full([], eps)))
