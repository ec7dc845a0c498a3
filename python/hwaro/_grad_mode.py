"""no_grad, enable_grad, set_grad_enabled and inference_mode: context managers that also decorate functions."""
import functools
import inspect

from hwaro import _C


class _Decorator:
    """A context manager that wraps functions, generator functions and coroutines."""

    def clone(self):
        return type(self)()

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):
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


class no_grad(_Decorator):
    """Nothing inside is recorded. Also written @no_grad and @no_grad()."""

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)

    def __enter__(self):
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(False)

    def __exit__(self, *error):
        _C._set_grad_enabled(self.before)


class enable_grad(_Decorator):
    """Recording is on inside, also within no_grad."""

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)

    def __enter__(self):
        self.before = _C.is_grad_enabled()
        _C._set_grad_enabled(True)

    def __exit__(self, *error):
        _C._set_grad_enabled(self.before)


class set_grad_enabled(_Decorator):
    """Sets recording at once; as a context manager, until the end of the block."""

    def __init__(self, mode):
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


class inference_mode(_Decorator):
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
