"""Batching rules, one for each kind of operator: elementwise, along dimensions, views, products, network operators."""

import functools

import hwaro as torch
from hwaro import _C
from hwaro.func._batched import DYNAMIC, each_example, is_batched, rank, rewrap, wrap
from hwaro.func._tree import flatten, unflatten

RULES = {}


def rule(*names):
    def add(function):
        for name in names:
            RULES[name] = function
        return function

    return add


@functools.lru_cache(None)
def _pointwise_names():
    """Elementwise operators, from the schemas of the engine, and what Python calls them."""
    names = set(_ELEMENTWISE)
    for entry in _C._operators():
        if entry["pointwise"]:
            name = entry["schema"].split("(")[0].split(".")[0]
            names |= {name, name + "_"}
            for prefix in ("special_", "linalg_"):
                names.add(name.removeprefix(prefix))
    return names


def rule_for(name):
    found = RULES.get(name)
    if found is None:
        found = RULES[name] = elementwise if name in _pointwise_names() else each_example
    return found


def value_of(x, level):
    """(tensor of all examples with the batch first, or the tensor itself; whether it is batched)."""
    return (x._value, True) if is_batched(x, level) else (x, False)


def put_back(result, level):
    return rewrap(result, level)


def wrapped_dim(dim, n, extra=0):
    """A dimension of one example as one of the tensor of all examples."""
    n += extra
    limit = max(n, 1)
    if not -limit <= dim < limit:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})"
        )
    return dim + 1 if dim >= 0 else dim + limit + 1


# ---- elementwise: pad the examples to one number of dimensions ----

_ELEMENTWISE = """
clone detach contiguous to type type_as float double half bfloat16 int long short char byte bool cfloat cdouble cpu
conj resolve_conj resolve_neg positive where masked_fill masked_fill_ lerp lerp_ addcmul addcmul_ addcdiv addcdiv_ clamp
clamp_ clamp_min clamp_max clip clip_ zero_ fill_ copy_ nan_to_num isclose zeros_like ones_like full_like empty_like
threshold hardtanh gelu silu mish elu selu celu softplus softsign logsigmoid leaky_relu relu relu_ relu6 hardswish
hardsigmoid hardshrink softshrink tanhshrink sigmoid tanh rrelu prelu_elementwise floor_divide true_divide real imag
__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __and__ __or__ __xor__ __invert__ __rsub__ __rpow__ __rtruediv__ __rfloordiv__
__rmod__ __iadd__ __isub__ __imul__ __itruediv__ __add__ __sub__ __mul__ __truediv__ __pow__ __neg__ __abs__ complex polar
_to_copy square_ T.never
""".split()

_INPLACE_TEXT = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that"
    " has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in"
    " a vmap. Please try to use out-of-place operators instead of inplace arithmetic. If said operator is being called"
    " inside the PyTorch framework, please file a bug report instead."
)


def is_inplace(name):
    return (name.endswith("_") and not name.endswith("__")) or name.startswith("__i") and name != "__invert__"


def check_written(name, level, target):
    if is_inplace(name) and not is_batched(target, level):
        raise RuntimeError(_INPLACE_TEXT)


def elementwise(func, level, args, kwargs):
    name = func.__name__
    if args:
        check_written(name, level, args[0])
    leaves, spec = flatten((list(args), dict(kwargs)))
    tensors = [x for x in leaves if isinstance(x, torch.Tensor)]
    most = max(rank(x) for x in tensors)
    # A batched tensor of no dimension takes part in promotion as one.
    kind = None
    if len(tensors) > 1 and any(is_batched(x, level) and rank(x) == 0 for x in tensors):
        with _C.DisableTorchFunction():
            kind = functools.reduce(torch.promote_types, [x.dtype for x in tensors if rank(x) == most])
    out = []
    for x in leaves:
        if is_batched(x, level):
            value, own = x._value, rank(x)
            if own < most:
                value = value.reshape(value.shape[:1] + (1,) * (most - own) + value.shape[1:])
            if kind is not None and own == 0 and most and value.dtype != torch.bool and _same_kind(value.dtype, kind):
                value = value.to(kind)
            out.append(value)
        else:
            out.append(x)
    positional, named = unflatten(out, spec)
    result = func(*positional, **named)
    if is_inplace(name):
        return args[0]
    return put_back(result, level)


