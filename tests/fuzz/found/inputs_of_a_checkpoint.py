"""A checkpoint keeps its inputs as saved tensors: a write to one of them before the second run is an error."""

a = torch.rand(2, requires_grad=True)
b = torch.utils.checkpoint.checkpoint(lambda v: v * v, a, use_reentrant=False)
with torch.no_grad():
    a -= 1
b.sum().backward()
