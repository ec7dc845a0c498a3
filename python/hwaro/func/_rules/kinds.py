"""Batching rules: how they are found, and those of elementwise operators and of operators along dimensions."""

import functools

import hwaro as torch
from hwaro import _C
from hwaro.func._batched import each_example, is_batched, rank, rewrap
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


def sizes(args, kwargs, key):
    given = kwargs[key] if key in kwargs else args[1:]
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else tuple(given)


# ---- elementwise: pad the examples to one number of dimensions ----

_ELEMENTWISE = """
clone detach contiguous to type type_as float double half bfloat16 int long short char byte bool cfloat cdouble cpu
conj resolve_conj resolve_neg positive where masked_fill masked_fill_ lerp lerp_ addcmul addcmul_ addcdiv addcdiv_ clamp
clamp_ clamp_min clamp_max clip clip_ zero_ fill_ copy_ nan_to_num isclose zeros_like ones_like full_like empty_like
threshold hardtanh gelu silu mish elu selu celu softplus softsign logsigmoid leaky_relu relu relu_ relu6 hardswish
hardsigmoid hardshrink softshrink tanhshrink sigmoid tanh rrelu prelu_elementwise floor_divide true_divide real imag
__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __and__ __or__ __xor__ __invert__ __rsub__ __rpow__ __rtruediv__ __rfloordiv__
__rmod__ __iadd__ __isub__ __imul__ __itruediv__ __add__ __sub__ __mul__ __truediv__ __pow__ __neg__ __abs__ complex polar
_to_copy square_
""".split()

INPLACE = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that"
    " has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in"
    " a vmap. Please try to use out-of-place operators instead of inplace arithmetic. If said operator is being called"
    " inside the PyTorch framework, please file a bug report instead."
)


def is_inplace(name):
    return (name.endswith("_") and not name.endswith("__")) or name.startswith("__i") and name != "__invert__"


def check_written(name, level, target):
    if is_inplace(name) and not is_batched(target, level):
        raise RuntimeError(INPLACE)


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
