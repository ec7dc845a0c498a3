"""Trading time for memory: what a function saves for backward is thrown away and computed again when needed."""
import contextlib
import warnings
import weakref

import hwaro as torch

__all__ = ["checkpoint", "checkpoint_sequential", "CheckpointError", "CheckpointFunction", "detach_variable",
           "get_device_states", "noop_context_fn", "set_device_states"]


class CheckpointError(RuntimeError):
    """The function saved other tensors the second time than the first."""


def noop_context_fn():
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs):
    """The tensors of a tuple outside of the graph, with requires_grad as it was."""
    if not isinstance(inputs, tuple):
        raise RuntimeError("Only tuple of tensors is supported. Got Unsupported input type: ", type(inputs).__name__)
    out = []
    for value in inputs:
        if isinstance(value, torch.Tensor):
            detached = value.detach()
            detached.requires_grad = value.requires_grad
            out.append(detached)
        else:
            out.append(value)
    return tuple(out)


def get_device_states(*args):
    """Random states of the devices of args: there are none besides the CPU."""
    return [], []


def set_device_states(devices, states, *, device_type=None):
    """Undoes get_device_states."""


@contextlib.contextmanager
def _random_state(state):
    """Inside, the default generator goes on from state; afterwards from where it was. None changes nothing."""
    if state is None:
        yield
        return
    before = torch.get_rng_state()
    torch.set_rng_state(state)
    try:
        yield
    finally:
        torch.set_rng_state(before)


_function_class = None


def _reentrant_function():
    """An autograd.Function that runs forward without a graph, and in backward once more with one."""
    global _function_class
    if _function_class is not None:
        return _function_class

    class CheckpointFunction(torch.autograd.Function):
        @staticmethod
        def forward(ctx, function, preserve_rng_state, *args):
            if not any(isinstance(value, torch.Tensor) and value.requires_grad for value in args):
                warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
            ctx.function = function
            ctx.random_state = torch.get_rng_state() if preserve_rng_state else None
            ctx.places = [place for place, value in enumerate(args) if isinstance(value, torch.Tensor)]
            ctx.others = [None if isinstance(value, torch.Tensor) else value for value in args]
            ctx.save_for_backward(*[args[place] for place in ctx.places])
            with torch.no_grad():
                return function(*args)

        @staticmethod
        def backward(ctx, *grads):
            if not torch._C._is_checkpoint_valid():
                raise RuntimeError("When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                                   "passing an `inputs` parameter to .backward(). To resolve this error, you can either "
                                   "set use_reentrant=False, or call .backward() without passing the `inputs` "
                                   "argument.")
            args = list(ctx.others)
            for place, value in zip(ctx.places, ctx.saved_tensors):
                args[place] = value
            args = detach_variable(tuple(args))
            with _random_state(ctx.random_state), torch.enable_grad():
                outputs = ctx.function(*args)
            if isinstance(outputs, torch.Tensor):
                outputs = (outputs,)
            pairs = [(out, grad) for out, grad in zip(outputs, grads)
                     if isinstance(out, torch.Tensor) and out.requires_grad]
            if not pairs:
                raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
            torch.autograd.backward([out for out, _ in pairs], [grad for _, grad in pairs])
            return (None, None, *[value.grad if isinstance(value, torch.Tensor) else None for value in args])

    _function_class = CheckpointFunction
    return CheckpointFunction


_saver_class = None


def _save_inputs(tensors):
    """Something that has the tensors as its saved_tensors, which raise if one of them is written to."""
    global _saver_class
    if _saver_class is None:

        class SaveInputs(torch.autograd.Function):
            @staticmethod
            def forward(ctx, kept, *tensors):
                ctx.save_for_backward(*tensors)
                kept.append(ctx)
                return torch.empty((0,))

            @staticmethod
            def backward(ctx, *grads):
                raise AssertionError("nothing is computed from this")

        _saver_class = SaveInputs
    kept = []
    kept.append(_saver_class.apply(kept, torch.empty((0,), requires_grad=True), *tensors))
    return kept


