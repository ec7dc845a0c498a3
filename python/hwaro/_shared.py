"""Memory that forked processes share: anonymous maps that take the place of a storage."""

import mmap
import weakref

from hwaro import _C

_maps = weakref.WeakValueDictionary()  # address -> map


def is_shared(tensor):
    """Whether the bytes of a tensor lie in shared memory."""
    return tensor._storage_nbytes() > 0 and _C._storage_bytes(tensor).data_ptr() in _maps


def shared_bytes(count):
    """A tensor of uint8 in shared memory."""
    region = mmap.mmap(-1, max(count, 1))
    out = _C.frombuffer(region, dtype=_C.uint8)[:count]
    _maps[out.data_ptr()] = region
    return out


def share_tensor(tensor):
    """Moves the bytes of one tensor to shared memory. Views of it that exist already stay where they are."""
    if tensor.is_meta or tensor.numel() == 0 or is_shared(tensor):
        return tensor
    old = _C._storage_bytes(tensor)
    new = shared_bytes(old.numel())
    new.copy_(old)
    moved = _C._tensor_on_storage(new, tensor.dtype, tensor.storage_offset(), tuple(tensor.size()), tensor.stride())
    tensor.data = moved
    return tensor


def share(storage):
    """Moves a storage to shared memory, for tensors that are made on it from now on."""
    if storage.nbytes() and not is_shared(storage._bytes):
        raise RuntimeError(
            "share_memory_() of a storage that tensors use already is not supported: call it on the tensor"
        )
