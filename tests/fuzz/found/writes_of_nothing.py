"""A tensor written into itself is refused even where it is empty; copy_ of the very same elements writes nothing."""

a = torch.zeros(2, 0)
a[torch.tensor([1, 0])] = a
a.index_copy_(0, torch.tensor([1, 0]), a)
a[[1, 0], 1:0] = a
b = a.roll(1, -3)
c = torch.rand(1, 4).expand(3, 4)
c.copy_(c.squeeze())
c.copy_(c.clone())
d = torch.zeros(2, 4, dtype=torch.int16).as_strided((1, 2), (4, 3))
e = d.view(torch.int32)
f = torch.zeros(1, 0, dtype=torch.complex64).amin(0)
g = torch.zeros(2, 2, dtype=torch.int8).norm(dim=(1, 1, 0))


class AddOne(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    @staticmethod
    def backward(ctx, g):
        return g * 1


h = torch.zeros(3)
AddOne.apply(h)
