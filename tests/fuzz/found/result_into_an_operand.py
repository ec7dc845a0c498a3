"""out= that is an operand is never resized; the layout of one that is follows the operands."""

a = torch.arange(2.0)
d = torch.zeros(1)
torch.add(a, d, out=d)
e = torch.zeros(0)
torch.mul(torch.ones(2, 3).t(), torch.tensor(2.0), out=e)
