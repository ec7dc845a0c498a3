"""Variable, the old name of a tensor with a gradient."""
from hwaro import _C


class _VariableMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, _C.Tensor)

    def __call__(cls, data=None, requires_grad=False, volatile=None):
        if volatile:
            import warnings
            warnings.warn("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                          stacklevel=2)
        if data is None:
            import hwaro as torch
            return torch.empty(0)
        out = data.detach() if isinstance(data, _C.Tensor) else _C.tensor(data)
        return out.requires_grad_() if requires_grad else out


class Variable(metaclass=_VariableMeta):
    """Variable(t, requires_grad=False) is t itself, without history."""
