"""Batched tensors: what a function under vmap sees of a tensor that has one more dimension, which is not its business.

A BatchedTensor has the shape of one example. It holds the tensor of all examples, whose first dimension numbers them, and
the level of the vmap that made it. Calls with batched tensors come to __torch_function__ (from the parser of operators),
which picks the rule of the operator's kind (_rules) for the innermost level. An operator without a rule runs
once per example. The tensors that are held are recorded by autograd as usual, so derivatives of batched tensors are those
of the tensors of all examples.
"""

from typing import NamedTuple

import hwaro as torch
from hwaro import _C
from hwaro.func._tree import broadcast_prefix, flatten, unflatten
from hwaro.overrides import TorchFunctionMode


class Level:
    """One vmap that is running: how many examples, and what random operators are to do."""

    def __init__(self, number, size, randomness):
        self.number, self.size, self.randomness = number, size, randomness


levels = []

DYNAMIC = (
    "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::{}. Please file"
    " an issue at https://github.com/pytorch/pytorch/issues if you need this feature."
)


class BatchedTensor(torch.Tensor):
    """A tensor of one example, of which there are many."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return dispatch(func, args, kwargs or {})

    def __repr__(self, *, tensor_contents=None):
        inner = "\n".join("    " + line for line in repr(self._value).splitlines())
        return f"BatchedTensor(lvl={self._level.number}, bdim=0, value=\n{inner}\n)"

    def __deepcopy__(self, memo):
        return wrap(self._value.clone(), self._level)

    def __format__(self, spec):
        return repr(self)

    def __bool__(self):
        raise RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support"
            " that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
        )

    def item(self):
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a"
            " Tensor, please try to rewrite what you're doing with other operations. If error is occurring somewhere"
            " inside PyTorch internals, please file a bug report."
        )

    def __float__(self):
        self.item()

    def __int__(self):
        self.item()

    def __index__(self):
        self.item()

    def __complex__(self):
        self.item()

    def tolist(self):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    def numpy(self, **kwargs):
        self.tolist()

    def __array__(self, *args, **kwargs):
        self.tolist()

    def data_ptr(self):
        self.tolist()

    def storage(self):
        self.tolist()

    def untyped_storage(self):
        self.tolist()

    def requires_grad_(self, requires_grad=True):
        raise RuntimeError(
            "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs)"
            " inside of a function being transformed by a functorch transform. This is unsupported, please attempt to use"
            " the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a"
            " function being transformed instead."
        )

    def backward(self, *args, **kwargs):
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or"
            " functorch.vjp instead or call backward() outside of functorch transforms."
        )

    def unique(self, *args, **kwargs):
        raise RuntimeError(DYNAMIC.format("_unique2"))

    def unique_consecutive(self, *args, **kwargs):
        raise RuntimeError(DYNAMIC.format("unique_consecutive"))

    def __iter__(self):
        if len(self.shape) == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))


BatchedTensor.__name__ = "Tensor"


def wrap(value, level):
    """A batched tensor over `value`, whose first dimension numbers the examples."""
    with _C.DisableTorchFunction():
        shape = value.shape if not isinstance(value, BatchedTensor) else tuple(_C.Tensor.size(value))
        out = _C._as_subclass(torch.empty(tuple(shape)[1:], dtype=_dtype(value), device="meta"), BatchedTensor)
    out._value, out._level = value, level
    return out


def _dtype(value):
    return _C.Tensor.dtype.__get__(value)


def is_batched(x, level=None):
    return isinstance(x, BatchedTensor) and (level is None or x._level is level)


def rank(x):
    """The number of dimensions of one example."""
    with _C.DisableTorchFunction():
        return _C.Tensor.dim(x)


def innermost(leaves):
    """The innermost level of the batched tensors among leaves."""
    return max((x._level for x in leaves if isinstance(x, BatchedTensor)), key=lambda level: level.number)


def example(x, level, i):
    """Example i of a batched tensor; anything else as it is."""
    return x._value.select(0, i) if is_batched(x, level) else x


def rewrap(result, level):
    """The tensors of a result as batched tensors."""
    if isinstance(result, torch.Tensor):
        return wrap(result, level)
    if isinstance(result, (tuple, list)):
        parts = [rewrap(part, level) for part in result]
        return type(result)(parts)
    return result


def each_example(func, level, args, kwargs):
    """The rule for operators without one: a call per example."""
    leaves, spec = flatten((list(args), dict(kwargs)))
    results = []
    for i in range(level.size):
        one, named = unflatten([example(leaf, level, i) for leaf in leaves], spec)
        results.append(func(*one, **named))
    if not results:
        raise RuntimeError("vmap: an operator without a batching rule cannot run over zero examples")
    return stacked(results, level)


def stacked(results, level):
    first = results[0]
    if isinstance(first, torch.Tensor):
        return wrap(torch.stack(results), level)
    if isinstance(first, (tuple, list)):
        return type(first)([stacked(list(column), level) for column in zip(*results)])
    return first


def dispatch(func, args, kwargs):
    """Runs a call with batched tensors by the rule of its operator."""
    from hwaro.func._rules import rule_for

    leaves, _ = flatten((list(args), list(kwargs.values())))
    level = innermost(leaves)
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        name = f"{func.__self__.__name__}.{name}"
    return rule_for(name)(func, level, args, kwargs)


class RandomMode(TorchFunctionMode):
    """Shows random operators without batched arguments to the vmap that is running."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        from hwaro.func._rules import RANDOM_FACTORIES, RANDOM_INPLACE, random_factory, random_inplace

        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if levels and name in RANDOM_FACTORIES and not any(map(is_batched, flatten(list(args))[0])):
            return random_factory(func, levels[-1], args, kwargs)
        if levels and name in RANDOM_INPLACE and args and not is_batched(args[0]):
            return random_inplace(func, levels[-1], args, kwargs)
        return func(*args, **kwargs)


