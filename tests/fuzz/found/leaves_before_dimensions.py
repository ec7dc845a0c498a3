"""That a leaf must not be written to is told before what is wrong with the dimension; retains_grad asks no history."""

a = torch.rand(1, requires_grad=True)
b = a.unsqueeze(0)
b.transpose_(1, 2)
b.squeeze_(5)
a.unsqueeze_(7)
c = torch.randn(1, 2, requires_grad=True)
d, e = c.unbind(1)
e.retain_grad()
with torch.no_grad():
    d.squeeze_()
f = e.retains_grad
