"""Modules as functions of their parameters."""

import contextlib
import copy

import hwaro as torch


@contextlib.contextmanager
def _swapped(module, tensors):
    """The module with other parameters and buffers for a while; names that it does not have are left out."""
    before = []
    try:
        for name, tensor in tensors.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            if not isinstance(tensor, torch.Tensor):
                raise TypeError(f"{tensor} is not an instance of torch.Tensor")
            table = owner._parameters if last in owner._parameters else owner._buffers
            before.append((table, last, table[last]))
            table[last] = tensor
        yield
    finally:
        for table, last, tensor in reversed(before):
            table[last] = tensor


def _joined(dicts):
    if isinstance(dicts, dict):
        return dict(dicts)
    if not isinstance(dicts, (list, tuple)):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
        )
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    keys = [key for d in dicts for key in d]
    repeated = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {key: value for d in dicts for key, value in d.items()}


def _tied(own, tensors):
    """tensors with those under the other names of what is known under several."""
    groups = {}
    for name, held in own.items():
        groups.setdefault(id(held), []).append(name)
    for names in groups.values():
        given = [name for name in names if name in tensors]
        if len({id(tensors[name]) for name in given}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(given)}, which are tied. Consider using"
                " tie_weights=False"
            )
        if given:
            tensors.update(dict.fromkeys(names, tensors[given[0]]))
    return tensors


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """module(*args, **kwargs) with the given tensors in place of its parameters and buffers."""
    tensors = _joined(parameter_and_buffer_dicts)
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    if tie_weights:
        tensors = _tied(own, tensors)
    if strict:
        problems = [
            f"\n\t{text} key(s): {', '.join(map(repr, sorted(names)))}."
            for text, names in (("Unexpected", set(tensors) - set(own)), ("Missing", set(own) - set(tensors)))
            if names
        ]
        if problems:
            raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:{''.join(problems)}")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(module, {name: tensor for name, tensor in tensors.items() if name in own}):
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
