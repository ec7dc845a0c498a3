"""Batching rules of products and network operators."""

import hwaro as torch
from hwaro import _C
from hwaro.func._batched import each_example, is_batched, rank, wrap
from hwaro.func._rules.kinds import RULES, put_back, rule
from hwaro.func._tree import flatten, unflatten


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
