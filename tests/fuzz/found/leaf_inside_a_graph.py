"""A leaf that is a view becomes part of the graph by a write to its base: no gradient arrives there."""

a = torch.zeros(1, 1)
b = a.expand(-1, -1)
b.requires_grad_()
a += b
c = torch.stack([b])
c.sum().backward()
