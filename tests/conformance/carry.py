"""Carries values between PyTorch and Hwaro, and compares what came out."""

import math

import hwaro
import torch

DTYPES = {
    getattr(torch, name): getattr(hwaro, name)
    for name in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
}

# Relative and absolute tolerances by type: a few roundings of the type itself.
TOLERANCE = {
    torch.float16: (2e-3, 2e-3),
    torch.bfloat16: (2e-2, 2e-2),
    torch.float32: (2e-5, 2e-5),
    torch.complex64: (5e-5, 5e-5),
    torch.float64: (1e-9, 1e-9),
    torch.complex128: (1e-9, 1e-9),
}


class NotCarried(Exception):
    """A value that Hwaro has no counterpart for: sparse, quantized, complex32, a subclass."""


def storage_of(tensor):
    """The whole storage as a flat tensor of the same type."""
    count = tensor.untyped_storage().nbytes() // tensor.element_size()
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage(), 0, (count,), (1,))


def flat_copy(plain):
    """A flat Hwaro tensor with a copy of the whole storage of a PyTorch tensor."""
    flat = storage_of(plain).clone()  # a storage that NumPy has seen cannot be resized any more
    if flat.dtype == torch.bfloat16:  # NumPy does not have it: the bits travel as int16
        return hwaro.tensor(flat.view(torch.int16).numpy()).view(hwaro.bfloat16)
    return hwaro.tensor(flat.numpy())


def tensor_to_hwaro(value, storages):
    if value.layout != torch.strided or value.dtype not in DTYPES or value.is_quantized:
        raise NotCarried(f"{value.dtype}, {value.layout}")
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        raise NotCarried(type(value).__name__)
    if value.device.type != "cpu":
        raise NotCarried(f"device {value.device}")
    if ("tensor", id(value)) in storages:  # an argument that is given twice is one tensor on the other side too
        return storages["tensor", id(value)]
    plain, lazy = value.detach(), value.is_conj()
    plain = (plain.conj() if lazy else plain).resolve_neg()
    key = (plain.untyped_storage().data_ptr(), plain.dtype, plain.untyped_storage().nbytes())
    if key not in storages or not key[2]:  # empty storages are all at address zero
        storages[key] = (flat_copy(plain), plain)  # the second keeps the address from being used again
    out = storages[key][0].as_strided(tuple(plain.shape), plain.stride(), plain.storage_offset()).detach()
    out = out.conj() if lazy else out
    storages["tensor", id(value)] = out.requires_grad_() if value.requires_grad else out
    return storages["tensor", id(value)]


def to_hwaro(value, storages=None):
    """The same value for Hwaro: each storage copied once, each tensor rebuilt on it; layout and aliasing survive."""
    storages = {} if storages is None else storages
    if isinstance(value, torch.Tensor):
        return tensor_to_hwaro(value, storages)
    if isinstance(value, torch.dtype):
        if value not in DTYPES:
            raise NotCarried(str(value))
        return DTYPES[value]
    if isinstance(value, torch.device):
        return hwaro.device(str(value))
    if isinstance(value, (torch.memory_format, torch.layout)):
        return getattr(hwaro, str(value).split(".")[1])
    if isinstance(value, torch.Generator):
        return hwaro.Generator().manual_seed(value.initial_seed())
    if isinstance(value, torch.Size):
        return hwaro.Size(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(to_hwaro(v, storages) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(to_hwaro(v, storages) for v in value)
    if isinstance(value, dict):
        return {k: to_hwaro(v, storages) for k, v in value.items()}
    if isinstance(value, slice):
        return slice(*(to_hwaro(v, storages) for v in (value.start, value.stop, value.step)))
    if type(value).__module__.partition(".")[0] == "torch":
        raise NotCarried(type(value).__name__)
    return value


def to_torch(ours):
    """The same elements as a PyTorch tensor (layout is not kept)."""
    ours = ours.detach().resolve_conj().contiguous()
    if str(ours.dtype) == "torch.bfloat16":
        return torch.from_numpy(ours.view(hwaro.int16).numpy()).view(torch.bfloat16)
    return torch.from_numpy(ours.numpy())


def real_strides(tensor):
    """Strides that can be observed: those of dimensions with more than one element, of a tensor with elements."""
    if tensor.numel() == 0:
        return ()
    return tuple(stride for size, stride in zip(tensor.shape, tensor.stride()) if size > 1)


def stride_difference(ours, theirs, path="result"):
    """Where the layout of the results parts, else None."""
    if isinstance(theirs, torch.Tensor):
        if (
            theirs.layout != torch.strided
            or tuple(ours.shape) != tuple(theirs.shape)
            or real_strides(ours) == real_strides(theirs)
        ):
            return None
        return f"{path}: shape {tuple(theirs.shape)} has strides {ours.stride()} instead of {theirs.stride()}"
    if isinstance(theirs, (tuple, list)):
        parts = (stride_difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs)))
        return next((part for part in parts if part), None)
    return None


