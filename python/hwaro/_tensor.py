"""Methods of Tensor that need no speed, written in Python and put on the compiled type."""

import copyreg

import hwaro as torch
from hwaro import _C

Tensor = _C.Tensor


def _of_class(self, out):
    """out as an instance of self's class, where that class wants so."""
    if type(self) is Tensor or not _C._has_torch_function((self,)):
        return out
    from hwaro.overrides import _convert

    return _convert(out, type(self))


def _method(function):
    _C._add_tensor_method(function.__name__, function)
    return function


def __torch_function__(cls, func, types, args=(), kwargs=None):
    """What subclasses do with calls that they take part in: run them and give results of their own class."""
    from hwaro.overrides import _default

    return _default(cls, func, types, args, kwargs)


_C._add_tensor_method("__torch_function__", classmethod(__torch_function__))
_C._add_tensor_method("__rdiv__", _C.Tensor.__rtruediv__)


@_method
def __iter__(self):
    if self.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@_method
def __contains__(self, element):
    if isinstance(element, (Tensor, int, float, complex, bool)):
        return bool((element == self).any().item())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


@_method
def __reversed__(self):
    return self if self.dim() == 0 else self.flip(0)


@_method
def __format__(self, format_spec):
    if self.dim() == 0 and not self.is_meta and type(self) is Tensor:
        return self.item().__format__(format_spec)
    if format_spec:
        raise TypeError(f"unsupported format string passed to {type(self).__name__}.__format__")
    return str(self)


@_method
def __complex__(self):
    return complex(self.item())


_C._add_tensor_method("__array_priority__", 1000)  # NumPy's operators leave the call to ours


@_method
def __dir__(self):
    return sorted(set(dir(type(self))) | set(self.__dict__))


@_method
def __deepcopy__(self, memo):
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment. "
            " If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage,"
            " see https://github.com/pytorch/pytorch/pull/103001"
        )
    with torch.no_grad():
        if self.is_meta or self.numel() == 0:
            out = self.detach().clone()
        else:
            # One copy per storage, so that tensors that share memory still do afterwards.
            key = ("hwaro storage", self._storage_id())
            if key not in memo:
                memo[key] = (_C._storage_bytes(self).clone(), self)
            out = _C._tensor_on_storage(
                memo[key][0], self.dtype, self.storage_offset(), tuple(self.size()), self.stride()
            )
            if self.is_conj():
                out = out.conj()
        if type(self) is not Tensor:
            out = Tensor._make_subclass(type(self), out, False)
        if self.requires_grad:
            out.requires_grad_()
        memo[id(self)] = out
        if self.grad is not None:
            out.grad = self.grad.__deepcopy__(memo)
        if self.__dict__:
            import copy

            out.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return out


@_method
def __reduce_ex__(self, protocol):
    from hwaro._utils import reduce_tensor

    return reduce_tensor(self)


def _reduce_class(cls):
    from hwaro._utils import reduce_class

    return reduce_class(cls)


copyreg.pickle(_C._TensorMeta, _reduce_class)


@_method
def untyped_storage(self):
    """The bytes that this tensor shares with its views."""
    from hwaro.storage import untyped_storage_of

    return untyped_storage_of(self)


@_method
def storage(self):
    from hwaro import storage as module

    module._warn_typed_storage_removal(stacklevel=2)
    return module.typed_storage_of(self)


@_method
def _typed_storage(self):
    from hwaro.storage import typed_storage_of

    return typed_storage_of(self)


@_method
def storage_type(self):
    from hwaro import storage as module

    return module._CLASSES[module.typed_storage_of(self).pickle_storage_type()]


# The division methods of Python 2, which old programs call by name.
_C._add_tensor_method("__div__", torch.Tensor.__truediv__)
_C._add_tensor_method("__idiv__", torch.Tensor.__itruediv__)


@_method
def __rdiv__(self, other):
    return self.reciprocal() * other


@_method
def __array_wrap__(self, array, *args):
    if array.dtype == bool:
        # NumPy's comparisons give bool, ours uint8 in old programs.
        array = array.astype("uint8")
    return torch.from_numpy(array)


@_method
def cpu(self, *args, memory_format=None):
    if args:
        raise TypeError(f"cpu() takes 0 positional arguments but {len(args)} {'was' if len(args) == 1 else 'were'} given")
    return self.to("cpu") if memory_format is None else self.to("cpu", memory_format=memory_format)


@_method
def cuda(self, device=None, non_blocking=False, memory_format=None):
    return self.to(torch.device("cuda") if device is None else device)


def _cast(name, dtype):
    def cast(self, *args, memory_format=None):
        if args:
            count = len(args)
            raise TypeError(f"{name}() takes 0 positional arguments but {count} {'was' if count == 1 else 'were'} given")
        return self.to(dtype) if memory_format is None else self.to(dtype, memory_format=memory_format)

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"self as {dtype}."
    _C._add_tensor_method(name, cast)


