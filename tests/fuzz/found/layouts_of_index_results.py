"""Strides of results: coordinates by column, indexed results in the order of their source, scattered ones row-major."""

a = torch.arange(6).reshape(2, 3)
b = a.nonzero()
c = torch.eye(4).reshape(2, 2, 4).permute(2, 1, 0)
d = c[torch.tensor([True, False, True, True])]
e = a.t().scatter(0, torch.zeros(1, 2, dtype=torch.int64), 7)
f = a.t().masked_fill(a.t() > 2, 0)
