"""Strides of dimensions with one element or none survive views, imports and searches."""

a = torch.randn(1)
b = a.as_strided((1,), (0,))
c = b.reshape_as(b)
c[0::2] *= c
d = torch.zeros(1, dtype=torch.int64)
e = d.nonzero()
f = e.view(torch.int32)
g = np.arange(3).reshape(1, 3)
h = torch.from_numpy(g[::-1])
i = d.norm(dim=(1, -1, 0))
j = torch.zeros(1, 1, 1).norm(dim=(1, -1, 0))