def _same_kind(a, b):
    order = lambda t: 3 if t.is_complex else 2 if t.is_floating_point else 0 if t == torch.bool else 1  # noqa: E731
    return order(a) <= order(b)


# ---- along dimensions ----


def along(names, position, default, sized=1, extra=0):
    """Operators on one tensor with a dimension (or several) as an argument; default: where it is left out, or ALL."""

    def run(func, level, args, kwargs):
        x, args, kwargs = args[0], list(args), dict(kwargs)
        n = rank(x)
        value = x._value if is_batched(x, level) else None
        if value is None or any(is_batched(a, level) for a in flatten([args[1:], list(kwargs.values())])[0]):
            return each_example(func, level, args, kwargs)
        key = next((k for k in ("dim", "dims", "axis") if k in kwargs), None)
        given = kwargs.get(key) if key else args[position] if len(args) > position else None
        if isinstance(given, (bool, torch.dtype)) or given is None and (key or len(args) > position) and default is not ALL:
            return each_example(func, level, args, kwargs)
        if isinstance(given, int) and not key and sized != 1 and all(isinstance(a, int) for a in args[position:]):
            given = tuple(args[position:])
            del args[position + 1 :]
        if func.__name__ == "unfold" and len(args) != 4 or func.__name__ == "flip" and given in ((), []):
            return each_example(func, level, args, kwargs)
        squeeze = n == 0 and not extra
        if squeeze:
            value = value.unsqueeze(1)
        if given is None or given == () or given == []:
            if default is ALL:
                if sized == 1 and n != 1:
                    value, shifted = value.reshape(value.shape[0], -1), 1
                else:
                    shifted = tuple(range(1, n + 1)) if sized != 1 and n else 1
            else:
                shifted = wrapped_dim(default, n, extra)
        elif isinstance(given, int):
            shifted = wrapped_dim(given, n, extra)
        else:
            shifted = tuple(wrapped_dim(d, n, extra) for d in given)
        args[0] = value
        if key:
            kwargs[key] = shifted
        elif len(args) > position:
            args[position] = shifted
        elif position == len(args):
            args.append(shifted)
        else:
            kwargs["dim"] = shifted
        result = func(*args, **kwargs)
        if given is None and func.__name__ in ("median", "nanmedian"):
            result = result.values
        if squeeze and (func.__name__ in _KEEPS_RANK or kwargs.get("keepdim") or True in args[1:]):
            leaves, spec = flatten(result)
            result = unflatten([t.squeeze(1) if t.dim() > 1 else t for t in leaves], spec)
        return put_back(result, level)

    for name in names.split():
        RULES[name] = run


ALL = object()
_KEEPS_RANK = set("softmax log_softmax cumsum cumprod logcumsumexp cummax cummin sort argsort topk flip unfold".split())

along("sum mean nansum amax amin all any var std count_nonzero nanmean", 1, ALL, sized=2)
along("prod argmax argmin median nanmedian", 1, ALL)
along("logsumexp", 1, ALL, sized=2)
along("softmax log_softmax cumsum cumprod logcumsumexp cummax cummin unbind select narrow unfold", 1, 0)
along("sort argsort mode", 1, -1)
along("glu", 1, -1)
along("topk kthvalue split chunk tensor_split split_with_sizes", 2, -1)
along("unsqueeze", 1, 0, extra=1)
along("unflatten", 1, 0)
for _name in ("split", "chunk", "tensor_split", "split_with_sizes"):
    along(_name, 2, 0)
along("flip", 1, ALL, sized=2)


@rule("max", "min")
def extremum(func, level, args, kwargs):
    if len(args) > 1 and isinstance(args[1], torch.Tensor) or "other" in kwargs:
        return elementwise(func, level, args, kwargs)
    return _extremum(func, level, args, kwargs)


def _extremum(func, level, args, kwargs):
    x = args[0]
    if not is_batched(x, level):
        return each_example(func, level, args, kwargs)
    if len(args) == 1 and not kwargs:
        value = x._value
        return put_back((torch.amax if func.__name__ == "max" else torch.amin)(value.reshape(value.shape[0], -1), 1), level)
    along("_extremum", 1, 0)
    return RULES["_extremum"](func, level, args, kwargs)


