"""Parameters and buffers without a shape, which the lazy layers begin with. hwaro.nn.parameter has their names."""
import hwaro as torch
from hwaro.nn.parameter import Parameter

_Tensor = torch.Tensor


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


for _class in (UninitializedTensorMixin, UninitializedParameter, UninitializedBuffer):
    _class.__module__ = "hwaro.nn.parameter"
