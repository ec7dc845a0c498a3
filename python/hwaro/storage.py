"""Storages: the bytes that tensors share."""

import warnings
import weakref

from hwaro import _C

__all__ = ["UntypedStorage", "TypedStorage"]

_known = weakref.WeakValueDictionary()  # id of the engine's storage -> its UntypedStorage: one object per storage


class UntypedStorage:
    """The bytes behind one or more tensors. While it lives, `_cdata` identifies them."""

    __module__ = "torch.storage"

    def __init__(self, size=0, device=None):
        data = (
            _C.tensor(list(size), dtype=_C.uint8)
            if isinstance(size, (list, tuple))
            else _functions()["empty"](size, dtype=_C.uint8)
        )
        self._adopt(data)

    def _adopt(self, data):
        self._bytes = data  # a tensor of uint8 over the whole storage
        _known[data._storage_id()] = self
        return self

    @property
    def _cdata(self):
        return self._bytes._storage_id()

    @property
    def device(self):
        return self._bytes.device

    @property
    def is_cuda(self):
        return False

    def data_ptr(self):
        return self._bytes.data_ptr()

    def nbytes(self):
        return self._bytes._storage_nbytes()

    def size(self):
        return self.nbytes()

    def __len__(self):
        return self.nbytes()

    def element_size(self):
        return 1

    def type(self):
        return "torch.UntypedStorage"

    def _all(self):
        if self._bytes.numel() != self.nbytes():  # a tensor resized it meanwhile
            self._bytes = _C._storage_bytes(self._bytes)
        return self._bytes

    def __getitem__(self, index):
        if isinstance(index, slice):
            return UntypedStorage.__new__(UntypedStorage)._adopt(self._all()[index].clone())
        return self._all()[index].item()

    def __setitem__(self, index, value):
        self._all()[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def tolist(self):
        return self._all().tolist()

    def clone(self):
        return UntypedStorage.__new__(UntypedStorage)._adopt(self._all().clone())

    def copy_(self, source, non_blocking=None):
        self._all().copy_((source._untyped_storage if isinstance(source, TypedStorage) else source)._all())
        return self

    def fill_(self, value):
        self._all().fill_(value)
        return self

    def resize_(self, size):
        _C._tensor_on_storage(self._bytes, _C.uint8, 0, (self.nbytes(),), (1,)).resize_(size)
        self._all()
        return self

    def cpu(self):
        return self

    def untyped(self):
        return self

    def is_shared(self):
        from hwaro._shared import is_shared

        return is_shared(self._bytes)

    def share_memory_(self):
        from hwaro._shared import share

        share(self)
        return self

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and self._cdata == other._cdata

    def __hash__(self):
        return hash(self._cdata)

    def __repr__(self):
        shown = "".join(f" {b}\n" for b in self.tolist())
        return f"{shown}[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"

    def __copy__(self):
        return self.clone()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = self.clone()
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        data = memoryview(self._all()) if self.nbytes() else b""
        if protocol >= 5 and self.nbytes():
            import pickle

            return _storage_from, (pickle.PickleBuffer(data),)
        return _storage_from, (bytes(data),)


def _functions():
    return _C.functions


def _storage_from(data):
    if len(data) == 0:
        return UntypedStorage(0)
    return UntypedStorage.__new__(UntypedStorage)._adopt(_C.frombuffer(bytearray(data), dtype=_C.uint8).clone())


def untyped_storage_of(tensor):
    """The one UntypedStorage of the storage of a tensor."""
    if tensor.is_meta:
        raise NotImplementedError("Cannot access data pointer of Storage that is invalid.")
    found = _known.get(tensor._storage_id())
    if found is None or found._bytes._storage_id() != tensor._storage_id():
        found = UntypedStorage.__new__(UntypedStorage)._adopt(_C._storage_bytes(tensor))
    return found


_DTYPES = {
    "Float": _C.float32,
    "Double": _C.float64,
    "Half": _C.float16,
    "BFloat16": _C.bfloat16,
    "Long": _C.int64,
    "Int": _C.int32,
    "Short": _C.int16,
    "Char": _C.int8,
    "Byte": _C.uint8,
    "Bool": _C.bool,
    "ComplexFloat": _C.complex64,
    "ComplexDouble": _C.complex128,
}


class TypedStorage:
    """A storage as elements of one type; kept for programs that were written for it."""

    __module__ = "torch.storage"
    dtype = None

    def __init__(self, *args, wrap_storage=None, dtype=None, device=None, _internal=False):
        if dtype is not None:
            self.dtype = dtype
        elif self.dtype is None:
            self.dtype = _C.get_default_dtype()
        if wrap_storage is not None:
            self._untyped_storage = wrap_storage.untyped()
        elif args and isinstance(args[0], (list, tuple)):
            self._untyped_storage = untyped_storage_of(_C.tensor(list(args[0]), dtype=self.dtype))
        else:
            self._untyped_storage = UntypedStorage((args[0] if args else 0) * self.dtype.itemsize)

    def _tensor(self):
        return _C._tensor_on_storage(self._untyped_storage._bytes, self.dtype, 0, (self.size(),), (1,))

    @property
    def device(self):
        return self._untyped_storage.device

    def untyped(self):
        return self._untyped_storage

    @property
    def _cdata(self):
        return self._untyped_storage._cdata

    def data_ptr(self):
        return self._untyped_storage.data_ptr()

    def nbytes(self):
        return self._untyped_storage.nbytes()

    def size(self):
        return self.nbytes() // self.dtype.itemsize

    def __len__(self):
        return self.size()

    def element_size(self):
        return self.dtype.itemsize

    def tolist(self):
        return self._tensor().tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        return (
            self._tensor()[index].item()
            if not isinstance(index, slice)
            else TypedStorage(self._tensor()[index].tolist(), dtype=self.dtype)
        )

    def __setitem__(self, index, value):
        self._tensor()[index] = value

    def fill_(self, value):
        self._tensor().fill_(value)
        return self

    def copy_(self, source, non_blocking=None):
        self._tensor().copy_(source._tensor())
        return self

    def clone(self):
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    def cpu(self):
        return self

    def is_shared(self):
        return self._untyped_storage.is_shared()

    def share_memory_(self):
        self._untyped_storage.share_memory_()
        return self

    def pickle_storage_type(self):
        return next(name for name, dtype in _DTYPES.items() if dtype == self.dtype) + "Storage"

    def __eq__(self, other):
        return (
            isinstance(other, TypedStorage)
            and self.dtype == other.dtype
            and self._untyped_storage == other._untyped_storage
        )

    def __hash__(self):
        return hash((self.dtype, self._untyped_storage))

    def __repr__(self):
        shown = "".join(f" {v}\n" for v in self.tolist())
        return f"{shown}[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"

    def __deepcopy__(self, memo):
        import copy

        return TypedStorage(wrap_storage=copy.deepcopy(self._untyped_storage, memo), dtype=self.dtype)

    def __reduce__(self):
        return _typed_from, (self._untyped_storage, self.dtype)


def _typed_from(untyped, dtype):
    return TypedStorage(wrap_storage=untyped, dtype=dtype)


def typed_storage_of(tensor):
    return TypedStorage(wrap_storage=untyped_storage_of(tensor), dtype=tensor.dtype)


_warned = []


def _warn_typed_storage_removal(stacklevel=2):
    if _warned and not _C.is_warn_always_enabled():
        return
    _warned.append(True)
    warnings.warn(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage"
        " class. This should only matter to you if you are using storages directly.  To access UntypedStorage directly,"
        " use tensor.untyped_storage() instead of tensor.storage()",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


# torch.FloatStorage and its like: names by which files say the type of a storage.
_CLASSES = {
    name + "Storage": type(name + "Storage", (TypedStorage,), {"dtype": dtype, "__module__": "torch"})
    for name, dtype in _DTYPES.items()
}
globals().update(_CLASSES)
