"""Module: the base class of everything with parameters."""
from collections import OrderedDict

import hwaro as torch
from hwaro.nn.modules import _hooks
from hwaro.nn.modules._convert import ConvertMixin
from hwaro.nn.modules._state import StateDictMixin, _EXTRA_STATE_KEY_SUFFIX, _IncompatibleKeys  # noqa: F401
from hwaro.nn.modules._tree import TreeMixin
from hwaro.nn.parameter import Buffer, Parameter
from hwaro.utils.hooks import RemovableHandle  # noqa: F401

__all__ = [
    "Module", "register_module_forward_pre_hook", "register_module_forward_hook",
    "register_module_full_backward_pre_hook", "register_module_backward_hook",
    "register_module_full_backward_hook", "register_module_buffer_registration_hook",
    "register_module_module_registration_hook", "register_module_parameter_registration_hook",
]

_Tensor = torch.Tensor

# Set by the register_module_* functions below: from then on every call looks at the shared hooks.
_any_shared_hook = False

# A module without hooks has none of these dicts. The first look at one creates it, and a look at one that matters for
# calls also switches the module's calls to the slow path: so even code that fills the dicts by hand is honoured.
_CALL_HOOKS = frozenset([
    "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs", "_backward_hooks", "_backward_pre_hooks"])
_STATE_HOOKS = frozenset(["_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks",
                          "_load_state_dict_post_hooks"])


