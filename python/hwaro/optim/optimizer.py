"""The base class of all optimizers: parameter groups, state, saving and loading, hooks."""
import functools
from collections import OrderedDict, defaultdict
from itertools import chain

import hwaro as torch
from hwaro.utils.hooks import RemovableHandle

__all__ = ["Optimizer", "register_optimizer_step_pre_hook", "register_optimizer_step_post_hook"]

# Cheaper than the context manager, which would take longer than a small step.
_set_grad_enabled = torch._C._set_grad_enabled


class _RequiredParameter:
    def __repr__(self):
        return "<required parameter>"


required = _RequiredParameter()

_shared_pre_hooks = OrderedDict()
_shared_post_hooks = OrderedDict()


def _add_hook(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook):
    """hook(optimizer, args, kwargs) runs before every optimizer's step."""
    return _add_hook(_shared_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """hook(optimizer, args, kwargs) runs after every optimizer's step."""
    return _add_hook(_shared_post_hooks, hook)


def _with_hooks(step):
    """step with the hooks around it."""
    @functools.wraps(step)
    def wrapper(self, *args, **kwargs):
        pre, post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (pre or post or _shared_pre_hooks or _shared_post_hooks):
            return step(self, *args, **kwargs)
        for hook in chain(_shared_pre_hooks.values(), pre.values()):
            result = hook(self, (self, *args), kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), "
                                       f"but got {result}.")
                args, kwargs = result
                args = args[1:] if args and args[0] is self else args
        out = step(self, *args, **kwargs)
        for hook in chain(post.values(), _shared_post_hooks.values()):
            hook(self, (self, *args), kwargs)
        return out

    wrapper.hooked = True
    return wrapper


class Optimizer:
    """Base class: params is an iterable of tensors, of (name, tensor) pairs or of dicts; defaults fill the groups."""

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._start_hooks()
        if isinstance(params, torch.Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                            + torch.typename(params))
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if len(groups) == 0:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _start_hooks(self):
        self._optimizer_step_pre_hooks = OrderedDict()
        self._optimizer_step_post_hooks = OrderedDict()
        self._optimizer_state_dict_pre_hooks = OrderedDict()
        self._optimizer_state_dict_post_hooks = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks = OrderedDict()
        self._optimizer_load_state_dict_post_hooks = OrderedDict()
        # A class's own step is wrapped once, when its first instance is made.
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = _with_hooks(cls.step)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._start_hooks()
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)
        # Older files hold the step as a number.
        for values in self.state.values():
            if "step" in values and not isinstance(values["step"], torch.Tensor) and not self._step_is_number:
                values["step"] = torch.tensor(float(values["step"]), dtype=_step_dtype())

    _step_is_number = False

    def __repr__(self):
        text = type(self).__name__ + " ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # ---- groups -----------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group):
        """Add a dict with 'params' and the options that differ from the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, torch.Tensor):
            param_group["params"] = [params]
        elif isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of "
                            "tensors in sets will change between runs. Please use a list instead.")
        else:
            param_group["params"] = list(params)
        self._take_names(param_group)
        for param in param_group["params"]:
            if not isinstance(param, torch.Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is "
                                + torch.typename(param))
            if not self.defaults.get("differentiable", None) and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        params = param_group["params"]
        if len(params) != len({id(param) for param in params}):
            import warnings
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in future, this will cause "
                          "an error; see github.com/pytorch/pytorch/issues/40967 for more information", stacklevel=3)
        taken = {id(param) for group in self.param_groups for param in group["params"]}
        if not taken.isdisjoint({id(param) for param in params}):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def _take_names(self, param_group):
        """Split (name, tensor) pairs; all groups have names or none has."""
        pairs = param_group["params"]
        named = [isinstance(item, tuple) for item in pairs]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["params"] = [tensor for _, tensor in pairs]
            param_group["param_names"] = [name for name, _ in pairs]
            if any("param_names" not in group for group in self.param_groups):
                raise ValueError("all optimizer param groups should be with/without names. "
                                 "cannot add param group with names to the optimizer")
        elif "param_names" not in param_group and any("param_names" in group for group in self.param_groups):
            raise ValueError("all optimizer param groups should be with/without names. "
                             "cannot add param group without names to the optimizer")

    # ---- saving and loading -----------------------------------------------------------------------------------------

    def state_dict(self):
        """The state by parameter number, and the groups with numbers in place of parameters."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers, groups = {}, []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {numbers[id(key)] if isinstance(key, torch.Tensor) else key: value
                 for key, value in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict):
        """Take over what state_dict gave; tensors are moved to the parameters' dtype and device."""
        from copy import deepcopy
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(mine["params"]) != len(theirs["params"]) for mine, theirs in zip(groups, saved)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's "
                             "group")
        owner = dict(zip(chain.from_iterable(group["params"] for group in saved),
                         chain.from_iterable(group["params"] for group in groups)))
        group_of = {number: group for group in saved for number in group["params"]}

        def cast(param, value, number, key=None):
            if isinstance(value, torch.Tensor):
                return self._cast_state(param, value, group_of[number], key)
            if isinstance(value, dict):
                return {k: cast(param, v, number, k) for k, v in value.items()}
            if isinstance(value, (list, tuple)):
                return type(value)(cast(param, v, number) for v in value)
            return value

        state = defaultdict(dict)
        for number, value in state_dict["state"].items():
            if number in owner:
                state[owner[number]] = cast(owner[number], value, number)
            else:
                state[number] = value
        for mine, theirs in zip(groups, saved):
            theirs["params"] = mine["params"]
            if "param_names" in mine:
                theirs["param_names"] = mine["param_names"]
            else:
                theirs.pop("param_names", None)
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @staticmethod
    def _cast_state(param, value, group, key):
        if key == "step":
            if group.get("capturable") or group.get("fused"):
                return value.to(dtype=torch.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)

    # ---- use --------------------------------------------------------------------------------------------------------

    def zero_grad(self, set_to_none=True):
        """Drop every parameter's gradient, or fill it with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    if param.grad.grad_fn is not None:
                        param.grad.detach_()
                    else:
                        param.grad.requires_grad_(False)
                    param.grad.zero_()

    def step(self, closure=None):
        """Change the parameters once; closure, if given, computes the loss again and returns it."""
        raise NotImplementedError

    def register_step_pre_hook(self, hook):
        """hook(optimizer, args, kwargs) runs before step and may replace the arguments."""
        return _add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """hook(optimizer, args, kwargs) runs after step."""
        return _add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """hook(optimizer) runs before state_dict."""
        return _add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """hook(optimizer, state_dict) runs after state_dict and may replace it."""
        return _add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """hook(optimizer, state_dict) runs before load_state_dict and may replace its argument."""
        return _add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """hook(optimizer) runs after load_state_dict."""
        return _add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _step_dtype():
    return torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32


def _new_step():
    """The step counter of one parameter's state."""
    return torch.tensor(0.0, dtype=_step_dtype())


