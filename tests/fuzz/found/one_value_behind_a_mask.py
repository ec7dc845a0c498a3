"""One element is converted where it fills behind a mask, and must fit elsewhere."""

d = torch.zeros(4)
e = torch.tensor(3, dtype=torch.uint8)
d[torch.tensor([True, False, True, False])] = e
d[torch.tensor([0, 1])] = e
