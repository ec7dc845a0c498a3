"""The history of the source was asked for after the write, which had made it out of date."""

x = torch.rand(4, requires_grad=True)
y = x * 1
f, g = y.chunk(2)
y[0:2] = f
y.sum().backward()
