"""The slow half of calling a Module: forward hooks, backward hooks, and the hooks shared by all modules."""
import warnings
from collections import OrderedDict

import hwaro as torch
from hwaro.utils.hooks import RemovableHandle

forward_pre_hooks = OrderedDict()
forward_hooks = OrderedDict()
forward_hooks_with_kwargs = OrderedDict()
forward_hooks_always_called = OrderedDict()
backward_pre_hooks = OrderedDict()
backward_hooks = OrderedDict()
parameter_registration_hooks = OrderedDict()
buffer_registration_hooks = OrderedDict()
module_registration_hooks = OrderedDict()
full_backward = None  # Whether the shared backward hooks are full (True), of the old kind (False) or not there (None).


def register(hooks, hook, *flags, prepend=False):
    """Put hook into hooks, and its id into each dict of flags."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        for table in (hooks, *flags):
            table.move_to_end(handle.id, last=False)
    return handle


def filtered(hooks, module, name, value):
    """value, or what the registration hooks replace it by."""
    for hook in hooks.values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


_NO_INPUT_GRADIENT = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
    "#torch.nn.Module.register_full_backward_hook for more details.")

_gate_class = None


def _gate(inputs, on_backward):
    """Pass tensors through one node of the graph whose backward is on_backward(grads) -> grads."""
    global _gate_class
    if _gate_class is None:
        class BackwardHookFunction(torch.autograd.Function):
            @staticmethod
            def forward(ctx, action, *tensors):
                ctx.set_materialize_grads(False)
                ctx.action = action
                ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
                return tensors

            @staticmethod
            def backward(ctx, *grads):
                return (None, *ctx.action(grads))

        _gate_class = BackwardHookFunction
    return _gate_class.apply(on_backward, *inputs)


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


class FullBackwardHooks:
    """One call's gradients: those of the outputs are caught in one node, those of the inputs in another."""

    def __init__(self, module, hooks, pre_hooks):
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs = None
        self.n_inputs = -1
        self.has_input_gate = False
        self.input_index = ()

    def setup_inputs(self, args):
        """args with its tensors replaced by copies that report their gradients."""
        def on_backward(grads):
            if self.grad_outputs is None:
                return grads
            full = [None] * self.n_inputs
            for where, grad in zip(self.input_index, grads):
                full[where] = grad
            full = self._run(tuple(full))
            self.grad_outputs = None
            return tuple(full[where] for where in self.input_index)

        args, self.input_index, self.has_input_gate = self._wrap(args, on_backward)
        self.n_inputs = len(args)
        return args

    def setup_output(self, result):
        def on_backward(grads):
            full = [None] * length
            for where, grad in zip(index, grads):
                full[where] = grad
            full = tuple(full)
            for hook in self.pre_hooks:
                changed = hook(self.module, full)
                if changed is not None:
                    full = _as_tuple(changed)
                    if len(full) != length:
                        raise RuntimeError("Backward pre hook returned an invalid number of grad_output, "
                                           f"got {len(full)}, but expected {length}")
            self.grad_outputs = full
            if not self.has_input_gate:
                # No input needs a gradient, so this node is the last that sees this call.
                if self.hooks:
                    warnings.warn(_NO_INPUT_GRADIENT)
                self._run((None,) * max(self.n_inputs, 0), changeable=False)
                self.grad_outputs = None
            return tuple(full[where] for where in index)

        is_tuple = isinstance(result, tuple)
        if not is_tuple:
            result = (result,)
        length = len(result)
        result, index, _ = self._wrap(result, on_backward)
        return result if is_tuple else result[0]

    def _run(self, grad_inputs, changeable=True):
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is None:
                continue
            if not changeable:
                raise RuntimeError("Backward hook for Modules where no input requires gradient should always return "
                                   "None or None for all gradients.")
            changed = _as_tuple(changed)
            if len(changed) != len(grad_inputs):
                raise RuntimeError("Backward hook returned an invalid number of grad_input, "
                                   f"got {len(changed)}, but expected {len(grad_inputs)}")
            grad_inputs = changed
        return grad_inputs

    @staticmethod
    def _wrap(values, on_backward):
        index = [i for i, value in enumerate(values) if isinstance(value, torch.Tensor)]
        tensors = [values[i] for i in index]
        if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
            return tuple(values), index, False
        values = list(values)
        for where, tensor in zip(index, _gate(tensors, on_backward)):
            values[where] = tensor
        return tuple(values), index, True


