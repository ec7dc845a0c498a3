"""no_grad, enable_grad, set_grad_enabled and inference_mode: context managers that also decorate functions."""

from hwaro import _C

# functools is imported where it is used, and inspect not at all: they take longer to load than the rest of this
# package.
_GENERATOR = 0x20  # of co_flags


def _is_generator_function(function):
    import functools

    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return bool(code is not None and code.co_flags & _GENERATOR)


class _DecoratorContextManager:
    """A context manager that also wraps functions and generator functions."""

    def clone(self):
        return type(self)()

    def __call__(self, function):
        import functools

        if isinstance(function, type):
            import warnings

            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate"
                " functions or methods. To preserve the current behavior of class decoration, you can directly decorate"
                " the `__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        elif _is_generator_function(function):

            @functools.wraps(function)
            def generator(*args, **kwargs):
                made = function(*args, **kwargs)
                try:
                    with self.clone():
                        value = made.send(None)
                    while True:
                        try:
                            sent = yield value
                        except GeneratorExit:
                            with self.clone():
                                made.close()
                            raise
                        except BaseException as error:
                            with self.clone():
                                value = made.throw(error)
                        else:
                            with self.clone():
                                value = made.send(sent)
                except StopIteration as stop:
                    return stop.value

            return generator

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            with self.clone():
                return function(*args, **kwargs)

        return wrapper


class no_grad(_DecoratorContextManager):
    """Nothing inside is recorded. Also written @no_grad and @no_grad()."""

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)

    def __enter__(self):
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(False)

    def __exit__(self, *error):
        _C._set_grad_enabled(self.before)


class enable_grad(_DecoratorContextManager):
    """Recording is on inside, also within no_grad."""

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)

    def __enter__(self):
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(True)

    def __exit__(self, *error):
        _C._set_grad_enabled(self.before)


class set_grad_enabled(_DecoratorContextManager):
    """Sets recording at once; as a context manager, until the end of the block."""

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.before = _C.is_grad_enabled()
        self.mode = mode
        _C._set_grad_enabled(mode)

    def __call__(self, function):
        _C._set_grad_enabled(self.before)
        return super().__call__(function)

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        _C._set_grad_enabled(self.mode)

    def __exit__(self, *error):
        _C._set_grad_enabled(self.before)

    def __repr__(self):
        return f"{type(self).__module__}.{type(self).__name__}(mode={self.mode})"


class inference_mode(_DecoratorContextManager):
    """Like no_grad, and what is made inside cannot be used in recorded work later."""

    def __new__(cls, mode=True):
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode=True):
        self.mode = mode if isinstance(mode, bool) else True
        self.before = None

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        self.before = (_C.is_grad_enabled(), _C.is_inference_mode_enabled())
        _C._set_inference_mode(self.mode)
        _C._set_grad_enabled(not self.mode)

    def __exit__(self, *error):
        _C._set_inference_mode(self.before[1])
        _C._set_grad_enabled(self.before[0])


class set_multithreading_enabled(_DecoratorContextManager):
    """Whether backward may use several threads per device. Here it always runs on the calling thread."""

    def __init__(self, mode):
        self.mode = mode

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        pass

    def __exit__(self, *error):
        pass


class _unsafe_preserve_version_counter:
    """Writes inside do not count as changes of the tensors."""

    def __init__(self, tensors):
        raise NotImplementedError(
            "Hwaro has no torch.autograd._unsafe_preserve_version_counter; write to tensor.data instead"
        )


for _cls in (no_grad, enable_grad, set_grad_enabled, inference_mode, set_multithreading_enabled):
    _cls.__module__ = "torch.autograd.grad_mode"  # where programs find them; this module is what loads at once
