"""What an operator in place has overwritten is kept with its history: gradients of gradients go through it."""

a = torch.linspace(0.2, 0.9, 4, dtype=torch.float64).requires_grad_()
b = a * 1
b.sin_()
c = torch.autograd.grad(b.sum(), a, create_graph=True)[0]
d = torch.autograd.grad(c.sum(), a)[0]
e = a * 1
e.pow_(a).hypot_(a).mul_(a)
f = torch.autograd.grad(e.sum(), a, create_graph=True)[0]
g = torch.autograd.grad(f.sum(), a)[0]
h = a * 1
h[1:].div_(a[1:] + 1)
i = torch.autograd.grad(h.sum(), a, create_graph=True)[0]
j = torch.autograd.grad(i.sum(), a)[0]
k = a * 1
k.add_(3).mvlgamma_(2)
m = torch.autograd.grad(k.sum(), a, create_graph=True)[0]
