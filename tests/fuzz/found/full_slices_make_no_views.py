"""Among several entries a slice of everything makes no view; a number in brackets fills."""

a = torch.rand(3, 2, requires_grad=True)
b = a[0:3, 1]
c = a[:, 0:2]
d = a * 1
d[:] = -1
