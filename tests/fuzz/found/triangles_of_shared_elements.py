"""triu_ and tril_ write to elements that share memory: what any of them loses is zero."""

a = torch.arange(1, 4.0)
b = a.expand(2, 3)
b.triu_()
c = torch.arange(1, 5.0).reshape(2, 2)
d = c.expand(2, 2, 2)
d.tril_(-1)