for _name, _dtype in dict(
    float=_C.float32,
    double=_C.float64,
    half=_C.float16,
    bfloat16=_C.bfloat16,
    int=_C.int32,
    long=_C.int64,
    short=_C.int16,
    char=_C.int8,
    byte=_C.uint8,
    bool=_C.bool,
    cfloat=_C.complex64,
    cdouble=_C.complex128,
).items():
    _cast(_name, _dtype)


@_method
def type_as(self, other):
    if not isinstance(other, torch.Tensor):
        raise TypeError(f"type_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return self.to(other.dtype) if self.device == other.device else self.to(other)


@_method
def share_memory_(self):
    """Moves the bytes to memory that forked processes share."""
    from hwaro._shared import share_tensor

    return share_tensor(self)


@_method
def is_shared(self):
    from hwaro._shared import is_shared

    return is_shared(self)


@_method
def pin_memory(self, device=None):
    raise RuntimeError("Cannot access accelerator device when none is available.")


@_method
def module_load(self, other, assign=False):
    """What Module.load_state_dict puts into this tensor."""
    return other.detach() if assign else self.copy_(other).detach()


@_method
def dim_order(self, ambiguity_check=False):
    """The dimensions from the outermost to the innermost in memory."""
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


@_method
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A copy of data, of this tensor's type and device unless said otherwise."""
    dtype = self.dtype if dtype is None else dtype
    device = self.device if device is None else device
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than tensor.new_tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        return data.detach().to(dtype=dtype, device=device, copy=True).requires_grad_(requires_grad)
    return _of_class(self, torch.tensor(data, dtype=dtype, device=device, requires_grad=requires_grad))


@_method
def nonzero(self, *, as_tuple=False):
    """The coordinates of elements that are not zero, as rows; with as_tuple one vector per dimension."""
    return torch.nonzero(self, as_tuple=as_tuple)


@_method
def new(self, *args, device=None):
    """A tensor of this type: of a size, or with the given elements."""
    return _of_class(self, _C.legacy_new(self.dtype, args))


@_method
def as_subclass(self, cls):
    """The same tensor, with its history, as an instance of a subclass."""
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        raise TypeError(
            "cls must be a type (got " + type(cls).__name__ + ")"
            if not isinstance(cls, type)
            else f"Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure "
            "your class inherits from Tensor."
        )
    return _C._as_subclass(self, cls)


def _resized(self, size):
    count = 1
    for n in size:
        count *= n
    if count != self.numel():
        raise RuntimeError(
            f"requested resize to {'x'.join(map(str, size))} ({count} elements in total), but the given tensor has a "
            f"size of {'x'.join(map(str, self.shape))} ({self.numel()} elements). autograd's resize can only change the "
            "shape of a given tensor, while preserving the number of elements. "
        )
    return self.contiguous().view(size)


@_method
def resize(self, *sizes):
    """The old name of view(), for any strides."""
    import warnings

    warnings.warn("non-inplace resize is deprecated", stacklevel=2)
    return _resized(self, tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes)


@_method
def resize_as(self, tensor):
    import warnings

    warnings.warn("non-inplace resize_as is deprecated", stacklevel=2)
    return _resized(self, tuple(tensor.shape))


@_method
def reinforce(self, reward):
    raise RuntimeError("reinforce() was removed.\nUse torch.distributions instead.")


@_method
def is_nonzero(self):
    return bool(self)


@_method
def _is_view(self):
    return self._base is not None


@_method
def is_distributed(self):
    return False


@_method
def is_coalesced(self):
    raise RuntimeError("is_coalesced expected sparse coordinate tensor layout but got Strided")


@_method
def to_dense(self, dtype=None, *, masked_grad=None):
    return self if dtype is None else self.to(dtype)


@_method
def apply_(self, callable):
    """Replaces each element by callable(element), in Python."""
    if not self.is_cpu:
        raise TypeError("apply_ is only implemented on CPU tensors")
    with torch.no_grad():
        flat = torch.tensor([callable(v) for v in self.flatten().tolist()], dtype=self.dtype)
        return self.copy_(flat.view(self.shape))


@_method
def map_(self, tensor, callable):
    """Replaces each element by callable(element, the one of tensor), in Python."""
    with torch.no_grad():
        pairs = zip(self.flatten().tolist(), tensor.expand(self.shape).flatten().tolist())
        return self.copy_(torch.tensor([callable(a, b) for a, b in pairs], dtype=self.dtype).view(self.shape))


@_method
def record_stream(self, s):
    raise NotImplementedError("Could not run 'aten::record_stream' with arguments from the 'CPU' backend.")


import hwaro._unique  # noqa: E402,F401  (unique and unique_consecutive as methods)
import hwaro._removed  # noqa: E402,F401  (names that say what to use)
