"""Crashed: an input of autograd.grad with a graph of its own, which the outputs do not reach."""

i = torch.rand(3, requires_grad=True)
h = i * 2
z = i.sum()
g = torch.autograd.grad(z, [i, h * h], allow_unused=True)
