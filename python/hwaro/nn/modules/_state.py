"""How a Module writes its state_dict and reads one back."""
from collections import OrderedDict, namedtuple

import hwaro as torch
from hwaro.nn.modules import _hooks
from hwaro.nn.parameter import Parameter

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _quoted(keys):
    return ", ".join(f'"{key}"' for key in keys)


class _BoundHook:
    """A load pre-hook that is called with its module first; the module is held weakly."""

    def __init__(self, hook, module):
        import weakref
        self.hook, self.module = hook, weakref.ref(module)
        self.with_module = True

    def __call__(self, *args, **kwargs):
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self):
        return {"hook": self.hook, "module": self.module()}

    def __setstate__(self, state):
        import weakref
        self.hook, self.module, self.with_module = state["hook"], weakref.ref(state["module"]), True


class StateDictMixin:
    """The state_dict half of Module."""

    def get_extra_state(self):
        """Extra state for the state_dict; a module that defines this also defines set_extra_state."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug.")

    def set_extra_state(self, state):
        """Takes what get_extra_state gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug.")

    def _own_extra_state(self, which):
        return getattr(type(self), which) is not getattr(StateDictMixin, which)

    def _persistent_buffers(self):
        hidden = self._non_persistent_buffers_set
        return {name: buffer for name, buffer in self._buffers.items() if buffer is not None and name not in hidden}

    # ---- writing ----------------------------------------------------------------------------------------------------

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for members in (self._parameters, self._persistent_buffers()):
            for name, value in members.items():
                if value is not None:
                    destination[prefix + name] = value if keep_vars else value.detach()
        if self._own_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """The parameters and persistent buffers of the whole tree by dotted name; detached unless keep_vars."""
        if args:
            import warnings
            warnings.warn("Positional args are being deprecated, use kwargs instead. Refer to "
                          "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
                          " for details.", FutureWarning, stacklevel=2)
            given = dict(zip(("destination", "prefix", "keep_vars"), args))
            if destination is None:
                destination = given["destination"]
            prefix = prefix or given.get("prefix", "")
            keep_vars = keep_vars or given.get("keep_vars", False)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        own = self.__dict__
        for hook in (own.get("_state_dict_pre_hooks") or {}).values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
        for hook in (own.get("_state_dict_hooks") or {}).values():
            result = hook(self, destination, prefix, local_metadata)
            if getattr(hook, "_from_public_api", False):
                if result is not None:
                    raise RuntimeError("state_dict post-hook must return None")
            elif result is not None:
                destination = result
        return destination

    def register_state_dict_pre_hook(self, hook):
        """hook(module, prefix, keep_vars) runs before state_dict collects."""
        return _hooks.register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """hook(module, state_dict, prefix, local_metadata) runs after state_dict has collected."""
        hook._from_public_api = True
        return _hooks.register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError("Cannot register the same function as the state dict post hook that was previously "
                               "registered via register_state_dict_post_hook")
        return _hooks.register(self._state_dict_hooks, hook)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def register_load_state_dict_pre_hook(self, hook):
        """hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors) before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        return _hooks.register(self._load_state_dict_pre_hooks, _BoundHook(hook, self) if with_module else hook)

    def register_load_state_dict_post_hook(self, hook):
        """hook(module, incompatible_keys) runs after load_state_dict and may change the lists."""
        return _hooks.register(self._load_state_dict_post_hooks, hook)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                              error_msgs):
        own = self.__dict__
        for hook in (own.get("_load_state_dict_pre_hooks") or {}).values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        members = {name: value for name, value in self._parameters.items() if value is not None}
        members.update(self._persistent_buffers())
        for name, mine in members.items():
            key = prefix + name
            if key in state_dict:
                self._load_one(name, key, mine, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)

        extra_key = prefix + _EXTRA_STATE_KEY_SUFFIX
        if self._own_extra_state("set_extra_state"):
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    first, *rest = key[len(prefix):].split(".", 1)
                    if first not in (self._modules if rest else members):
                        unexpected_keys.append(key)

    def _load_one(self, name, key, mine, given, assign, error_msgs):
        if not isinstance(given, torch.Tensor):
            error_msgs.append(f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
                              f"from checkpoint but received {type(given)}")
            return
        if mine.dim() == 0 and given.dim() == 1 and len(given) == 1:
            given = given[0]  # Files older than 0-dim tensors hold scalars as one element.
        if given.shape != mine.shape:
            error_msgs.append(f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                              f"the shape in current model is {mine.shape}.")
            return
        if mine.is_meta and not given.is_meta and not assign:
            import warnings
            warnings.warn(f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the "
                          "current model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the "
                          "state dictionary to their corresponding key in the module instead of copying them in "
                          "place?)")
        try:
            with torch.no_grad():
                if not assign:
                    mine.copy_(given)
                elif isinstance(mine, Parameter):
                    if not isinstance(given, Parameter):
                        given = Parameter(given, requires_grad=mine.requires_grad)
                    else:
                        given.requires_grad_(mine.requires_grad)
                    setattr(self, name, given)
                else:
                    setattr(self, name, given)
        except Exception as error:
            action = "swapping" if assign else "copying"
            error_msgs.append(f'While {action} the parameter named "{key}", whose dimensions in the model are '
                              f"{mine.size()} and whose dimensions in the checkpoint are {given.size()}, an exception "
                              f"occurred : {error.args}.")

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy (or, with assign, take over) the tensors of state_dict; returns the missing and unexpected keys."""
        from collections.abc import Mapping
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing, unexpected, errors = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module, local_state, prefix=""):
            local = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local["assign_to_params_buffers"] = assign
            module._load_from_state_dict(local_state, prefix, local, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    child_prefix = prefix + name + "."
                    load(child, {key: value for key, value in local_state.items() if key.startswith(child_prefix)},
                         child_prefix)
            result = _IncompatibleKeys(missing, unexpected)
            for hook in (module.__dict__.get("_load_state_dict_post_hooks") or {}).values():
                if hook(module, result) is not None:
                    raise AssertionError("Hooks registered with ``register_load_state_dict_post_hook`` are not "
                                         "expected "
                                         "to return new values, if incompatible_keys need to be modified, it should be "
                                         "done inplace.")

        load(self, state_dict)
        if strict:
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            raise RuntimeError("Error(s) in loading state_dict for {}:\n\t{}".format(
                type(self).__name__, "\n\t".join(errors)))
        return _IncompatibleKeys(missing, unexpected)