def shifts(names, positions, keys, defaults=()):
    """Views with several dimensions as separate arguments."""

    def run(func, level, args, kwargs):
        x, args, kwargs = args[0], list(args), dict(kwargs)
        n = rank(x)
        for position, key, default in zip(positions, keys, list(defaults) + [None] * len(positions)):
            given = kwargs[key] if key in kwargs else args[position] if len(args) > position else default
            if given is None:
                continue
            shifted = wrapped_dim(given, n) if isinstance(given, int) else [wrapped_dim(d, n) for d in given]
            if len(args) > position:
                args[position] = shifted
            else:
                kwargs[key] = shifted
        args[0] = x._value.unsqueeze(1) if n == 0 else x._value
        result = func(*args, **kwargs)
        return put_back(result.squeeze(1) if n == 0 and func.__name__ != "flatten" else result, level)

    for name in names.split():
        RULES[name] = run


shifts("transpose swapaxes swapdims", (1, 2), ("dim0", "dim1"))
shifts("flatten", (1, 2), ("start_dim", "end_dim"), (0, -1))
shifts("movedim moveaxis", (1, 2), ("source", "destination"))
shifts("diagonal", (2, 3), ("dim1", "dim2"), (0, 1))


@rule("t", "T.__get__", "mT.__get__", "H.__get__", "mH.__get__", "adjoint")
def transposed(func, level, args, kwargs):
    value, n = args[0]._value, rank(args[0])
    if n < 2:
        return wrap(value, level)
    out = value.transpose(-1, -2) if n == 2 or "m" in getattr(func, "__self__", func).__name__ else value.permute(
        0, *range(n, 0, -1)
    )
    name = getattr(getattr(func, "__self__", None), "__name__", "")
    return wrap(out.conj() if name in ("H", "mH") else out, level)


@rule("permute")
def permute(func, level, args, kwargs):
    dims = kwargs.get("dims", args[1:])
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    n = rank(args[0])
    return wrap(args[0]._value.permute(0, *(wrapped_dim(d, n) for d in dims)), level)


@rule("squeeze")
def squeeze(func, level, args, kwargs):
    value, n = args[0]._value, rank(args[0])
    dim = kwargs.get("dim", args[1] if len(args) > 1 else tuple(range(n)))
    dims = (dim,) if isinstance(dim, int) else dim
    drop = [wrapped_dim(d, n) for d in dims]
    return wrap(value.reshape([s for d, s in enumerate(value.shape) if d == 0 or d not in drop or s != 1]), level)


def _sizes(args, kwargs, key):
    given = kwargs[key] if key in kwargs else args[1:]
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else tuple(given)


@rule("reshape", "view")
def reshape(func, level, args, kwargs):
    if len(args) > 1 and isinstance(args[1], torch.dtype):
        return wrap(args[0]._value.view(args[1]), level)
    shape = _sizes(args, kwargs, "shape" if "shape" in kwargs else "size")
    value = args[0]._value
    if -1 in shape and value.numel() == 0:
        shape = torch.empty(args[0].shape, device="meta").reshape(shape).shape
    return wrap(value.reshape(value.shape[:1] + shape), level)


@rule("view_as", "reshape_as")
def view_as(func, level, args, kwargs):
    if not is_batched(args[0], level):
        return args[0].reshape(args[1].shape)
    return reshape(func, level, (args[0], tuple(args[1].shape)), {})


@rule("expand", "broadcast_to")
def expand(func, level, args, kwargs):
    size = _sizes(args, kwargs, "size")
    value, n = args[0]._value, rank(args[0])
    value = value.reshape(value.shape[:1] + (1,) * (len(size) - n) + value.shape[1:])
    return wrap(value.expand(value.shape[0], *size), level)


@rule("expand_as")
def expand_as(func, level, args, kwargs):
    if not is_batched(args[0], level):
        return args[0].expand(args[1].shape)
    return expand(func, level, (args[0], tuple(args[1].shape)), {})