def __getattr__(name):
    if name == "CheckpointFunction":
        return _reentrant_function()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


class _Handle:
    """Stands in the graph for one saved tensor."""


class _Enough(Exception):
    """Ends the second run once everything that is needed has been saved again."""


def _without_reentry(function, args, kwargs, context_fn, preserve_rng_state, early_stop, check):
    """Runs function with saved tensors replaced by handles; the first handle that is unpacked runs it again."""
    forward_context, recompute_context = context_fn()
    state = torch.get_rng_state() if preserve_rng_state else None
    handles, shapes, recomputed = [], [], weakref.WeakKeyDictionary()
    places = [place for place, value in enumerate(args) if isinstance(value, torch.Tensor)]
    saver = _save_inputs([args[place] for place in places]) if torch.is_grad_enabled() else None

    def pack(tensor):
        handle = _Handle()
        handles.append(weakref.ref(handle))
        shapes.append((tensor.shape, tensor.dtype))
        return handle

    def run_again():
        place = [0]
        given = list(args)
        for at, value in zip(places, saver[0].saved_tensors[1:] if saver else ()):
            given[at] = value

        def keep(tensor):
            if place[0] >= len(handles):
                raise CheckpointError("torch.utils.checkpoint: trying to save more tensors during recomputation than "
                                      "during the original forward pass.")
            if check and shapes[place[0]] != (tensor.shape, tensor.dtype):
                raise CheckpointError("torch.utils.checkpoint: Recomputed values for the following tensors have "
                                      "different metadata than during the forward pass.\ntensor at position "
                                      f"{place[0]}:\nsaved metadata: {shapes[place[0]]}\nrecomputed metadata: "
                                      f"{(tensor.shape, tensor.dtype)}\n")
            handle = handles[place[0]]()
            if handle is not None:
                recomputed[handle] = tensor.detach()
            place[0] += 1
            if early_stop and place[0] == len(handles):
                raise _Enough
            return tensor.detach()

        with _random_state(state), recompute_context, torch.enable_grad():
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                try:
                    function(*given, **kwargs)
                except _Enough:
                    pass
        if place[0] != len(handles):
            raise CheckpointError("torch.utils.checkpoint: A different number of tensors was saved during the original "
                                  "forward and recomputation.\nNumber of tensors saved during forward: "
                                  f"{len(handles)}\nNumber of tensors saved during recomputation: {place[0]}.")

    last = [None]  # the backward pass that computed them again

    def unpack(handle):
        number = torch._C._current_graph_task_id()
        if number != last[0] or handle not in recomputed:
            recomputed.clear()
            last[0] = number
            run_again()
        return recomputed[handle]

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack), forward_context:
        return function(*args, **kwargs)


def checkpoint(function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default",
               debug=False, early_stop=True, **kwargs):
    """function(*args), without keeping what it saves for backward: backward runs it again."""
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in "
                      "PyTorch 2.9, calling checkpoint without use_reentrant will raise an exception. "
                      "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
                      "you can pass use_reentrant=True. Refer to docs for more details on the differences between the "
                      "two variants.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        return _without_reentry(function, args, kwargs, context_fn, preserve, early_stop,
                                determinism_check == "default")
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    return _reentrant_function().apply(function, preserve, *args)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """A Sequential (or a list of functions) in segments, all but the last of which are checkpointed."""
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed "
                      "explicitly. In version 2.9 we will raise an exception if use_reentrant is not passed. "
                      "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
                      "you can pass use_reentrant=True. Refer to docs for more details on the differences between the "
                      "two variants.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if isinstance(functions, torch.nn.Sequential):
        functions = list(functions.children())

    def segment(start, stop):
        def run(value):
            for function in functions[start:stop]:
                value = function(value)
            return value
        return run

    size = len(functions) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(segment(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return segment(end, len(functions))(input)
