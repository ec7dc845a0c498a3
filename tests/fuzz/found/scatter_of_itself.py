"""Reading and writing the same memory was not refused."""

b = torch.arange(3)
b.scatter_add_(0, torch.zeros_like(b), b)
c = torch.arange(3.0)
c.index_add_(0, torch.tensor([0, 1, 2]), c)
c[torch.tensor([0, 1, 2])] = c
