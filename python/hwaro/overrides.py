"""Subclasses that want to see operator calls (__torch_function__)."""

from hwaro import _C


def is_tensor_like(inp):
    """Whether inp is a tensor or a class with __torch_function__."""
    return isinstance(inp, _C.Tensor) or hasattr(inp, "__torch_function__")


def has_torch_function(relevant_args):
    """Whether operators hand the call over to one of the arguments."""
    return any(not isinstance(a, _C.Tensor) and hasattr(a, "__torch_function__") for a in relevant_args)


def has_torch_function_unary(arg):
    return has_torch_function((arg,))


def has_torch_function_variadic(*args):
    return has_torch_function(args)


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Asks the arguments, in order, to carry out a call."""
    for arg in relevant_args:
        function = getattr(type(arg), "__torch_function__", None)
        if function is not None and not isinstance(arg, _C.Tensor):
            result = function(
                public_api, tuple({type(a) for a in relevant_args if hasattr(a, "__torch_function__")}), args, kwargs
            )
            if result is not NotImplemented:
                return result
    raise TypeError(
        f"no implementation found for '{getattr(public_api, '__name__', public_api)}' on types that implement"
        f" __torch_function__: {[type(a) for a in relevant_args]}"
    )


def resolve_name(f):
    return getattr(f, "__name__", None)