# ---- autograd.Function ----


class VmapInfo(NamedTuple):
    """What the vmap() of an autograd.Function is told."""

    batch_size: int
    randomness: str


def apply_function(cls, base, args, kwargs):
    """Cls.apply() with batched arguments: by its own vmap(), or once per example."""
    if cls.setup_context is base.setup_context:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must"
            " override the setup_context staticmethod. For more details, please see"
            " https://pytorch.org/docs/main/notes/extending.func.html"
        )
    level = innermost(flatten((list(args), dict(kwargs)))[0])
    own = cls.vmap is not base.vmap
    if own and cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap"
            " staticmethod. Please set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid"
            " ambiguity. For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
        )
    if cls.generate_vmap_rule:
        return each_example(cls.apply, level, args, kwargs)
    if not own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement the"
            " vmap staticmethod or set generate_vmap_rule=True. For more details, please see"
            " https://pytorch.org/docs/main/notes/extending.func.html"
        )
    in_dims = tuple(0 if is_batched(a, level) else None for a in args)
    values = [a._value if is_batched(a, level) else a for a in args]
    output, out_dims = cls.vmap(VmapInfo(level.size, level.randomness), in_dims, *values)
    leaves, spec = flatten(output)
    places = broadcast_prefix(out_dims, spec)
    return unflatten([x if d is None else wrap(x.movedim(d, 0), level) for x, d in zip(leaves, places)], spec)


# ---- for derivatives inside vmap ----


def under_levels(x):
    """x as a tensor that is batched at every level that runs: with gradients per example."""
    for level in levels:
        x = _expanded(x, level)
    return x


def _expanded(x, level):
    """x batched at `level` too, below the levels inside of it."""
    if is_batched(x) and x._level.number > level.number:
        value = x._value
        inner = _expanded(value, level)
        if inner is value:
            return x
        return wrap(inner, x._level)
    if is_batched(x, level):
        return x
    return wrap(x.expand(level.size, *x.shape), level)


def plain(x):
    """(the tensor of all examples of all levels, how to wrap it again)."""
    path = []
    while isinstance(x, BatchedTensor):
        path.append(x._level)
        x = x._value
    return x, path


def like(x, other):
    """x batched at least where other is."""
    for level in plain(other)[1]:
        x = _expanded(x, level)
    return x


def pick(x, level, i):
    """x with example i at a level."""
    if is_batched(x, level):
        return x._value.select(0, i)
    return wrap(pick(x._value, level, i), x._level) if isinstance(x, BatchedTensor) else x


def rewrapped(x, path):
    for level in reversed(path):
        x = wrap(x, level)
    return x
