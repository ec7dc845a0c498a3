"""The same values in other layouts: what a kernel must not depend on."""

import torch


def transposed(t):
    return t.mT.contiguous().mT if t.dim() >= 2 else None


def sliced(t):
    """Every second element of a larger buffer, from the second on."""
    if t.dim() == 0:
        return None
    shape = list(t.shape)
    shape[-1] = 2 * shape[-1] + 1
    buffer = torch.zeros(shape, dtype=t.dtype)
    view = buffer[..., 1::2]
    view.copy_(t)
    return view


def expanded(t):
    """The first entry of the first dimension, for all of it, with stride 0."""
    return t[:1].contiguous().expand(t.shape) if t.dim() >= 1 and t.shape[0] > 1 else None


def channels_last(t):
    if t.dim() == 4:
        return t.contiguous(memory_format=torch.channels_last)
    return t.contiguous(memory_format=torch.channels_last_3d) if t.dim() == 5 else None


LAYOUTS = {"transposed": transposed, "sliced": sliced, "expanded": expanded, "channels_last": channels_last}


def laid_out(value, layout):
    """A sample's value with every plain tensor in the layout; (value, whether anything changed)."""
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_conj() or value.is_neg() or value.dtype is torch.complex32:
            return value, False
        out = layout(value.detach())
        return (value, False) if out is None else (out, True)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and not isinstance(value, torch.Size):
        parts = [laid_out(v, layout) for v in value]
        return type(value)(p for p, _ in parts), any(c for _, c in parts)
    if isinstance(value, dict):
        parts = {k: laid_out(v, layout) for k, v in value.items()}
        return {k: p for k, (p, _) in parts.items()}, any(c for _, c in parts.values())
    return value, False
