"""A look into the graph: nodes, edges, hooks on what it saves and on several gradients at once."""

import abc
import contextlib
import functools
import threading
import weakref
from typing import NamedTuple, Optional

from hwaro import _C

__all__ = [
    "saved_tensors_hooks",
    "save_on_cpu",
    "disable_saved_tensors_hooks",
    "register_multi_grad_hook",
    "Node",
    "GradientEdge",
    "get_gradient_edge",
    "increment_version",
    "allow_mutation_on_saved_tensors",
]


class _NodeMeta(abc.ABCMeta):
    def __instancecheck__(cls, instance):
        return isinstance(instance, _C.Node)

    def __subclasscheck__(cls, subclass):
        return subclass is Node or issubclass(subclass, _C.Node)


class Node(metaclass=_NodeMeta):
    """A node of the graph, as in tensor.grad_fn: name(), next_functions, metadata, hooks."""


class GradientEdge(NamedTuple):
    """Where a gradient goes: output `output_nr` of a node. May stand for a tensor in grad() and backward()."""

    node: Node
    output_nr: int
    ownership_token: Optional[Node] = None


def get_gradient_edge(tensor):
    """The edge that the gradient of a tensor goes through."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*_C.gradient_edge(tensor))


def increment_version(tensor):
    """Counts a write to a tensor (or to each of several) that was made behind autograd's back."""
    for t in (tensor,) if isinstance(tensor, _C.Tensor) else tensor:
        _C._bump_version(t)


_local = threading.local()


class saved_tensors_hooks:
    """What the graph saves inside goes through pack_hook, and through unpack_hook when it is needed again."""

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self):
        message = getattr(_local, "disabled", None)
        if message is not None:
            raise RuntimeError(message)
        _C.push_saved_tensor_hooks(self.pack_hook, self.unpack_hook)
        _local.active = getattr(_local, "active", 0) + 1

    def __exit__(self, *args):
        _local.active -= 1
        _C.pop_saved_tensor_hooks()


class save_on_cpu(saved_tensors_hooks):
    """What the graph saves inside is kept in the memory of the CPU."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        def pack(tensor):
            return tensor.device, tensor.detach().cpu()

        def unpack(packed):
            device, tensor = packed
            return tensor.to(device)

        super().__init__(pack, unpack)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message):
    """Inside, saved_tensors_hooks raises RuntimeError(error_message)."""
    before = getattr(_local, "disabled", None)
    if getattr(_local, "active", 0):
        raise RuntimeError(error_message)
    _local.disabled = error_message
    try:
        yield
    finally:
        _local.disabled = before


class _Handles:
    """Handles of several hooks as one."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls fn once per backward pass: with all gradients when they are there, or (mode="any") with the first."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    tensors = tuple(tensors)
    nodes = [_node_of(t) for t in tensors]
    lock = threading.Lock()
    passes = {}  # number of a pass -> gradients that have come (all), or True (any)

    def all_hook(index, grad):
        number = _C._current_graph_task_id()
        if number == -1:
            raise AssertionError("expected this hook to be called inside a backward call")
        with lock:
            if number not in passes:
                passes[number] = [sum(map(_C._will_engine_execute_node, nodes)), [None] * len(tensors)]
            state = passes[number]
            state[0] -= 1
            state[1][index] = grad
            done = state[0] == 0
            if done:
                del passes[number]
        if done:
            fn(state[1])

    def any_hook(index, grad):
        number = _C._current_graph_task_id()
        with lock:
            first = number not in passes
            passes.clear()
            passes[number] = True
        if first:
            fn(grad)

    hook = all_hook if mode == "all" else any_hook
    return _Handles(t.register_hook(functools.partial(hook, i)) for i, t in enumerate(tensors))


def _node_of(tensor):
    if not tensor.requires_grad:
        raise AssertionError("Expected gradient function to be set")
    return _C.gradient_edge(tensor)[0]


class _Saved:
    """Stands for one saved tensor while the copies of it live."""


class _AllowMutationOnSavedContext:
    """The copies that allow_mutation_on_saved_tensors keeps."""

    def __init__(self):
        self.copies = weakref.WeakKeyDictionary()

    def clear(self):
        self.copies.clear()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Inside, tensors that the graph saved may be written to in place: it keeps copies. Yields what holds them."""
    context = _AllowMutationOnSavedContext()

    def pack(tensor):
        key = _Saved()
        context.copies[key] = tensor.detach().clone()
        return key

    def unpack(key):
        if key not in context.copies:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was"
                " originally recorded."
            )
        return context.copies[key]

    if getattr(_local, "mutation", False):
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    _local.mutation = True
    try:
        with saved_tensors_hooks(pack, unpack):
            yield context
    finally:
        context.clear()
        _local.mutation = False
