"""Crashed: a root that is a view made under no_grad of a leaf."""

a = torch.zeros((), requires_grad=True)
with torch.no_grad():
    g = a.t()
torch.autograd.backward([g, a])
