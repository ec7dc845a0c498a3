"""Where factory functions put tensors: set_default_device() and `with torch.device(...)`."""
from hwaro import _C

_stack = []  # what was in force before each `with`


def set_default(device):
    _C._set_default_device(device)


def get_default():
    return _C._get_default_device() or _C.device("cpu")


def enter(device):
    _stack.append(_C._get_default_device())
    _C._set_default_device(device)
    return device


def leave(device, *error):
    _C._set_default_device(_stack.pop())
