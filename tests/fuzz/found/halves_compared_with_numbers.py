"""Halves are compared with what a number, or a tensor of another type, is worth as a half."""

a = torch.tensor([0.1, 0.3, 1.0], dtype=torch.float16)
b = [(a == 0.1).tolist(), (a >= 0.3).tolist(), (0.1 < a).tolist(), (a != torch.tensor(0.3)).tolist()]
c = a.to(torch.bfloat16)
d = [(c == 0.1).tolist(), (c <= torch.tensor(0.3, dtype=torch.float64)).tolist()]
e = a.clone().eq_(0.1)
f = torch.logical_and(a, 1e-9)
