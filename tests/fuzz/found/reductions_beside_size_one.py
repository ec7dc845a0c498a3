"""A dimension of size 1, whatever its stride, does not hide the order of the others."""

a = torch.arange(12).reshape(4, 3).T
b = a.as_strided((3, 1, 4), (1, 12, 3))
c = b.max(1).values
d = b.min(2)
e = b.argmax(0)
f = (b * 1.0).var(1, correction=0)
g = (b * 1.0).std((0, 1))
h = a.as_strided((3, 1, 1, 4), (1, 12, 1, 3))
i = h.max(1).values
j = h.min(3).values
