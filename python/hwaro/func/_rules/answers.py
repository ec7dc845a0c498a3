"""Batching rules of attributes, questions, and random operators."""

import hwaro as torch
from hwaro import _C
from hwaro.func._batched import DYNAMIC, each_example, is_batched, wrap
from hwaro.func._rules.kinds import RULES, elementwise, is_inplace, rule, sizes


@rule("size", "__len__", "dim", "numel", "nelement", "ndimension", "is_floating_point", "is_complex", "is_signed",
      "element_size", "shape.__get__", "ndim.__get__", "dtype.__get__", "layout.__get__", "itemsize.__get__",
      "is_same_size", "_is_view", "is_conj", "is_inference", "get_device", "result_type", "__hash__",
      "is_sparse.__get__", "is_quantized.__get__")  # fmt: skip
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
    size = sizes(args[: 2 if rest else None], kwargs, "size")
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
