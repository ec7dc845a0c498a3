"""A written view's node counts as freed after one pass, even if the operation saved nothing."""

a = torch.rand(2, requires_grad=True)
b = a + a
b.unsqueeze(0).add_(-0.25)
c = torch.autograd.grad(b.sum(), a)
b.sum().backward()