@rule("repeat", "tile")
def repeat(func, level, args, kwargs):
    counts = _sizes(args, kwargs, "repeats" if "repeats" in kwargs else "dims")
    value, n = args[0]._value, rank(args[0])
    if len(counts) < n:
        counts = (1,) * (n - len(counts)) + counts
    value = value.reshape(value.shape[:1] + (1,) * (len(counts) - n) + value.shape[1:])
    return wrap(value.repeat(1, *counts), level)


@rule("tril", "triu", "diag_embed")
def last_dimensions(func, level, args, kwargs):
    if func.__name__ == "diag_embed" and len(args) > 2:
        return each_example(func, level, args, kwargs)
    return wrap(func(args[0]._value, *args[1:], **kwargs), level)


@rule("cat", "concat", "concatenate", "stack")
def joined(func, level, args, kwargs):
    args, kwargs = list(args), dict(kwargs)
    tensors = list(args[0]) if args else list(kwargs.pop("tensors"))
    dim = kwargs.pop("dim", args[1] if len(args) > 1 else 0)
    n = max(rank(x) for x in tensors)
    if func.__name__ != "stack":  # empty vectors may stand beside anything
        tensors = [x for x in tensors if n <= 1 or tuple(x.shape) != (0,)]
    values = [x._value if is_batched(x, level) else x.expand(level.size, *x.shape) for x in tensors]
    return wrap(func(values, wrapped_dim(dim, n, 1 if func.__name__ == "stack" else 0), **kwargs), level)


# ---- indices ----


@rule("__getitem__")
def get_item(func, level, args, kwargs):
    x, index = args
    index = index if isinstance(index, tuple) else (index,)
    tensors = [i for i in index if isinstance(i, torch.Tensor)]
    if any(i.dtype in (torch.bool, torch.uint8) for i in tensors):
        raise RuntimeError(
            "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over indexing"
            " with a boolean mask."
        )
    if not tensors and not any(isinstance(i, list) for i in index):
        return wrap(x._value[(slice(None), *index)], level)
    if all(isinstance(i, (torch.Tensor, int)) for i in index):
        # One index per leading dimension: beside them goes the number of the example.
        most = max(rank(i) for i in tensors)
        numbers = torch.arange(level.size).reshape(-1, *[1] * most)
        places = []
        for i in index:
            value = i._value if is_batched(i, level) else i
            if is_batched(i, level):
                value = value.reshape(value.shape[:1] + (1,) * (most - rank(i)) + value.shape[1:])
            places.append(value)
        return wrap(x._value[(numbers, *places)] if is_batched(x, level) else x[tuple(places)], level)
    return each_example(func, level, args, kwargs)


@rule("__setitem__", "index_put_", "scatter_", "scatter_add_", "index_add_", "index_copy_", "index_fill_", "masked_scatter_")
def write_examples(func, level, args, kwargs):
    if not is_batched(args[0], level):
        raise RuntimeError(_INPLACE_TEXT)
    each_example(lambda *a, **k: func(*a, **k) and None, level, args, kwargs)
    return args[0]


@rule("gather", "take_along_dim", "scatter", "scatter_add")
def gather(func, level, args, kwargs):
    if kwargs or len(args) < 3 or not isinstance(args[1], int) or any(rank(x) == 0 for x in (args[0], args[2])):
        return each_example(func, level, args, kwargs)
    n = rank(args[0])
    out = [a._value if is_batched(a, level) else a for a in args]
    for i in (0, 2, 3):
        if i < len(args) and isinstance(args[i], torch.Tensor) and not is_batched(args[i], level):
            out[i] = args[i].expand(level.size, *args[i].shape)
    out[1] = wrapped_dim(args[1], n)
    return wrap(func(*out), level)


@rule("index_select")
def index_select(func, level, args, kwargs):
    if kwargs or not is_batched(args[0], level) or is_batched(args[2], level) or rank(args[0]) == 0:
        return each_example(func, level, args, kwargs)
    return wrap(args[0]._value.index_select(wrapped_dim(args[1], rank(args[0])), args[2]), level)


# ---- products ----


