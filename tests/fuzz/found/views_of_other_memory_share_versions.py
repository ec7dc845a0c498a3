"""What .data returns and what was given other memory counts its writes apart from the memory, with its own views."""

a = torch.zeros(4)
b = a.data
c = b.view(2, 2)
c[0].add_(1)
d = torch.zeros(4)
d.data = a
d[:2].mul_(2)
e = torch.zeros(4)
e.set_(a)
e.view(2, 2).add_(1)
e.detach().add_(1)
