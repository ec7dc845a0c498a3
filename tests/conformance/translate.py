"""Finds for each callable of PyTorch's samples the same callable of Hwaro."""

import functools
import types

import hwaro
import torch

PLACES = "Tensor linalg special fft nn.functional functional signal.windows _C._nn masked".split()


def attribute(root, path):
    for part in path.split("."):
        root = getattr(root, part, None)
        if root is None:
            return None
    return root


def paths_of_pytorch():
    """id of each public callable of PyTorch -> its path below torch, and the object, so that the id stays its own."""
    found = {}
    for place in ["", *PLACES]:
        holder = attribute(torch, place) if place else torch
        for name in dir(holder) if holder is not None else ():
            value = getattr(holder, name, None)
            if callable(value) and not isinstance(value, type):
                found.setdefault(id(value), (f"{place}.{name}" if place else name, value))
    return found


PATHS = paths_of_pytorch()


def wrapper_set_seed(function, *args, **kwargs):
    """Hwaro's side of PyTorch's helper of this name: the call starts from the same seed."""
    hwaro.manual_seed(42)
    return function(*args, **kwargs)


def bound_to_hwaro(function):
    """The same Python function with Hwaro where it says `torch`."""
    names = dict(function.__globals__, torch=hwaro, wrapper_set_seed=wrapper_set_seed)
    for name in function.__code__.co_names:
        value = names.get(name)
        if (
            isinstance(value, types.FunctionType)
            and value.__module__.startswith("torch.testing")
            and value is not function
        ):
            names[name] = bound_to_hwaro(value)
    out = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    out.__kwdefaults__ = function.__kwdefaults__
    return out


def translate(function):
    """Hwaro's callable for one of PyTorch's, or None where Hwaro has none."""
    if isinstance(function, functools.partial):
        inner = translate(function.func)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    if id(function) in PATHS and PATHS[id(function)][1] is function:
        return attribute(hwaro, PATHS[id(function)][0])
    if isinstance(function, types.FunctionType) and function.__module__.startswith("torch.testing"):
        return bound_to_hwaro(function)
    if isinstance(function, torch._ops.OpOverload):
        function = function.overloadpacket
    if isinstance(function, torch._ops.OpOverloadPacket):
        return attribute(hwaro, "_C." + function.__name__) or getattr(hwaro, function.__name__, None)
    name = getattr(function, "__name__", None)
    if isinstance(function, (types.MethodDescriptorType, types.WrapperDescriptorType)) and name:
        return getattr(hwaro.Tensor, name, None)
    return None


def is_missing(error):
    """Whether an exception says that Hwaro lacks a name (rather than that a call went wrong)."""
    text = str(error)
    return (
        isinstance(error, AttributeError)
        and "no attribute" in text
        and ("'hwaro" in text or "'torch" in text or "'Tensor'" in text)
    )
