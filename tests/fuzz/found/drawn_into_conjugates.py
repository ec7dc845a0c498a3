"""What is drawn into a lazy conjugate is what it shows; dot of two of them is one."""

a = torch.rand(3, dtype=torch.complex128)
b = a.conj()
b.uniform_()
c = torch.dot(b, b)
d = torch.zeros(4, 3, dtype=torch.float64)
d[torch.tensor([True, False, False, True])] = a[:1]
e = torch.zeros(2, dtype=torch.uint8)
e[torch.tensor([True, False])] = torch.tensor(300)
