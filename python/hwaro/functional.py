"""Functions of the top level in Python: their results or arguments vary in number, or they combine others."""

import math

from hwaro import _C
from hwaro._top import _warn_once
from hwaro._unique import unique, unique_consecutive  # noqa: F401

_f = _C.functions


def __getattr__(name):
    """torch.functional.einsum and others are the functions of the top level."""
    if name in _f:
        return _f[name]
    raise AttributeError(f"module 'torch.functional' has no attribute '{name}'")


# ---- functions that take tensors one by one or as a list ----


def _listed(tensors):
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)


def meshgrid(*tensors, indexing=None):
    """The coordinates of a grid: vectors expanded along each other. indexing: "ij" (rows first) or "xy"."""
    tensors = _listed(tensors)
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is not None and not isinstance(indexing, str):
        raise TypeError(f"meshgrid(): argument 'indexing' must be str, not {type(indexing).__name__}")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    return _f["meshgrid"](tensors) if indexing is None else _f["meshgrid"](tensors, indexing=indexing)


def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape."""
    return _f["broadcast_tensors"](list(tensors))


def block_diag(*tensors):
    """A matrix with the given matrices on its diagonal."""
    return _f["block_diag"](list(tensors))


def cartesian_prod(*tensors):
    """All combinations of the elements of vectors, one per row."""
    return _f["cartesian_prod"](list(tensors))


def split(tensor, split_size_or_sections, dim=0):
    """Views of split_size_or_sections indices of dimension dim each, or of as many as each number of a list says."""
    return tensor.split(split_size_or_sections, dim)


def chain_matmul(*matrices, out=None):
    """The product of several matrices."""
    import warnings

    warnings.warn(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot"
        " instead, which accepts a list of two or more tensors rather than multiple parameters.",
        UserWarning,
        stacklevel=2,
    )
    return _f["chain_matmul"](_listed(matrices)) if out is None else _f["chain_matmul"](_listed(matrices), out=out)


def atleast_1d(*tensors):
    """Each tensor with at least one dimension."""
    return _f["atleast_1d"](tensors[0] if len(tensors) == 1 else list(tensors))


def atleast_2d(*tensors):
    """Each tensor with at least two dimensions."""
    return _f["atleast_2d"](tensors[0] if len(tensors) == 1 else list(tensors))


def atleast_3d(*tensors):
    """Each tensor with at least three dimensions."""
    return _f["atleast_3d"](tensors[0] if len(tensors) == 1 else list(tensors))


def einsum(*args):
    """Sums of products in Einstein's notation: einsum("ij,jk->ik", a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its"
            " subscripts list"
        )
    if isinstance(args[0], _C.Tensor):

        def letters(subscripts):
            return "".join("..." if s is Ellipsis else _letter(s) for s in subscripts)

        equation = ",".join(letters(s) for s in args[1::2][: len(args) // 2])
        if len(args) % 2:
            equation += "->" + letters(args[-1])
        return _f["einsum"](equation, list(args[: len(args) - len(args) % 2 : 2]))
    return _f["einsum"](
        args[0], list(args[1]) if len(args) == 2 and isinstance(args[1], (list, tuple)) else list(args[1:])
    )


def _letter(index):
    if not 0 <= index < 52:
        raise ValueError("einsum(): subscripts in subscript list are not within the valid range [0, 52)")
    return chr(ord("A") + index) if index < 26 else chr(ord("a") + index - 26)


def tensordot(a, b, dims=2, out=None):
    """The product of two tensors summed over pairs of dimensions: the last and first dims ones, or two lists."""
    if isinstance(dims, _C.Tensor):
        dims = dims.tolist()
    if isinstance(dims, (list, tuple)):
        first, second = dims
        first, second = [first] if isinstance(first, int) else list(first), (
            [second] if isinstance(second, int) else list(second)
        )
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first, second = list(range(-dims, 0)), list(range(dims))
    return _f["tensordot"](a, b, first, second) if out is None else _f["tensordot"](a, b, first, second, out=out)


def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances between all pairs of rows; compute_mode says when Euclidean ones come from a product."""
    modes = {
        "use_mm_for_euclid_dist_if_necessary": None,
        "use_mm_for_euclid_dist": 1,
        "donot_use_mm_for_euclid_dist": 2,
    }
    if compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    return _f["cdist"](x1, x2, p, modes[compute_mode])


def lu(A, pivot=True, get_infos=False, out=None):
    """LU factors in one matrix and the rows exchanged, as linalg.lu_factor; with get_infos also LAPACK's codes."""
    _warn_once(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in a "
        "future PyTorch release."
    )
    found = _f["_lu_with_info"](A, pivot=pivot, check_errors=not get_infos)
    found = found if get_infos else tuple(found)[:2]
    if out is None:
        return found
    if not isinstance(out, (tuple, list)):
        raise TypeError(f"argument 'out' must be tuple of Tensors, not {type(out).__name__}")
    if len(out) != len(found):
        raise TypeError(f"expected tuple of {len(found)} elements but got {len(out)}")
    for to, result in zip(out, found):
        to.resize_as_(result).copy_(result)
    return out


def nonzero(input, *, out=None, as_tuple=False):
    """The coordinates of elements that are not zero, as rows; with as_tuple one vector per dimension."""
    if out is not None and not isinstance(out, _C.Tensor):
        raise TypeError(f"nonzero(): argument 'out' must be Tensor, not {type(out).__name__}")
    if as_tuple and out is not None:
        raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
    if as_tuple:
        found = _f["nonzero"](input.unsqueeze(0) if input.dim() == 0 else input)
        return tuple(found.unbind(1))
    return _f["nonzero"](input) if out is None else _f["nonzero"](input, out=out)


# ---- shapes and types ----


def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to."""
    shapes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    out = [1] * max((len(s) for s in shapes), default=0)
    for which, shape in enumerate(shapes):
        for i in range(-1, -1 - len(shape), -1):
            if shape[i] == 1 or shape[i] == out[i]:
                continue
            if out[i] != 1 or shape[i] < 0:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument at index"
                    f" {which} had {shape}; but expected shape should be broadcastable to {out}"
                )
            out[i] = shape[i]
    return _C.Size(out)


def _category(dtype):
    return 3 if dtype.is_complex else 2 if dtype.is_floating_point else 0 if dtype == _C.bool else 1


def result_type(tensor1, tensor2):
    """The type of the result of an operator on two tensors or numbers."""
    groups = [None, None, None]  # tensors with dimensions, those without, numbers
    for value in (tensor1, tensor2):
        if isinstance(value, _C.Tensor):
            where, dtype = (0 if value.dim() else 1), value.dtype
        else:
            where = 2
            default = _C.get_default_dtype()
            dtype = (
                _C.bool
                if isinstance(value, bool)
                else (
                    _C.int64
                    if isinstance(value, int)
                    else default.to_complex() if isinstance(value, complex) else default
                )
            )
        groups[where] = dtype if groups[where] is None else _C.promote_types(groups[where], dtype)
    out = None
    for dtype in groups:
        if dtype is not None and (out is None or _category(dtype) > _category(out)):
            # Where a complex number meets a floating tensor, the precision is the tensor's.
            out = out.to_complex() if out is not None and dtype.is_complex and out.is_floating_point else dtype
    return out


def unravel_index(indices, shape):
    """Flat indices as a tuple of tensors, one per dimension of shape."""
    if not isinstance(indices, _C.Tensor):
        raise TypeError(
            f"unravel_index(): argument 'indices' (position 1) must be Tensor, not {type(indices).__name__}"
        )
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == _C.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, int):
        shape = (shape,)
    elif not isinstance(shape, (tuple, list)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    shape = tuple(shape)
    for s in shape:
        if not isinstance(s, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(s)}")
        if s < 0:
            raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    if not shape:
        return ()
    steps = _C.tensor([math.prod(shape[i + 1 :]) for i in range(len(shape))])
    return (indices.unsqueeze(-1).div(steps, rounding_mode="floor") % _C.tensor(list(shape))).unbind(-1)


def vander(x, N=None, increasing=False):
    """Powers of the elements of a vector: column j is x**(N-1-j), or x**j if increasing."""
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.size(-1) if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    columns = [x**k for k in range(count)]
    if not columns:
        return x.new_empty(tuple(x.shape) + (0,))
    return _f["stack"](columns if increasing else columns[::-1], -1)


# ---- windows ----


def _window(length, periodic, options, formula):
    """A periodic window of n elements is a symmetric one of n + 1 without the last; formula(k, n) has the elements."""
    dtype = options.pop("dtype") or _C.get_default_dtype()
    requires_grad = options.pop("requires_grad")
    if not dtype.is_floating_point:
        raise RuntimeError("window functions expect a floating point dtype")
    if length < 0:
        raise RuntimeError("window functions require a non-negative window_length")
    if length <= 1:
        return _f["ones"](length, dtype=dtype, device=options["device"], requires_grad=requires_grad)
    n = length + 1 if periodic else length
    return (
        formula(_f["arange"](n, dtype=dtype, device=options["device"]), n)[:length]
        .clone()
        .requires_grad_(requires_grad)
    )


def _options(dtype, layout, device, requires_grad):
    return dict(dtype=dtype, device=device, requires_grad=requires_grad)


def hann_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Half a period of 1 - cos, between 0 and 1."""
    return hamming_window(
        window_length, periodic, 0.5, 0.5, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def hamming_window(
    window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """alpha - beta * cos."""
    return _window(
        window_length,
        periodic,
        _options(dtype, layout, device, requires_grad),
        lambda k, n: (k * (2 * math.pi / (n - 1))).cos() * -beta + alpha,
    )


def blackman_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """0.42 - 0.5 cos + 0.08 cos of the double angle."""

    def formula(k, n):
        angle = k * (math.pi / (n - 1))
        return (angle * 4).cos() * 0.08 - (angle * 2).cos() * 0.5 + 0.42

    return _window(window_length, periodic, _options(dtype, layout, device, requires_grad), formula)


def bartlett_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A triangle."""

    def formula(k, n):
        rising = k * (2.0 / (n - 1))
        return _f["where"](_f["arange"](n, device=k.device) > (n - 1) // 2, 2 - rising, rising)

    return _window(window_length, periodic, _options(dtype, layout, device, requires_grad), formula)


def kaiser_window(
    window_length, periodic=True, beta=12.0, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """The Bessel function i0 over a half circle of radius beta."""

    def formula(k, n):
        half = (n - 1) / 2
        return _f["i0"]((1 - ((k - half) / half) ** 2).clamp(min=0).sqrt() * beta) / _f["i0"](
            _C.tensor(float(beta), dtype=k.dtype)
        )

    return _window(window_length, periodic, _options(dtype, layout, device, requires_grad), formula)
