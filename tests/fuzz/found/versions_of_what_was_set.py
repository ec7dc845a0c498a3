"""set_ keeps the counter of writes of its tensor, and leaves that of the new memory alone."""

a = torch.ones(2)
b = torch.zeros(2)
b.set_(a)
b.add_(1)
