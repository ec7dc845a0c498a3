"""TorchScript is not there: functions and modules stay what they are, and run as Python does."""
from typing import Final  # noqa: F401


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """obj itself."""
    return obj


def trace(func=None, example_inputs=None, *args, **kwargs):
    """func itself: what depends on values goes on doing so."""
    return func


def script_method(fn):
    return fn


def ignore(drop=False, **kwargs):
    return drop if callable(drop) else (lambda fn: fn)


def unused(fn):
    return fn


export = interface = unused


def is_scripting():
    return False


def is_tracing():
    return False


def annotate(the_type, the_value):
    return the_value


def isinstance(obj, target_type):
    import builtins
    return builtins.isinstance(obj, target_type)


def fork(func, *args, **kwargs):
    return func(*args, **kwargs)


def wait(future):
    return future


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    return mod


def optimize_for_inference(mod, other_methods=None):
    return mod


def _missing(name):
    def function(*args, **kwargs):
        raise NotImplementedError(f"Hwaro has no torch.jit.{name}: use torch.save and torch.load with a state_dict")
    return function


save = _missing("save")
load = _missing("load")


class ScriptModule:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("Hwaro has no torch.jit.ScriptModule: derive from torch.nn.Module")


class ScriptFunction:
    pass
