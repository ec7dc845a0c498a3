"""Bags of embeddings, and distances between all pairs of rows."""
import hwaro as torch
from hwaro._C.nn_functional import embedding


def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean",
                  sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):
    """Sum, mean or max of the embeddings of each bag: input (B, N), or (N,) with the start of each bag in offsets."""
    if weight.dtype == torch.long and input.is_floating_point():
        import warnings
        warnings.warn("Argument order of nn.functional.embedding_bag was changed. "
                      "Usage `embedding_bag(weight, input, ...)` is deprecated, and should now be "
                      "`embedding_bag(input, weight, ...)`.", stacklevel=2)
        weight, input = input, weight
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must "
                         f"have the same shape as the input ({input.shape})")
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only "
                                  "supported "
                                  f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub.")
    if input.dim() == 2:
        if offsets is not None:
            shown = str(offsets.size()) if isinstance(offsets, torch.Tensor) else offsets
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
                             "fixed "
                             f"length sequences. However, found offsets of type {shown}")
        bags, length = input.shape
        starts = torch.arange(bags, device=input.device) * length
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        starts = offsets.long()
        if include_last_offset:
            starts = starts[:-1]
        bags = starts.numel()
        if bags and int(starts[0]) != 0:
            raise RuntimeError("offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
                               f"position 0. However, got {int(starts[0])}")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if padding_idx is not None:
        if not -weight.size(0) <= padding_idx < weight.size(0):
            raise ValueError("padding_idx must be within the number of embeddings")
        padding_idx %= weight.size(0)
    count = input.numel()
    # The bag of each element: how many bags start at or before it.
    bag = torch.searchsorted(starts.contiguous(), torch.arange(count, device=input.device), right=True) - 1
    rows = embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    kept = torch.ones(count, dtype=torch.bool) if padding_idx is None else input != padding_idx
    width = weight.size(1)
    if mode == "max":
        index = bag.unsqueeze(1).expand(count, width)[kept]
        empty = torch.zeros((bags, width), dtype=weight.dtype)
        return empty.scatter_reduce(0, index, rows[kept], "amax", include_self=False)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    rows = torch.where(kept.unsqueeze(1), rows, torch.zeros_like(rows))
    total = torch.zeros((bags, width), dtype=weight.dtype).index_add(0, bag, rows)
    if mode == "sum":
        return total
    sizes = torch.zeros(bags, dtype=weight.dtype).index_add(0, bag, kept.to(weight.dtype))
    return total / sizes.clamp(min=1).unsqueeze(1)


def pdist(input, p=2.0):
    """p-norm distances between all pairs of rows: (N, D) -> (N(N-1)/2,)."""
    first, second = torch.triu_indices(input.size(0), input.size(0), 1)
    return (input[first] - input[second]).norm(p, -1)