def _number(value):
    """A learning rate and the like as a Python number."""
    return value.item() if isinstance(value, torch.Tensor) else value


class ParameterRule(Optimizer):
    """An optimizer whose rule treats one parameter at a time.

    A subclass says what a parameter's state starts with and how one gradient changes the parameter; complex tensors
    arrive as real ones with a last dimension of 2.
    """

    def step(self, closure=None):
        """Change the parameters once; closure, if given, computes the loss again and returns it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        before = torch.is_grad_enabled()
        _set_grad_enabled(bool(self.defaults.get("differentiable")))
        try:
            for group in self.param_groups:
                self._step_group(group)
        finally:
            _set_grad_enabled(before)
        return loss

    def _step_group(self, group):
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            state = self.state[param]
            if not state:
                self._start(group, param, state)
            self._update_one(group, param, grad, state)

    def _update_one(self, group, param, grad, state):
        if group["maximize"]:
            grad = -grad
        if param.is_complex():
            as_real = {key: torch.view_as_real(value) if isinstance(value, torch.Tensor) and value.is_complex()
                       else value for key, value in state.items()}
            self._update(group, torch.view_as_real(param), torch.view_as_real(grad), as_real)
        else:
            self._update(group, param, grad, state)

    def _start(self, group, param, state):
        raise NotImplementedError

    def _update(self, group, param, grad, state):
        raise NotImplementedError


def _zeros_like(param):
    return torch.zeros_like(param, memory_format=torch.preserve_format)


def _check_not_negative(value, text):
    if not 0.0 <= value:
        raise ValueError(f"Invalid {text}: {value}")


def _check_lr(lr):
    if isinstance(lr, torch.Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    _check_not_negative(lr, "learning rate")


def _check_betas(betas):
    for index in (0, 1):
        if not 0.0 <= betas[index] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
