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
    return object.__format__(self, format_spec)


@_method
def __complex__(self):
    return complex(self.item())


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
        # One copy per storage, so that tensors that share memory still do afterwards.
        key = ("hwaro storage", self._storage_id())
        if key not in memo:
            whole = self.as_strided((self._storage_nbytes() // self.element_size(),), (1,), 0) if self.numel() else self
            memo[key] = (whole.clone(), self.dtype, self)
        copied, dtype, _ = memo[key]
        if dtype == self.dtype and self.numel():
            out = copied.as_strided(self.size(), self.stride(), self.storage_offset()).detach()
        else:
            out = self.detach().clone()
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


def _rebuild(cls, dtype, size, stride, data, requires_grad, attributes):
    flat = torch.frombuffer(bytearray(data), dtype=torch.uint8) if len(data) else torch.empty(0, dtype=torch.uint8)
    flat = flat.clone().view(dtype) if len(data) else torch.empty(0, dtype=dtype)
    out = flat.as_strided(size, stride) if len(data) else torch.empty(size, dtype=dtype)
    out = out.detach()
    if cls is not Tensor:
        out = Tensor._make_subclass(cls, out, False)
    if requires_grad:
        out.requires_grad_()
    if attributes:
        out.__dict__.update(attributes)
    return out


@_method
def __reduce_ex__(self, protocol):
    if not self.is_leaf:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the pickle protocol at the moment.")
    dense = self.detach().contiguous()
    data = bytes(memoryview(dense.flatten().view(torch.uint8))) if dense.numel() else b""
    return _rebuild, (type(self), self.dtype, tuple(self.size()), tuple(dense.stride()), data, self.requires_grad, dict(self.__dict__))


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
    return self


@_method
def is_shared(self):
    return False


@_method
def pin_memory(self, device=None):
    raise RuntimeError("Cannot access accelerator device when none is available.")
