"""Methods of Tensor that need no speed, written in Python and put on the compiled type."""
import hwaro as torch
from hwaro import _C

Tensor = _C.Tensor


def _method(function):
    _C._add_tensor_method(function.__name__, function)
    return function


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
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001")
    with torch.no_grad():
        if self.is_meta or self.numel() == 0:
            out = self.detach().clone()
        else:
            # One copy per storage, so that tensors that share memory still do afterwards.
            key = ("hwaro storage", self._storage_id())
            if key not in memo:
                memo[key] = (_C._storage_bytes(self).clone(), self)
            out = _C._tensor_on_storage(memo[key][0], self.dtype, self.storage_offset(), tuple(self.size()), self.stride())
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
    if not self.is_leaf:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the pickle protocol at the moment.")
    from hwaro._utils import reduce_tensor
    return reduce_tensor(self)


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


@_method
def __array_wrap__(self, array, *args):
    if array.dtype == bool:
        # NumPy's comparisons give bool, ours uint8 in old programs.
        array = array.astype("uint8")
    return torch.from_numpy(array)


@_method
def cpu(self, memory_format=None):
    return self.to("cpu")


@_method
def cuda(self, device=None, non_blocking=False, memory_format=None):
    return self.to(torch.device("cuda") if device is None else device)


def _cast(name, dtype):
    def cast(self, memory_format=None):
        return self.to(dtype) if memory_format is None else self.to(dtype, memory_format=memory_format)
    cast.__name__ = name
    cast.__doc__ = f"self as {dtype}."
    _C._add_tensor_method(name, cast)


for _name, _dtype in dict(float=_C.float32, double=_C.float64, half=_C.float16, bfloat16=_C.bfloat16, int=_C.int32, long=_C.int64, short=_C.int16,
                          char=_C.int8, byte=_C.uint8, bool=_C.bool, cfloat=_C.complex64, cdouble=_C.complex128).items():
    _cast(_name, _dtype)


@_method
def type_as(self, other):
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
