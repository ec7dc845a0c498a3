"""Modules as functions of their parameters."""

import contextlib
import copy

import hwaro as torch


@contextlib.contextmanager
def _swapped(module, tensors):
    """The module with other parameters and buffers for a while."""
    before = []
    try:
        for name, tensor in tensors.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path) if path else module
            table = owner._parameters if last in owner._parameters else owner._buffers
            if last not in table:
                raise KeyError(f"functional_call got unexpected key {name}")
            before.append((table, last, table[last]))
            table[last] = tensor
        yield
    finally:
        for table, last, tensor in reversed(before):
            table[last] = tensor


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """module(*args, **kwargs) with the given tensors in place of its parameters and buffers."""
    if isinstance(parameter_and_buffer_dicts, (list, tuple)):
        tensors = {}
        for d in parameter_and_buffer_dicts:
            for key in d:
                if key in tensors:
                    raise ValueError(f"{key} appears twice in the given dictionaries")
            tensors.update(d)
    elif isinstance(parameter_and_buffer_dicts, dict):
        tensors = dict(parameter_and_buffer_dicts)
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got"
            f" {type(parameter_and_buffer_dicts)}"
        )
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    if strict and set(own) - set(tensors):
        raise RuntimeError(f"Missing key(s): {', '.join(map(repr, sorted(set(own) - set(tensors))))}.")
    if tie_weights:
        # A tensor known under several names is replaced everywhere.
        for name, tensor in list(tensors.items()):
            for other, held in own.items():
                if name in own and held is own[name] and other not in tensors:
                    tensors[other] = tensor
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(module, tensors):
        return module(*args, **(kwargs or {}))


def stack_module_state(models):
    """(parameters, buffers) of several modules of one class, stacked, for vmap over an ensemble."""
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")

    def stacked(states, leaf):
        out = {}
        for key in states[0]:
            tensors = [s[key] for s in states]
            out[key] = torch.stack([t.detach() if leaf else t for t in tensors])
            if leaf:
                out[key].requires_grad_(tensors[0].requires_grad)
        return out

    return (
        stacked([dict(m.named_parameters()) for m in models], True),
        stacked([dict(m.named_buffers()) for m in models], False),
    )


def make_functional(module):
    """(function, parameters): an old way to write functional_call."""
    bare = copy.deepcopy(module)
    names = [name for name, _ in module.named_parameters()]
    return (lambda params, *args, **kwargs: functional_call(bare, dict(zip(names, params)), args, kwargs)), tuple(
        module.parameters()
    )
