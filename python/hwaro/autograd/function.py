"""autograd.Function: operations whose gradient is written by hand."""

import functools
import inspect
import sys
import warnings

from hwaro import _C

_Tensor = _C.Tensor


class FunctionCtx:
    """What forward() leaves for backward(): saved tensors, marks on tensors, and any attribute."""

    to_save = ()
    saved_for_forward = ()
    dirty_tensors = ()
    non_differentiable = ()
    materialize_grads = True
    needs_input_grad = ()
    _saved = ()

    def save_for_backward(self, *tensors):
        """Keeps inputs or outputs of forward() (or None) for backward(), which finds them in saved_tensors."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        for t in tensors:
            if not isinstance(t, _Tensor) and t is not None:
                raise TypeError(
                    "save_for_forward expects all arguments to be tensors; you should save non-tensors as attributes on"
                    " ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args):
        """Says which inputs forward() changed in place; all of them must be returned."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args):
        """Says which outputs have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value):
        """With False, gradients of unused outputs come into backward() as None, not as zeros."""
        self.materialize_grads = value

    def mark_shared_storage(self, *pairs):
        warnings.warn(
            "function 'mark_shared_storage' is deprecated. Tensors with shared storages are automatically tracked. Note"
            " that calls to `set_()` are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    @property
    def saved_tensors(self):
        return tuple(saved.unpack() for saved in self._saved)

    @property
    def saved_variables(self):
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors


class BackwardCFunction(FunctionCtx):
    """The ctx of a function; of each Function class there is a subclass, named as its nodes."""

    _forward_cls = None
    _is_tensor = ()  # per argument
    _input_meta = ()  # per argument: (shape, dtype) of tensors
    _output_meta = ()  # per output: (shape, dtype, device) of tensors

    def apply(self, *grads):
        return self._run(grads)

    def name(self):
        return type(self).__name__

    def _release(self):
        for saved in self._saved:
            saved.release()

    def _run(self, grads):
        cls = self._forward_cls
        own_backward, own_vjp = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own_backward and own_vjp:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement"
                " one of them."
            )
        if self.materialize_grads:
            grads = tuple(
                _zeros(meta) if g is None and meta is not None else g for g, meta in zip(grads, self._output_meta)
            )
        result = (cls.vjp if own_vjp else cls.backward)(self, *grads)
        return self._check(result if isinstance(result, tuple) else (result,))

    def _check(self, grads):
        """The gradients of the tensors among the arguments, in the shape and type that the arguments had."""
        name, count = type(self).__name__, len(self._is_tensor)
        if len(grads) > count and all(g is None for g in grads[count:]):
            grads = grads[:count]
        if len(grads) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(grads)})"
            )
        out = []
        for i, (g, is_tensor) in enumerate(zip(grads, self._is_tensor)):
            if not is_tensor:
                if g is not None:
                    raise RuntimeError(
                        f"function {name} returned a gradient different than None at position {i + 1}, but the"
                        " corresponding forward input was not a Variable"
                    )
                continue
            if g is not None and not isinstance(g, _Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
            if g is not None and self.needs_input_grad[i]:
                g = _fit(g, self._input_meta[i], name, len(out))
            out.append(g)
        return tuple(out)


def _zeros(meta):
    import hwaro as torch

    shape, dtype, device = meta
    return torch.zeros(shape, dtype=dtype, device=device)


def _fit(grad, meta, name, index):
    shape, dtype = meta
    if grad.shape != shape:
        expandable = len(shape) <= grad.dim() and all(s == 1 or s == g for s, g in zip(shape[::-1], grad.shape[::-1]))
        if not expandable:
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {index} - got {list(grad.shape)} but expected"
                f" shape compatible with {list(shape)}"
            )
        grad = grad.sum_to_size(shape)
    if grad.dtype != dtype:
        if grad.is_complex() and not dtype.is_complex:
            grad = grad.real
        grad = grad.to(dtype)
    return grad


class FunctionMeta(type):
    """Makes the class of ctx objects beside each Function class."""

    def __init__(cls, name, bases, attributes):
        cls._backward_cls = type(
            name + "Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": "torch.autograd.function"}
        )
        super().__init__(name, bases, attributes)


class Function(FunctionCtx, metaclass=FunctionMeta):
    """Base of operations with a gradient of their own: static methods forward(ctx, ...) and backward(ctx, *grads).

    Called by Cls.apply(...). With a static method setup_context(ctx, inputs, output), forward takes no ctx.
    """

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{self.__class__} should not be instantiated. Methods on autograd functions are all static, so you should"
            " invoke them on the class itself. Instantiating an autograd function will raise an error in a future"
            " version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd"
            " function with static forward method. (Example:"
            " https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    generate_vmap_rule = False

    @staticmethod
    def forward(*args, **kwargs):
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """Runs forward() and records the function."""
        batched = sys.modules.get("hwaro.func._batched")
        if batched is not None and batched.levels and any(map(batched.is_batched, args)):
            return batched.apply_function(cls, Function, args, kwargs)
        with_setup = cls.setup_context is not Function.setup_context
        if with_setup:
            args, kwargs = _bind_defaults(cls.forward, args, kwargs), {}
        ctx = cls._backward_cls()
        ctx._is_tensor = tuple(isinstance(a, _Tensor) for a in args)
        ctx.needs_input_grad = tuple(t and a.requires_grad for t, a in zip(ctx._is_tensor, args))
        recording = _C.is_grad_enabled()
        if recording and any(ctx.needs_input_grad):
            for a in args:
                if isinstance(a, _Tensor) and a._is_view():
                    a.grad_fn  # a view whose base was written to tells it now, or has its history anew
        if recording:
            _C._set_grad_enabled(False)
        try:
            if with_setup:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
            outputs = _prepare_outputs(
                ctx, args, output if isinstance(output, tuple) else (output,), recording and any(ctx.needs_input_grad)
            )
        finally:
            if recording:
                _C._set_grad_enabled(True)
        if recording and any(ctx.needs_input_grad):
            _record(cls, ctx, args, outputs)
        return outputs if isinstance(output, tuple) else outputs[0]


def _bind_defaults(function, args, kwargs):
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _prepare_outputs(ctx, args, outputs, executable):
    """The outputs as they are handed out: an input that comes back unchanged becomes a view of itself."""
    inputs = {id(a) for a in args if isinstance(a, _Tensor)}
    dirty, fixed = {id(t) for t in ctx.dirty_tensors}, {id(t) for t in ctx.non_differentiable}
    if dirty - {id(o) for o in outputs}:
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are"
            " modified inplace must all be outputs of the Function."
        )
    out, ctx._differentiable = [], []
    for o in outputs:
        differentiable = (
            executable and isinstance(o, _Tensor) and id(o) not in fixed and (o.is_floating_point() or o.is_complex())
        )
        if isinstance(o, _Tensor):
            is_input, is_dirty = id(o) in inputs, id(o) in dirty
            if is_dirty and not executable:  # else record_function counts the write
                _C._bump_version(o)
            if differentiable or not o.requires_grad:
                if is_input and not is_dirty:
                    o = o.view_as(o)
                elif not is_input and o.requires_grad and o._base is None:
                    o = o.detach()
            else:
                o = o.detach()
        out.append(o)
        ctx._differentiable.append(differentiable)
    ctx._output_meta = tuple((o.shape, o.dtype, o.device) if isinstance(o, _Tensor) else None for o in out)
    return tuple(out)


def _record(cls, ctx, args, outputs):
    for i, t in enumerate(ctx.to_save):
        if t is not None and not isinstance(t, _Tensor):
            raise TypeError(
                f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}"
            )
    ctx._input_meta = tuple((a.shape, a.dtype) if isinstance(a, _Tensor) else None for a in args)
    results = [o if differentiable else None for o, differentiable in zip(outputs, ctx._differentiable)]
    node = _C.record_function(
        ctx._run,
        ctx._release,
        cls._backward_cls.__name__,
        [a for a in args if isinstance(a, _Tensor)],
        results,
        list(ctx.dirty_tensors),
    )
    made = {id(r) for r in results if r is not None}
    ctx._saved = tuple(_C.save_tensor(node, t, t is not None and id(t) in made) for t in ctx.to_save)
    ctx.to_save = ()


def once_differentiable(function):
    """For backward(): its results cannot be differentiated again; trying to raises."""

    @functools.wraps(function)
    def wrapper(ctx, *args):
        recording = _C.is_grad_enabled()
        _C._set_grad_enabled(False)
        try:
            outputs = function(ctx, *args)
        finally:
            _C._set_grad_enabled(recording)
        if not recording or not any(isinstance(a, _Tensor) and a.requires_grad for a in args):
            return outputs
        given = outputs if isinstance(outputs, tuple) else (outputs,)
        results = [o.detach() if isinstance(o, _Tensor) else o for o in given]
        tensors = [r for r in results if isinstance(r, _Tensor)]
        _C.record_function(
            _refuse, _nothing, "torch::autograd::Error", [a for a in args if isinstance(a, _Tensor)], tensors, []
        )
        return tuple(results) if isinstance(outputs, tuple) else results[0]

    return wrapper


def _refuse(grads):
    raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def _nothing():
    pass


class InplaceFunction(Function):
    """Kept for old programs: a Function made with inplace=True or False."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Kept for old programs; use Function."""