def product(a, b, level):
    """matmul of examples as one matmul."""
    n, m = rank(a), rank(b)
    if n == 0 or m == 0:
        raise RuntimeError("both arguments to matmul need to be at least 1D, but they are " f"{n}D and {m}D")
    most = max(n, m, 2)

    def matrices(x, own, vector_dim):
        value = x._value if is_batched(x, level) else x
        if own == 1:
            value = value.unsqueeze(vector_dim)
        if is_batched(x, level):
            value = value.reshape(value.shape[:1] + (1,) * (most - max(own, 2)) + value.shape[1:])
        return value

    out = torch.matmul(matrices(a, n, -2), matrices(b, m, -1))
    if n == 1:
        out = out.squeeze(-2)
    return wrap(out.squeeze(-1) if m == 1 else out, level)


@rule("matmul", "mm", "bmm", "mv", "dot", "__matmul__", "vdot", "inner")
def matmul(func, level, args, kwargs):
    name = func.__name__
    if kwargs or name in ("vdot", "inner") and not (rank(args[0]) == rank(args[1]) == 1):
        return each_example(func, level, args, kwargs)
    with _C.DisableTorchFunction():
        if name not in ("__matmul__",):  # shapes that do not fit raise in the operator's own words
            func(*(torch.empty(a.shape, dtype=a.dtype, device="meta") for a in args))
    if name == "vdot":
        args = (args[0].conj(), args[1])
    return product(*args, level)


@rule("outer", "ger")
def outer(func, level, args, kwargs):
    a, b = args
    return a.unsqueeze(-1) * b.unsqueeze(-2)


@rule("linear")
def linear(func, level, args, kwargs):
    x, weight, *rest = args
    bias = rest[0] if rest else kwargs.get("bias")
    if not is_batched(weight, level) and not is_batched(bias, level):
        return wrap(func(x._value, weight, bias), level)
    if rank(weight) != 2:
        return each_example(func, level, args, kwargs)
    out = torch.matmul(x, weight.transpose(0, 1))
    return out if bias is None else out + bias


@rule("addmm", "addmv", "baddbmm")
def add_product(func, level, args, kwargs):
    if is_batched(kwargs.get("alpha", 1)) or is_batched(kwargs.get("beta", 1)) or len(args) != 3:
        return each_example(func, level, args, kwargs)
    out = torch.matmul(args[1], args[2])
    alpha, beta = kwargs.get("alpha", 1), kwargs.get("beta", 1)
    out = out if alpha == 1 else out * alpha
    return out + args[0] if beta == 1 else out if beta == 0 else out + beta * args[0]


@rule("einsum")
def einsum(func, level, args, kwargs):
    equation, *operands = args
    operands = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    if not isinstance(equation, str) or "." in equation:
        return each_example(func, level, args, kwargs)
    left, arrow, right = equation.replace(" ", "").partition("->")
    letter = next(c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation)
    if not arrow:
        letters = left.replace(",", "")
        right = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    terms = [letter + t if is_batched(x, level) else t for t, x in zip(left.split(","), operands)]
    values = [x._value if is_batched(x, level) else x for x in operands]
    return wrap(torch.einsum(f"{','.join(terms)}->{letter}{right}", *values), level)


# ---- network operators ----


def folded(spatial):
    """Operators on (N, C, ...) or (C, ...): the examples join N."""

    def run(func, level, args, kwargs):
        x = args[0] if args else None
        others = flatten([list(args[1:]), list(kwargs.values())])[0]
        if not is_batched(x, level) or any(is_batched(a, level) for a in others):
            return each_example(func, level, args, kwargs)
        value = x._value
        if rank(x) == spatial + 1:
            return put_back(func(value, *args[1:], **kwargs), level)
        if rank(x) != spatial + 2:
            return each_example(func, level, args, kwargs)
        result = func(value.flatten(0, 1), *args[1:], **kwargs)
        leaves, spec = flatten(result)
        return put_back(unflatten([t.unflatten(0, tuple(value.shape[:2])) for t in leaves], spec), level)

    return run


for _dims in (1, 2, 3):
    for _name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"):
        RULES[f"{_name}{_dims}d"] = folded(_dims)


