"""Parameter and Buffer: tensors that a Module registers when they are assigned to it."""
import hwaro as torch

__all__ = ["Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer", "is_lazy"]

_Tensor = torch.Tensor


class _ParameterMeta(type(_Tensor)):
    # A tensor subclass keeps its class when it becomes a parameter, so isinstance also looks at the mark.
    def __instancecheck__(cls, instance):
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and isinstance(instance, _Tensor) and getattr(instance, "_is_param", False)


class _BufferMeta(type(_Tensor)):
    def __instancecheck__(cls, instance):
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Buffer and isinstance(instance, _Tensor) and getattr(instance, "_is_buffer", False)


def _rebuild_parameter(data, requires_grad, backward_hooks):
    param = Parameter(data, requires_grad)
    param._backward_hooks = backward_hooks or None
    return param


class Parameter(_Tensor, metaclass=_ParameterMeta):
    """A tensor that is a learnable part of a Module; `requires_grad` is True unless said otherwise."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # results of operators are plain tensors

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = torch.empty(0)
        if type(data) is _Tensor or type(data) is Parameter:
            return _Tensor._make_subclass(cls, data, requires_grad)
        out = data.detach().requires_grad_(requires_grad)
        if type(out) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns "
                "an "
                f"instance of the same type, but return type {type(out).__name__} was found instead. To use the type "
                "as "
                "a Parameter, please correct the detach() semantics defined by its __torch_dispatch__() "
                "implementation.")
        out._is_param = True
        return out

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        copy = type(self)(self.data.clone(memory_format=torch.preserve_format), self.requires_grad)
        memo[id(self)] = copy
        return copy

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, proto):
        from collections import OrderedDict
        return (_rebuild_parameter, (self.data, self.requires_grad, OrderedDict()))


class Buffer(_Tensor, metaclass=_BufferMeta):
    """A tensor that belongs to a Module's state without being learnt; `persistent` puts it into the state_dict.

    What comes back is a plain Tensor that carries a mark, so operators treat it like any other.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = torch.empty(0)
        out = data.detach().requires_grad_(data.requires_grad)
        out.persistent = persistent
        out._is_buffer = True
        return out


# Classes with a __torch_function__ of their own: from their definition on, every call of an operator asks whether it is
# theirs. So they are defined at their first use.
_UNINITIALIZED = frozenset(["UninitializedTensorMixin", "UninitializedParameter", "UninitializedBuffer", "is_lazy"])


def __getattr__(name):
    if name not in _UNINITIALIZED:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from hwaro.nn import _uninitialized

    globals()[name] = getattr(_uninitialized, name)
    return globals()[name]
