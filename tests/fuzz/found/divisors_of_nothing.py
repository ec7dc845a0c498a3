"""Zero as an integer divisor is an error only where something is divided, and after what is wrong with shapes."""

a = torch.zeros(0, dtype=torch.int64)
b = torch.zeros(5, dtype=torch.int64)
c = a % b
d = a // torch.zeros(1, dtype=torch.int64)
e = torch.div(a, 0, rounding_mode="trunc")
f = torch.ones(2, dtype=torch.int64) % b
a.remainder_(0)