def _old_backward_hooks(module, result, hooks):
    """Backward hooks of the old kind sit on the grad_fn of the (first) output."""
    first = result
    while not isinstance(first, torch.Tensor):
        first = next(iter(first.values() if isinstance(first, dict) else first))
    if first.grad_fn is not None:
        for hook in hooks:
            def call(grad_inputs, grad_outputs, hook=hook):
                return hook(module, grad_inputs, grad_outputs)
            first.grad_fn.register_hook(call)


def call(module, args, kwargs):
    """module.forward(*args, **kwargs) with every hook in PyTorch's order."""
    ran_always = set()
    done = [None]
    try:
        return _call(module, args, kwargs, ran_always, done)
    except Exception:
        # Hooks with always_call=True run even though forward or another hook failed; their own failures only warn.
        for table, flags, with_kwargs, scope in (
                (forward_hooks, forward_hooks_always_called, forward_hooks_with_kwargs, "global "),
                (module._forward_hooks, module._forward_hooks_always_called, module._forward_hooks_with_kwargs, "")):
            for key, hook in list(table.items()):
                if key in flags and key not in ran_always:
                    try:
                        extra = (kwargs, done[0]) if key in with_kwargs else (done[0],)
                        changed = hook(module, args, *extra)
                        if changed is not None:
                            done[0] = changed
                    except Exception as error:
                        warnings.warn(f"{scope}module forward hook with ``always_call=True`` raised an exception that "
                                      "was silenced as another error was raised in forward: " + str(error))
        raise


def _call(module, args, kwargs, ran_always, done):
    own = module.__dict__
    for with_kwargs, table in ((), forward_pre_hooks), (own.get("_forward_pre_hooks_with_kwargs", ()),
                                                        own.get("_forward_pre_hooks")):
        for key, hook in list(table.items()) if table else ():
            if key in with_kwargs:
                changed = hook(module, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError("forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                                           f"but got {changed}.")
                    args, kwargs = changed
            else:
                changed = hook(module, args)
                if changed is not None:
                    args = _as_tuple(changed)

    pre, full, old = [*backward_pre_hooks.values()], [], []
    pre += (own.get("_backward_pre_hooks") or {}).values()
    (full if full_backward else old).extend(backward_hooks.values())
    (full if own.get("_is_full_backward_hook") else old).extend((own.get("_backward_hooks") or {}).values())
    watcher = None
    if pre or full:
        watcher = FullBackwardHooks(module, full, pre)
        args = watcher.setup_inputs(args)

    result = done[0] = module.forward(*args, **kwargs)

    for table, with_kwargs, always in (
            (forward_hooks, forward_hooks_with_kwargs, forward_hooks_always_called),
            (own.get("_forward_hooks"), own.get("_forward_hooks_with_kwargs", ()),
             own.get("_forward_hooks_always_called", ()))):
        for key, hook in list(table.items()) if table else ():
            if key in always:
                ran_always.add(key)
            changed = hook(module, args, kwargs, result) if key in with_kwargs else hook(module, args, result)
            if changed is not None:
                result = done[0] = changed

    if watcher is not None:
        if not isinstance(result, (torch.Tensor, tuple)):
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                          f"received {type(result)}")
        result = watcher.setup_output(result)
    if old:
        _old_backward_hooks(module, result, old)
    return result