def convolution(spatial):
    fold = folded(spatial)
    names = ("bias", "stride", "padding", "dilation", "groups")

    def run(func, level, args, kwargs):
        options = dict(zip(names, args[2:])) | kwargs
        x, weight, bias = args[0], args[1], options.pop("bias", None)
        if not is_batched(weight, level) and not is_batched(bias, level):
            return fold(func, level, args, kwargs)
        if rank(x) != spatial + 2:
            x = x.unsqueeze(0)
            return run(func, level, (x, *args[1:]), kwargs).squeeze(0)
        # Weights of each example are groups of one convolution.
        size, groups = level.size, options.pop("groups", 1)
        weights = weight._value if is_batched(weight, level) else weight.expand(size, *weight.shape)
        values = x._value if is_batched(x, level) else x.expand(size, *x.shape)
        out = func(values.transpose(0, 1).flatten(1, 2), weights.flatten(0, 1), None, groups=groups * size, **options)
        out = wrap(out.unflatten(1, (size, -1)).movedim(1, 0), level)
        return out if bias is None else out + bias.reshape(-1, *[1] * spatial)

    return run


for _dims in (1, 2, 3):
    RULES[f"conv{_dims}d"] = convolution(_dims)


@rule("layer_norm", "rms_norm")
def layer_norm(func, level, args, kwargs):
    names = ("weight", "bias", "eps") if func.__name__ == "layer_norm" else ("weight", "eps")
    options = dict(zip(names, args[2:])) | kwargs
    weight, bias = options.get("weight"), options.get("bias")
    if not is_batched(args[0], level):
        return each_example(func, level, args, kwargs)
    if is_batched(weight, level) or is_batched(bias, level):
        eps = {"eps": options["eps"]} if "eps" in options else {}
        out = wrap(func(args[0]._value, args[1], **eps), level)
        out = out if weight is None else out * weight
        return out if bias is None else out + bias
    return wrap(func(args[0]._value, args[1], **options), level)


@rule("embedding")
def embedding(func, level, args, kwargs):
    a, b = args[:2]
    index, weight, swapped = (a, b, False) if not a.is_floating_point() else (b, a, True)
    if len(args) > 2 or kwargs:
        rest = [v for v in list(args[2:]) + list(kwargs.values()) if v not in (None, False, -1, 2.0)]
        if rest:
            return each_example(func, level, args, kwargs)
    if not is_batched(weight, level):
        value = index._value
        return wrap(func(weight, value) if swapped else func(value, weight), level)
    rows = weight.shape[0]
    numbers = wrap(torch.arange(level.size) * rows, level)
    moved = (index + numbers)._value
    table = weight._value.flatten(0, 1)
    return wrap(func(table, moved) if swapped else func(moved, table), level)


# ---- attributes and questions ----


@rule("size", "__len__", "dim", "numel", "nelement", "ndimension", "is_floating_point", "is_complex", "is_signed",
      "element_size", "shape.__get__", "ndim.__get__", "dtype.__get__", "layout.__get__", "itemsize.__get__",
      "is_same_size", "_is_view", "is_conj", "is_inference", "get_device", "is_nonzero.never", "result_type", "__hash__",
      "is_sparse.__get__", "is_quantized.__get__", "is_meta.never")  # fmt: skip
def of_one_example(func, level, args, kwargs):
    with _C.DisableTorchFunction():
        return func(*args, **kwargs)


@rule("device.__get__", "requires_grad.__get__", "is_leaf.__get__", "grad_fn.__get__", "is_cpu.__get__", "is_meta.__get__",
      "is_cuda.__get__", "output_nr.__get__", "_version.__get__")  # fmt: skip
def of_all_examples(func, level, args, kwargs):
    return func(args[0]._value)


@rule("grad.__get__", "_base.__get__")
def nothing(func, level, args, kwargs):
    return None


@rule("masked_fill")
def masked_fill(func, level, args, kwargs):
    x, mask, value = (*args, *kwargs.values())
    if not isinstance(value, torch.Tensor):
        return elementwise(func, level, args, kwargs)
    return torch.where(mask, value.to(x.dtype), x)


@rule("masked_select")
def masked_select(func, level, args, kwargs):
    if is_batched(args[1], level):
        dynamic(func, level, args, kwargs)
    return each_example(func, level, args, kwargs)


