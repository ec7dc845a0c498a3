"""The gradient of what is linear in pieces requires grad with its input; its own gradient is zero."""

a = torch.linspace(-0.9, 0.8, 4).requires_grad_()
b = torch.autograd.grad(a.relu().sum(), a, create_graph=True)[0]
c = torch.autograd.grad(b.sum(), a)[0]
d = torch.autograd.grad(F.leaky_relu(a).sum(), a, create_graph=True)[0]
e = torch.autograd.grad(d.sum(), a)[0]
f = torch.autograd.grad(F.hardtanh(a, -0.5, 0.5).sum(), a, create_graph=True)[0]
g = torch.autograd.grad(F.prelu(a, a[:1]).sum(), a, create_graph=True)[0]
h = torch.autograd.grad(g.sum(), a)[0]
a.transpose(0, 0).relu().backward(torch.ones(4), create_graph=True)