def _check_name(self, kind, name, taken_by, shown=""):
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {torch.typename(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."{shown}')
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if hasattr(self, name) and name not in taken_by:
        raise KeyError(f"attribute '{name}' already exists")


def _add_indent(text, spaces):
    first, *rest = text.split("\n")
    return "\n".join([first, *(spaces * " " + line for line in rest)])


_addindent = _add_indent


class Module(TreeMixin, ConvertMixin, StateDictMixin):
    """Base class of all neural network modules: holds parameters, buffers and submodules, and calls `forward`."""

    dump_patches = False
    call_super_init = False
    _version = 1
    _slow_call = False
    _compiled_call_impl = None
    _is_full_backward_hook = None

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and (args or kwargs):
            name = type(self).__name__
            if kwargs:
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input):
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args, **kwargs):
        if self._slow_call or _any_shared_hook:
            return self._slow_call_impl(args, kwargs)
        return self.forward(*args, **kwargs)

    def _slow_call_impl(self, args, kwargs):
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return _hooks.call(self, args, kwargs)

    def _call_impl(self, *args, **kwargs):
        return _hooks.call(self, args, kwargs)

    _wrapped_call_impl = __call__

    def compile(self, *args, **kwargs):
        """Compile this module's call in place."""
        self._compiled_call_impl = torch.compile(self._call_impl, *args, **kwargs)
        self._slow_call = True

    # ---- attributes -------------------------------------------------------------------------------------------------

    def __getattr__(self, name):
        own = self.__dict__
        if "_parameters" in own:
            table = own["_modules"]
            if name in table:
                return table[name]
            table = own["_parameters"]
            if name in table:
                return table[name]
            table = own["_buffers"]
            if name in table:
                return table[name]
            if name in _CALL_HOOKS:
                own["_slow_call"] = True
                return own.setdefault(name, OrderedDict())
            if name in _STATE_HOOKS:
                return own.setdefault(name, OrderedDict())
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name, value):
        own = self.__dict__
        is_tensor = isinstance(value, _Tensor)
        if is_tensor and isinstance(value, Parameter):
            if "_parameters" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, own["_buffers"], own["_modules"])
            return self.register_parameter(name, value)
        if "_parameters" not in own:
            if isinstance(value, Module):
                raise AttributeError("cannot assign module before Module.__init__() call")
            if is_tensor and isinstance(value, Buffer):
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            return object.__setattr__(self, name, value)
        if name in own["_parameters"]:
            if value is not None:
                raise TypeError(f"cannot assign '{torch.typename(value)}' as parameter '{name}' "
                                "(torch.nn.Parameter or None expected)")
            return self.register_parameter(name, None)
        if isinstance(value, Module) or name in own["_modules"]:
            if isinstance(value, Module):
                self._forget(name, own["_buffers"])
            elif value is not None:
                raise TypeError(f"cannot assign '{torch.typename(value)}' as child module '{name}' "
                                "(torch.nn.Module or None expected)")
            own["_modules"][name] = _hooks.filtered(_hooks.module_registration_hooks, self, name, value)
            return None
        if name in own["_buffers"]:
            if value is not None and not is_tensor:
                raise TypeError(f"cannot assign '{torch.typename(value)}' as buffer '{name}' "
                                "(torch.nn.Buffer, torch.Tensor or None expected)")
            own["_buffers"][name] = _hooks.filtered(_hooks.buffer_registration_hooks, self, name, value)
            return None
        if is_tensor and isinstance(value, Buffer):
            own.pop(name, None)
            return self.register_buffer(name, value, value.persistent)
        return object.__setattr__(self, name, value)

    def _forget(self, name, *tables):
        """Take name out of the instance and of the given tables, because it is about to live in another one."""
        self.__dict__.pop(name, None)
        for table in tables:
            table.pop(name, None)
        self.__dict__["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name):
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if name in own.get(table, ()):
                del own[table][name]
                if table == "_buffers":
                    own["_non_persistent_buffers_set"].discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state):
        own = self.__dict__
        own.update(state)
        own.setdefault("_non_persistent_buffers_set", set())
        # Pickles of other writers carry all hook dicts; only those with content are kept.
        for name in (*_CALL_HOOKS, *_STATE_HOOKS):
            if name in own and not own[name]:
                del own[name]
            elif name in own and name in _CALL_HOOKS:
                own["_slow_call"] = True

    # ---- registration -----------------------------------------------------------------------------------------------

    def register_buffer(self, name, tensor, persistent=True):
        """Add a tensor that is part of the module's state but no parameter."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_name(self, "buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, _Tensor):
            raise TypeError(f"cannot assign '{torch.typename(tensor)}' object to buffer '{name}' "
                            "(torch Tensor or None required)")
        self._buffers[name] = _hooks.filtered(_hooks.buffer_registration_hooks, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name, param):
        """Add a parameter, or None to say that an optional one is absent."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        _check_name(self, "parameter", name, self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(f"cannot assign '{torch.typename(param)}' object to parameter '{name}' "
                                "(torch.nn.Parameter or None required)")
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    "explicitly. "
                    f"To express '{name}' as a function of another Tensor, compute the value in the forward() method.")
            param = _hooks.filtered(_hooks.parameter_registration_hooks, self, name, param)
        self._parameters[name] = param

    def add_module(self, name, module):
        """Add a submodule, or None."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{torch.typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {torch.typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        _check_name(self, "module", name, self._modules, f", got: {name}")
        self._modules[name] = _hooks.filtered(_hooks.module_registration_hooks, self, name, module)

    def register_module(self, name, module):
        """The same as add_module."""
        self.add_module(name, module)

    # ---- hooks ------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """hook(module, args) (or (module, args, kwargs)) runs before forward and may replace the arguments."""
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return _register(self._forward_pre_hooks, hook, flags, prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """hook(module, args, output) (or (module, args, kwargs, output)) runs after forward; it may replace the output."""
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        if always_call:
            flags.append(self._forward_hooks_always_called)
        return _register(self._forward_hooks, hook, flags, prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """hook(module, grad_output) runs before the gradients of the inputs are computed."""
        return _register(self._backward_pre_hooks, hook, [], prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """hook(module, grad_input, grad_output) runs when the gradients of the inputs are known."""
        if self._is_full_backward_hook is False:
            raise RuntimeError("Cannot use both regular backward hooks and full backward hooks on a single Module. "
                               "Please use only one of them.")
        self._is_full_backward_hook = True
        return _register(self._backward_hooks, hook, [], prepend)

    def register_backward_hook(self, hook):
        """The old kind of backward hook: it sees the gradients of the last operator only."""
        if self._is_full_backward_hook is True:
            raise RuntimeError("Cannot use both regular backward hooks and full backward hooks on a single Module. "
                               "Please use only one of them.")
        self._is_full_backward_hook = False
        return _register(self._backward_hooks, hook, [], False)

    # ---- printing ---------------------------------------------------------------------------------------------------

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What stands between the parentheses before the submodules."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({key}): " + _add_indent(repr(module), 2) for key, module in self._modules.items()]
        if not children and len(lines) == 1:
            return f"{self._get_name()}({lines[0]})"
        lines += children
        if not lines:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _register(hooks, hook, flags, prepend):
    return _hooks.register(hooks, hook, *flags, prepend=prepend)


def _register_shared(hooks, hook, *flags):
    global _any_shared_hook
    _any_shared_hook = True
    return _hooks.register(hooks, hook, *flags)


def register_module_forward_pre_hook(hook):
    """A forward pre-hook of every module."""
    return _register_shared(_hooks.forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """A forward hook of every module."""
    flags = [_hooks.forward_hooks_with_kwargs] if with_kwargs else []
    if always_call:
        flags.append(_hooks.forward_hooks_always_called)
    return _register_shared(_hooks.forward_hooks, hook, *flags)


def register_module_full_backward_pre_hook(hook):
    """A backward pre-hook of every module."""
    return _register_shared(_hooks.backward_pre_hooks, hook)


def register_module_full_backward_hook(hook):
    """A full backward hook of every module."""
    if _hooks.full_backward is False:
        raise RuntimeError("Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
                           "Please use only one of them.")
    _hooks.full_backward = True
    return _register_shared(_hooks.backward_hooks, hook)


def register_module_backward_hook(hook):
    """A backward hook of the old kind of every module."""
    if _hooks.full_backward is True:
        raise RuntimeError("Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
                           "Please use only one of them.")
    _hooks.full_backward = False
    return _register_shared(_hooks.backward_hooks, hook)


def register_module_parameter_registration_hook(hook):
    """hook(module, name, parameter) sees every parameter that is registered and may replace it."""
    return _hooks.register(_hooks.parameter_registration_hooks, hook)


def register_module_buffer_registration_hook(hook):
    """hook(module, name, buffer) sees every buffer that is registered and may replace it."""
    return _hooks.register(_hooks.buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook):
    """hook(module, name, submodule) sees every submodule that is registered and may replace it."""
    return _hooks.register(_hooks.module_registration_hooks, hook)