@rule("as_strided")
def as_strided(func, level, args, kwargs):
    value = args[0]._value
    size, stride, *offset = (*args[1:], *kwargs.values())
    start = value.storage_offset() if not offset or offset[0] is None else offset[0]
    rows = [value.select(0, i).as_strided(size, stride, start + i * value.stride(0)) for i in range(level.size)]
    return wrap(torch.stack(rows), level)


@rule("real.__get__", "imag.__get__")
def part(func, level, args, kwargs):
    return wrap(func(args[0]._value), level)


@rule("data.__get__", "data.__set__")
def data(func, level, args, kwargs):
    raise RuntimeError("accessing `data` under vmap transform is not allowed")


@rule("new_tensor")
def new_tensor(func, level, args, kwargs):
    return func(args[0]._value, *args[1:], **kwargs)


@rule("new_zeros", "new_ones", "new_full", "new_empty")
def new(func, level, args, kwargs):
    kwargs = dict(kwargs)
    rest = [args[2]] if func.__name__ == "new_full" and len(args) > 2 else []
    size = _sizes(args[: 2 if rest else None], kwargs, "size")
    kwargs.pop("size", None)
    return wrap(func(args[0]._value, (level.size, *size), *rest, **kwargs), level)


@rule("stride", "is_contiguous", "storage_offset")
def layout(func, level, args, kwargs):
    return func(args[0]._value.select(0, 0), *args[1:], **kwargs)


@rule("allclose", "equal")
def decides(func, level, args, kwargs):
    args[0].__bool__()


def dynamic(func, level, args, kwargs):
    raise RuntimeError(DYNAMIC.format("nonzero" if func.__name__ == "argwhere" else func.__name__))


RULES["nonzero"] = RULES["argwhere"] = dynamic


# ---- random numbers ----

RANDOM_FACTORIES = set("rand randn randint randperm normal".split())
RANDOM_INPLACE = set(
    "normal_ uniform_ random_ bernoulli_ exponential_ geometric_ cauchy_ log_normal_ dropout_ alpha_dropout_".split()
)
_ERROR = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness"
    " flags on vmap or perform the randomness operation out of vmap"
)


def random_factory(func, level, args, kwargs):
    if level.randomness == "error":
        raise RuntimeError(_ERROR)
    if level.randomness == "same":
        return func(*args, **kwargs)
    draws = [func(*args, **kwargs) for _ in range(level.size)] if func.__name__ in ("randperm", "normal") else None
    if draws is not None:
        return wrap(torch.stack(draws), level)
    name, args, kwargs = func.__name__, list(args), dict(kwargs)
    bounds = [args.pop(0) for _ in range(sum(isinstance(a, int) for a in args))] if name == "randint" else []
    size = kwargs.pop("size", args[0] if args and not isinstance(args[0], int) else tuple(args))
    return wrap(func(*bounds, (level.size, *size), **kwargs), level)


def random_inplace(func, level, args, kwargs):
    if level.randomness == "error":
        raise RuntimeError(_ERROR)
    if level.randomness == "different":
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same"
            " randomness. If this is necessary for your usage, please file an issue with functorch."
        )
    return func(*args, **kwargs)


@rule("dropout", "dropout_", "bernoulli", "alpha_dropout", "feature_dropout", "multinomial", "rand_like", "randn_like",
      "randint_like", "poisson", "rrelu", "normal", *RANDOM_INPLACE)  # fmt: skip
def random_operator(func, level, args, kwargs):
    training = kwargs.get("training", True if len(args) < 3 else args[2])
    if func.__name__ in ("dropout", "alpha_dropout", "feature_dropout") and not training:
        return args[0]
    if level.randomness == "error":
        raise RuntimeError(_ERROR)
    if level.randomness == "different":
        if is_batched(args[0], level) and func.__name__ != "multinomial":
            result = func(args[0]._value, *args[1:], **kwargs)
            return args[0] if is_inplace(func.__name__) else wrap(result, level)
        return each_example(func, level, args, kwargs)
    if func.__name__ in ("bernoulli", "poisson", "multinomial"):
        raise RuntimeError(
            "Vmap does not currently support same randomness with a batched tensor input. Please file an issue with"
            " functorch"
        )
    state = torch.get_rng_state()

    def again(*a, **k):
        torch.set_rng_state(state)
        return func(*a, **k)

    return each_example(again, level, args, kwargs)
