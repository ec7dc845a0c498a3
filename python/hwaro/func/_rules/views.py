"""Batching rules of views, joins and indices."""

import hwaro as torch
from hwaro.func._batched import each_example, is_batched, rank, wrap
from hwaro.func._rules.kinds import INPLACE, RULES, put_back, rule, sizes, wrapped_dim


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


@rule("reshape", "view")
def reshape(func, level, args, kwargs):
    if len(args) > 1 and isinstance(args[1], torch.dtype):
        return wrap(args[0]._value.view(args[1]), level)
    shape = sizes(args, kwargs, "shape" if "shape" in kwargs else "size")
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
    size = sizes(args, kwargs, "size")
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
    counts = sizes(args, kwargs, "repeats" if "repeats" in kwargs else "dims")
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
        raise RuntimeError(INPLACE)
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
