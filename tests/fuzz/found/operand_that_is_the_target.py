"""A saved operand that is also the target of the write must raise in backward."""

a = torch.rand(3, requires_grad=True)
c = a * 1
c.div_(c)
c.sum().backward()
