"""How tensors are put together again when they are unpickled. The names are those that PyTorch's files use."""

import collections

from hwaro import _C


def _storage_bytes_of(storage):
    return storage._untyped_storage._bytes if hasattr(storage, "_untyped_storage") else storage._bytes


def _build(storage, dtype, offset, size, stride):
    size, stride = tuple(size), tuple(stride)
    if getattr(storage, "_meta", False):
        return _C.functions["empty_strided"](size, stride, dtype=dtype, device="meta")
    return _C._tensor_on_storage(_storage_bytes_of(storage), dtype, offset, size, stride)


def _rebuild_tensor(storage, storage_offset, size, stride):
    return _build(storage, storage.dtype, storage_offset, size, stride)


def _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None):
    return _rebuild_tensor_v3(
        storage, storage_offset, size, stride, requires_grad, backward_hooks, storage.dtype, metadata
    )


def _rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, dtype, metadata=None):
    tensor = _build(storage, dtype, storage_offset, size, stride)
    if metadata and metadata.get("conj"):
        tensor = tensor.conj()
    if metadata and metadata.get("neg"):
        tensor = -tensor
    if requires_grad:
        tensor = tensor.detach().requires_grad_() if metadata else tensor.requires_grad_()
    return tensor


def _rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad):
    return _C.functions["empty_strided"](tuple(size), tuple(stride), dtype=dtype, device="meta").requires_grad_(
        requires_grad
    )


def _rebuild_parameter(data, requires_grad, backward_hooks):
    from hwaro.nn import Parameter

    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    return _set_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _rebuild_from_type_v2(func, new_type, args, state):
    tensor = func(*args)
    if type(tensor) is not new_type:
        tensor = _C.Tensor._make_subclass(new_type, tensor, tensor.requires_grad)
    if hasattr(tensor, "__setstate__"):
        tensor.__setstate__(state)
        return tensor
    return _set_state(tensor, state)


def _set_state(obj, state):
    """Attributes of a tensor: a dict, or (dict, slots)."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    if attributes:
        obj.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(obj, name, value)
    return obj


def _metadata(tensor):
    return {"conj": True} if tensor.is_conj() else None


def reduce_tensor(tensor):
    """(function, arguments) that make a tensor again, with its class and attributes."""
    from hwaro.storage import TypedStorage, untyped_storage_of

    hooks = collections.OrderedDict()
    if tensor.is_meta:
        function, args = _rebuild_meta_tensor_no_storage, (
            tensor.dtype,
            tuple(tensor.size()),
            tuple(tensor.stride()),
            tensor.requires_grad,
        )
    else:
        storage = TypedStorage(wrap_storage=untyped_storage_of(tensor), dtype=tensor.dtype)
        args = (
            storage,
            tensor.storage_offset(),
            tuple(tensor.size()),
            tuple(tensor.stride()),
            tensor.requires_grad,
            hooks,
        )
        function, metadata = _rebuild_tensor_v2, _metadata(tensor)
        if metadata:
            args += (metadata,)
    cls, state = type(tensor), dict(tensor.__dict__)
    if cls is _C.Tensor and not state:
        return function, args
    if cls.__name__ == "Parameter" and cls.__module__.endswith("nn.parameter"):
        data = tensor.detach()
        if state:
            return _rebuild_parameter_with_state, (data, tensor.requires_grad, hooks, state)
        return _rebuild_parameter, (data, tensor.requires_grad, hooks)
    return _rebuild_from_type_v2, (function, cls, args, state)


def _tensor_class():
    return _C.Tensor


def reduce_class(cls):
    """Tensor says that it is of the module torch, which need not exist: it is pickled as a call."""
    return (_tensor_class, ()) if cls is _C.Tensor else cls.__qualname__


def _make_size(values):
    return _C.Size(values)


def _make_device(*args):
    return _C.device(*args)
