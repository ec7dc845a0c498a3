"""Running extremes of nothing have any dimension, random numbers any type, a softmax no complex gradient."""

a = torch.zeros(0)
b = a.cummax(-2).values
c = torch.zeros(0, dtype=torch.complex64, requires_grad=True)
d = c.detach().cummin(0).values
d.exponential_()
d.bernoulli_()
e = c.softmax(-1)
