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


class UninitializedTensorMixin:
    """A parameter or buffer without a shape; materialize(shape) makes it an ordinary one."""

    _becomes = None
    # What works without a shape: moves between types and devices.
    _allowed = {"is_floating_point", "is_complex", "half", "float", "double", "char", "short", "int", "long", "bfloat16",
                "cuda", "cpu", "to", "get_device", "detach", "requires_grad_", "__get__", "__set__", "__delete__"}

    def materialize(self, shape, device=None, dtype=None):
        """Memory of a shape, uninitialised; the device and type are those it was made with unless given."""
        self.data = torch.empty(shape, device=self.data.device if device is None else device,
                                dtype=self.data.dtype if dtype is None else dtype)
        self.__class__ = self._becomes

    @property
    def shape(self):
        raise RuntimeError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
                           "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. "
                           "Call `forward` to initialize the parameters before accessing their attributes.")

    def share_memory_(self):
        raise RuntimeError("Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
                           "parameters before calling `module.share_memory()`.")

    def __repr__(self):
        return f"<{type(self).__name__}>"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in cls._allowed:
            return super().__torch_function__(func, types, args, kwargs or {})
        raise ValueError(f"Attempted to use an uninitialized parameter in {func}. This error happens when you are using a "
                         "`LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. "
                         "When using LazyModules Call `forward` with a dummy batch to initialize the parameters before "
                         "calling torch functions")


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter that gets its shape later."""

    _becomes = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return _Tensor._make_subclass(cls, torch.empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, proto):
        return UninitializedParameter, (self.requires_grad, self.data.device, self.data.dtype)


class _MadeBuffer(_Tensor):
    """What a buffer without a shape becomes: the class of a Python object cannot change to a compiled one."""

    __torch_function__ = torch._C._disabled_torch_function_impl


class UninitializedBuffer(UninitializedTensorMixin, _Tensor):
    """A buffer that gets its shape later."""

    _becomes = _MadeBuffer

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        out = _Tensor._make_subclass(cls, torch.empty(0, device=device, dtype=dtype), requires_grad)
        out.persistent = persistent
        out._is_buffer = True
        return out


def is_lazy(value):
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(value, UninitializedTensorMixin)
