"""Carries values between PyTorch and Hwaro, and compares what came out."""
import math

import hwaro
import torch

DTYPES = {getattr(torch, name): getattr(hwaro, name)
          for name in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()}

# Relative and absolute tolerances by type: a few roundings of the type itself.
TOLERANCE = {torch.float16: (2e-3, 2e-3), torch.bfloat16: (2e-2, 2e-2), torch.float32: (2e-5, 2e-5), torch.complex64: (5e-5, 5e-5),
             torch.float64: (1e-9, 1e-9), torch.complex128: (1e-9, 1e-9)}


def storage_of(tensor):
    """The whole storage as a flat tensor of the same type."""
    count = tensor.untyped_storage().nbytes() // tensor.element_size()
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage(), 0, (count,), (1,))


def to_hwaro(value, storages=None):
    """The same value for Hwaro. Each storage is copied once and each tensor rebuilt on it, so layout and aliasing survive."""
    storages = {} if storages is None else storages
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.dtype not in DTYPES or value.is_quantized or type(value) is not torch.Tensor:
            raise NotImplementedError(f"a tensor that Hwaro does not have: {value.dtype}, {value.layout}")
        plain = value.detach().resolve_conj().resolve_neg()
        key = (plain.untyped_storage().data_ptr(), plain.dtype, plain.untyped_storage().nbytes())
        if key not in storages:
            flat = storage_of(plain)
            if flat.dtype == torch.bfloat16:
                copy = hwaro.tensor(flat.view(torch.int16).numpy()).view(hwaro.bfloat16) if flat.numel() else hwaro.empty(0, dtype=hwaro.bfloat16)
            else:
                copy = hwaro.tensor(flat.numpy())
            storages[key] = copy
        flat = storages[key]
        out = flat.as_strided(tuple(plain.shape), plain.stride(), plain.storage_offset()).detach()
        return out.requires_grad_() if value.requires_grad else out
    if isinstance(value, torch.dtype):
        return DTYPES[value]
    if isinstance(value, torch.device):
        return hwaro.device(str(value))
    if isinstance(value, torch.memory_format):
        return getattr(hwaro, str(value).split(".")[1])
    if isinstance(value, torch.Size):
        return hwaro.Size(value)
    if isinstance(value, (list, tuple)):
        return type(value)(to_hwaro(v, storages) for v in value)
    if isinstance(value, dict):
        return {k: to_hwaro(v, storages) for k, v in value.items()}
    return value


def difference(ours, theirs, path="result", strides=True):
    """None where both agree, else where and how they differ."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, hwaro.Tensor):
            return f"{path}: {type(ours).__name__} instead of a tensor"
        if str(ours.dtype) != str(theirs.dtype):
            return f"{path}: {ours.dtype} instead of {theirs.dtype}"
        if tuple(ours.shape) != tuple(theirs.shape):
            return f"{path}: shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}"
        theirs = theirs.detach().resolve_conj()
        ours = ours.detach().resolve_conj()
        a = torch.tensor(ours.double().tolist() if theirs.dtype in (torch.bfloat16, torch.float16) else ours.tolist(), dtype=theirs.dtype)
        a = a.reshape(theirs.shape)
        rtol, atol = TOLERANCE.get(theirs.dtype, (0, 0))
        if not torch.allclose(a, theirs, rtol=rtol, atol=atol, equal_nan=True) if theirs.dtype in TOLERANCE else not torch.equal(a, theirs):
            gap = (a.to(torch.complex128) - theirs.to(torch.complex128)).abs().nan_to_num(posinf=0).max().item() if theirs.numel() else 0
            return f"{path}: values differ by up to {gap:.3g}"
        return None
    if isinstance(theirs, (tuple, list)):
        if len(ours) != len(theirs):
            return f"{path}: {len(ours)} results instead of {len(theirs)}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            found = difference(a, b, f"{path}[{i}]", strides)
            if found:
                return found
        return None
    if isinstance(theirs, float):
        return None if math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(ours) and math.isnan(theirs)) else f"{path}: {ours} instead of {theirs}"
    if isinstance(theirs, (torch.dtype, torch.device)):
        return None if str(ours) == str(theirs) else f"{path}: {ours} instead of {theirs}"
    return None if ours == theirs else f"{path}: {ours!r} instead of {theirs!r}"
