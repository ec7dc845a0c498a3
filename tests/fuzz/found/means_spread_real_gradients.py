"""The gradient of a mean has memory of its own."""

a = torch.rand(2, 3, requires_grad=True)
b = a * 1
c = torch.autograd.grad(b.mean(), b)[0]
d = torch.autograd.grad(a.var(), a)[0]
