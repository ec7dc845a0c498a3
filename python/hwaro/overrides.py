"""Classes and modes that see operator calls before they run (__torch_function__).

The compiled part finds who wants to see a call and hands it to _dispatch(); the order of asking is decided here.
"""

import functools

from hwaro import _C


def is_tensor_like(inp):
    """Whether inp is a tensor or an object with __torch_function__."""
    return isinstance(inp, _C.Tensor) or hasattr(inp, "__torch_function__")


def has_torch_function(relevant_args):
    """Whether a call with these arguments is shown to one of them, or to a mode."""
    return _C._has_torch_function(tuple(relevant_args))


def has_torch_function_unary(arg):
    return _C._has_torch_function((arg,))


def has_torch_function_variadic(*args):
    return _C._has_torch_function(args)


def _overloaded(relevant_args):
    """Arguments of distinct classes in the order of asking: left to right, but subclasses before their bases."""
    found = []
    for arg in relevant_args:
        cls = type(arg)
        if any(type(other) is cls for other in found):
            continue
        at = next((i for i, other in enumerate(found) if issubclass(cls, type(other))), len(found))
        found.insert(at, arg)
    return found


def _name_of(function):
    module = getattr(function, "__module__", None)
    return f"{module}.{function.__name__}" if module and hasattr(function, "__name__") else repr(function)


def _dispatch(function, relevant_args, args, kwargs):
    """What the modes and arguments make of a call; the innermost mode is asked first."""
    overloaded = _overloaded(relevant_args)
    types = tuple(type(arg) for arg in overloaded)
    if _modes and _C._has_torch_function(()):
        mode = _modes.pop()
        before = _C._torch_function_state(-1, len(_modes))
        try:
            result = mode.__torch_function__(function, types, args, kwargs)
        finally:
            _modes.append(mode)
            _C._torch_function_state(*before)
        if result is not NotImplemented:
            return result
    for arg in overloaded:
        result = arg.__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    lines = [f"  - tensor subclass {cls}" for cls in types]
    if _modes:
        lines.insert(0, f"  - mode object {_modes[-1]}")
    raise TypeError(
        f"Multiple dispatch failed for '{_name_of(function)}'; all __torch_function__ handlers returned NotImplemented:"
        "\n\n" + "\n".join(lines) + "\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
    )


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Shows a call of a function written in Python to its arguments that want to see it."""
    shown = [arg for arg in relevant_args if _C._has_torch_function((arg,))] if not _modes else list(relevant_args)
    return _dispatch(public_api, [arg for arg in shown if hasattr(type(arg), "__torch_function__")], args, kwargs)


def wrap_torch_function(dispatcher):
    """Makes a function of one's own take part: dispatcher(*args) gives the arguments that may want to see a call."""

    def wrap(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return wrap


@functools.lru_cache(None)
def get_default_nowrap_functions():
    """Functions whose results keep their class."""
    Tensor = _C.Tensor
    return {Tensor._base.__get__, Tensor.grad.__get__}


def _convert(result, cls):
    """Tensors of a result as instances of cls."""
    if cls is _C.Tensor:
        return result
    if isinstance(result, _C.Tensor) and not isinstance(result, cls):
        return _C._as_subclass(result, cls)
    if isinstance(result, (tuple, list)):
        parts = [_convert(part, cls) for part in result]
        return type(result)(parts)
    return result


class _Level:
    """Switches the protocol off in a with block: 1 for classes, 2 for modes as well."""

    level = 1

    def __enter__(self):
        self._before = _C._torch_function_state(-1, -1)
        _C._torch_function_state(max(self.level, self._before[0]), -1)
        return self

    def __exit__(self, *error):
        _C._torch_function_state(self._before[0], -1)


class DisableTorchFunctionSubclass(_Level):
    pass


class DisableTorchFunction(_Level):
    level = 2


def _default(cls, func, types, args=(), kwargs=None):
    """Tensor.__torch_function__: the call itself, with tensors of the result as instances of the class."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    before = _C._torch_function_state(-1, -1)
    _C._torch_function_state(max(1, before[0]), -1)
    try:
        result = func(*args, **(kwargs or {}))
    finally:
        _C._torch_function_state(before[0], -1)
    return result if func in get_default_nowrap_functions() else _convert(result, cls)


_modes = []


class TorchFunctionMode:
    """A with block in which every operator call is shown to __torch_function__ of the mode."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        _modes.append(self)
        _C._torch_function_state(-1, len(_modes))
        return self

    def __exit__(self, *error):
        _modes.pop()
        _C._torch_function_state(-1, len(_modes))

    @classmethod
    def push(cls, *args, **kwargs):
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def is_tensor_method_or_property(func):
    """Whether func is a method of Tensor or the __get__ of an attribute."""
    return func in set(vars(_C.Tensor).values()) or getattr(func, "__name__", None) == "__get__"


def resolve_name(f):
    """The dotted name of an operator, as torch.add or torch.Tensor.add."""
    name = getattr(f, "__name__", None)
    if name is None:
        return None
    import hwaro

    for prefix, holder in (("torch.Tensor.", _C.Tensor), ("torch.", hwaro), ("torch.nn.functional.", hwaro.nn.functional)):
        if getattr(holder, name, None) is f:
            return prefix + name
    return name


_C.DisableTorchFunctionSubclass, _C.DisableTorchFunction = DisableTorchFunctionSubclass, DisableTorchFunction
