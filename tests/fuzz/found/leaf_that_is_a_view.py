"""A write to the untracked base of a leaf: views of that leaf lose the way to it."""

a = torch.rand(2)
b = a.view(2)
b.requires_grad_()
c = b[0]
a.add_(1)
d = c.grad_fn
c.backward()
e = torch.rand(2, 1)
f = e.swapaxes(0, 1)
f.requires_grad = True
g, h = f.split(1, 1)
e.copy_(e)
i = h[h > 2]