def tensor_difference(ours, theirs, path, values, scale):
    if not isinstance(ours, hwaro.Tensor):
        return f"{path}: {type(ours).__name__} instead of a tensor"
    if theirs.layout != torch.strided or theirs.dtype not in DTYPES:
        raise NotCarried(f"a result of {theirs.dtype}, {theirs.layout}")
    if str(ours.dtype) != str(theirs.dtype):
        return f"{path}: {ours.dtype} instead of {theirs.dtype}"
    if tuple(ours.shape) != tuple(theirs.shape):
        return f"{path}: shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}"
    if str(ours.device) != str(theirs.device):
        return f"{path}: on {ours.device} instead of {theirs.device}"
    if not values or theirs.device.type == "meta":
        return None
    theirs, a = theirs.detach().resolve_conj().resolve_neg(), to_torch(ours)
    if theirs.dtype not in TOLERANCE:
        if torch.equal(a, theirs):
            return None
        where = (a != theirs).nonzero()[0].tolist()
    else:
        rtol, atol = (bound * scale for bound in TOLERANCE[theirs.dtype])
        close = torch.isclose(a, theirs, rtol=rtol, atol=atol, equal_nan=True)
        if close.all():
            return None
        where = (~close).nonzero()[0].tolist()
    return f"{path}: at {where}: {a[tuple(where)].item()} instead of {theirs[tuple(where)].item()}"


def difference(ours, theirs, path="result", values=True, scale=1):
    """None where both agree, else where and how they differ. values=False: types and shapes only."""
    if isinstance(theirs, torch.Tensor):
        return tensor_difference(ours, theirs, path, values, scale)
    if isinstance(theirs, (tuple, list)):
        if not isinstance(ours, (tuple, list)):
            return f"{path}: {type(ours).__name__} instead of {type(theirs).__name__}"
        if type(ours).__name__ != type(theirs).__name__ or len(ours) != len(theirs):
            return f"{path}: {type(ours).__name__} of {len(ours)} instead of {type(theirs).__name__} of {len(theirs)}"
        parts = (difference(a, b, f"{path}[{i}]", values, scale) for i, (a, b) in enumerate(zip(ours, theirs)))
        return next((part for part in parts if part), None)
    if isinstance(theirs, float) and isinstance(ours, float):
        same = math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(ours) and math.isnan(theirs))
        return None if same or not values else f"{path}: {ours} instead of {theirs}"
    if isinstance(theirs, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
        return None if str(ours) == str(theirs) else f"{path}: {ours} instead of {theirs}"
    if type(ours).__name__ != type(theirs).__name__:
        return f"{path}: {type(ours).__name__} instead of {type(theirs).__name__}"
    return None if ours == theirs or not values else f"{path}: {ours!r} instead of {theirs!r}"


def flat_tensors(value):
    """All tensors in nested lists, tuples and dicts, in order."""
    if isinstance(value, (torch.Tensor, hwaro.Tensor)):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in flat_tensors(v)]
    return []


def shown(value):
    """A call in short: tensors as type and shape."""
    if isinstance(value, torch.Tensor):
        layout = "" if value.is_contiguous() else f" strides {value.stride()}"
        return f"<{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}{layout}>"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return repr(value)


def error_of(function):
    """(class, first line) of what a call raises, and None; or None and its result."""
    try:
        return None, function()
    except Exception as error:  # noqa: BLE001  (whatever is raised is what is compared)
        return (type(error).__name__, str(error).splitlines()[0] if str(error) else ""), None
