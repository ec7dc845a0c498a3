"""Views, other orders and shapes, triangles, complex parts, geometry in place: against PyTorch's results."""
import numpy as np
import pytest
from expressions import cases, gradients, numbers
from recorded import recorded_test

import hwaro as torch

NAMES = {
    "X": lambda t: t.arange(12.).view(3, 4).requires_grad_(), "V": lambda t: t.arange(3.), "Z": lambda t: t.tensor(5.),
    "C": lambda t: t.complex(t.arange(6.).view(3, 2), t.ones(3, 2)).requires_grad_(),
    "A": numbers(0, 3, 4), "B": numbers(1, 3, 4), "gradients": gradients,
}

CASES = cases("""
X(t)[0]
X(t)[:]
X(t)[...]
X(t)[0,:]
X(t)[:,1]
X(t)[:,:]
X(t)[None]
X(t)[t.tensor(1)]
X(t)[t.tensor(True)]
X(t)[True]
X(t)[0,t.tensor(1)]
Z(t)[0]
Z(t)[:]
Z(t)[None]
Z(t)[0,1]
X(t)[5]
X(t)[-4]
X(t)[0,5]
X(t)[0,0,0]
X(t)[::0]
X(t)[::-1]
X(t)[0,...,0,...]
X(t)[0,0,None,0]
X(t)[5:]
X(t)[2:1]
X(t)[-100:100:2]
X(t).select(0,5)
Z(t).select(0,0)
X(t).select(2,0)
X(t).select(-1,-1)
X(t).narrow(0,0,5)
X(t).narrow(0,-1,1)
X(t).narrow(0,0,-1)
Z(t).narrow(0,0,1)
X(t).narrow(0,4,0)
X(t).narrow(0,3,0)
X(t).narrow(0,t.tensor(1),1)
t.narrow_copy(X(t),0,1,1)
X(t).flatten()
X(t).t().flatten()
X(t).flatten(1,0)
Z(t).flatten()
X(t).flatten(0,5)
t.flatten(t.zeros(2,0,3),0,1)
t.flatten(t.zeros(2,2,3,2),1,2)
X(t).unflatten(1,(2,2))
X(t).unflatten(1,(2,3))
X(t).unflatten(1,(2,-1))
X(t).unflatten(1,(-1,-1))
X(t).unflatten(1,())
X(t).ravel()
X(t).t().ravel()
t.movedim(X(t),0,1)
t.movedim(X(t),(0,1),(1,))
t.movedim(X(t),(0,0),(1,0))
t.movedim(X(t),(0,1),(1,1))
t.movedim(t.zeros(2,3,4,5),(0,1),(-1,0))
t.moveaxis(t.zeros(2,3,4,5),0,2)
X(t).swapaxes(0,1)
X(t).mT
X(t).T
X(t).H
X(t).mH
X(t).adjoint()
C(t).H
C(t).mH
V(t).mT
V(t).T
V(t).H
V(t).mH
t.zeros(2,3,4).T
V(t).adjoint()
Z(t).H
Z(t).mT
t.zeros(2,3,4).H
X(t).split(2)
X(t).split([1,2])
X(t).chunk(2)
X(t).unbind()
X(t).unbind(1)
X(t).tensor_split(2)
X(t).hsplit(2)
t.vsplit(X(t),3)
X(t).split(-1)
X(t).split(0)
Z(t).split(1)
X(t).split([1,1])
X(t).split([4,-1])
t.zeros(0,3).split(0)
X(t).split(5)
X(t).chunk(0)
Z(t).chunk(1)
X(t).chunk(5,1)
X(t).chunk(3,1)
t.zeros(0,3).chunk(3)
Z(t).unbind()
X(t).tensor_split(0)
X(t).tensor_split((1,5,2))
X(t).tensor_split(3,1)
Z(t).tensor_split(2)
X(t).tensor_split(t.tensor([1,2]))
X(t).tensor_split(t.tensor(2))
X(t).hsplit(3)
Z(t).hsplit(1)
V(t).vsplit(1)
X(t).dsplit(1)
V(t).hsplit([1])
X(t).hsplit(0)
X(t).tensor_split(t.tensor([[1,2]]))
X(t).tensor_split(t.tensor(2.))
t.zeros(2,2,4).dsplit(2)
X(t).split(2)[0].add_(1)
X(t).flip(0)
X(t).flip(0,1)
X(t).flip((0,1))
X(t).flip([-1])
X(t).flip(0,0)
X(t).flip(2)
X(t).fliplr()
X(t).flipud()
V(t).fliplr()
Z(t).flipud()
Z(t).flip(0)
X(t).flip(())
X(t).t().flip(0)
X(t).roll(1)
X(t).roll(1,0)
X(t).roll(-1,1)
X(t).roll((1,2),(0,1))
X(t).roll((1,2),(0,))
X(t).roll((),())
t.roll(V(t),-4)
X(t).roll((1,2))
Z(t).roll(1)
Z(t).roll(1,0)
t.zeros(0,3).roll(1,0)
X(t).t().roll(5)
X(t).rot90()
X(t).rot90(2)
X(t).rot90(3)
X(t).rot90(0)
X(t).rot90(-1,(1,0))
X(t).rot90(1,(0,0))
X(t).rot90(1,(0,))
V(t).rot90()
X(t).rot90(1,(0,3))
X(t).rot90(1,(0,-2))
X(t).tril()
X(t).tril(-1)
X(t).tril(10)
X(t).triu(1)
X(t).triu(-5)
X(t).t().triu()
V(t).tril()
t.ones(2,3,3).tril()
t.ones(2,2,dtype=t.bool).tril()
t.ones(3,3).tril_(1)
t.ones(3,4).t().triu_()
X(t).clone().triu_(1)
X(t).diagonal()
X(t).diagonal(1)
X(t).diagonal(-1)
X(t).diagonal(10)
X(t).diagonal(0,0,0)
V(t).diagonal()
t.zeros(2,3,4).diagonal(0,1,2)
X(t).diag()
X(t).diag(-1)
t.diag(V(t),1)
t.diag(V(t).requires_grad_(),-1)
Z(t).diag()
t.zeros(2,2,2).diag()
t.diag_embed(V(t).requires_grad_())
t.diag_embed(X(t),1,0,2)
t.diag_embed(V(t),1,0,0)
t.diagflat(X(t),1)
t.diagonal_scatter(X(t),t.ones(3))
t.diagonal_scatter(X(t),t.ones(2))
t.select_scatter(X(t),t.ones(4),0,1)
t.select_scatter(X(t),t.ones(3),0,1)
t.slice_scatter(X(t),t.ones(3,2),1,1,3)
X(t).unfold(0,2,1)
X(t).unfold(1,2,2)
X(t).unfold(0,5,1)
X(t).unfold(0,2,0)
Z(t).unfold(0,1,1)
Z(t).unfold(0,2,1)
X(t).unfold(0,-1,1)
X(t).unfold(5,1,1)
C(t).conj()
C(t).conj().conj()
C(t).real
C(t).imag
X(t).real
X(t).imag
t.real(C(t))
t.imag(V(t))
C(t).conj().real
t.view_as_real(C(t))
t.view_as_real(X(t))
t.view_as_real(C(t).conj())
t.view_as_complex(X(t))
t.view_as_complex(t.view_as_real(C(t)))
t.view_as_complex(V(t))
t.view_as_complex(t.zeros(2,2,dtype=t.int32))
t.view_as_complex(t.zeros(2,2).t())
t.view_as_complex(t.zeros(2,3)[:,:2])
t.view_as_complex(t.zeros(3)[1:])
t.view_as_complex(t.zeros(()))
C(t).conj().resolve_conj()
X(t).resolve_neg()
C(t).conj_physical()
X(t).view(t.int32)
X(t).view(t.float32)
X(t).view(t.float64)
X(t).view(t.uint8)
V(t).view(t.float64)
t.zeros(()).view(t.float64)
X(t).t().view(t.uint8)
X(t).t().view(t.float64)
C(t).view(t.float32)
C(t).conj().view(t.float32)
t.zeros(3,3).view(t.float64)
t.zeros(3,5)[:,1:].view(t.float64)
t.zeros(2,5)[:,:4].view(t.float64)
X(t).clone().t_()
X(t).clone().squeeze_()
X(t).clone().unsqueeze_(0)
X(t).clone().transpose_(0,1)
X(t).clone().unsqueeze_(0).squeeze_(0)
X(t).t_()
X(t).clone().swapaxes_(0,1)
X(t).clone().resize_(2)
t.zeros(2,3).resize_(4,5).shape
t.zeros(2,3).resize_as_(t.zeros(3,4)).shape
t.zeros(2,3).set_(V(t))
t.zeros(2,3).set_()
t.zeros(2,3).set_(V(t).int())
t.zeros(16).resize_(2,2,2,2,memory_format=t.channels_last).stride()
t.broadcast_to(V(t),(2,3))
t.broadcast_to(V(t),(2,4))
V(t).expand_as(t.zeros(2,3))
V(t).view_as(t.zeros(3,1))
V(t).reshape_as(t.zeros(3,1))
t.atleast_1d(Z(t))
t.atleast_2d(V(t))
t.atleast_3d(X(t))
t.atleast_3d(V(t))
t.atleast_2d([Z(t),V(t)])
t.is_same_size(V(t),V(t))
gradients(t, lambda x: x[1:, ::2], A)
gradients(t, lambda x: x[1], A)
gradients(t, lambda x: x.split(2, 1), A)
gradients(t, lambda x: x.split(2, 1)[1], A)
gradients(t, lambda x: x.unbind(0)[1], A)
gradients(t, lambda x: x.unbind(1), A)
gradients(t, lambda x: x.flip(0), A)
gradients(t, lambda x: x.roll(1, 0), A)
gradients(t, lambda x: x.roll(5), A)
gradients(t, lambda x: x.rot90(), A)
gradients(t, lambda x: x.tril(), A)
gradients(t, lambda x: x.triu(1), A)
gradients(t, lambda x: x.diagonal(1), A)
gradients(t, lambda x: x.diag(), A)
gradients(t, lambda x: t.diag_embed(x), A)
gradients(t, lambda x: x.unfold(1, 2, 1), A)
gradients(t, lambda x: x.unfold(0, 2, 1)*x[0,0], A)
gradients(t, lambda x: x.flatten(), A)
gradients(t, lambda x: x.t().flatten(), A)
gradients(t, lambda x: x.unflatten(1,(2,2)), A)
gradients(t, lambda x: x.movedim(0,1), A)
gradients(t, lambda x: t.broadcast_to(x, (2,3,4)), A)
gradients(t, lambda x, y: t.select_scatter(x, y[0], 0, 1), A, B)
gradients(t, lambda x, y: t.slice_scatter(x, y[:,:2], 1, 1, 3), A, B)
gradients(t, lambda x, y: t.diagonal_scatter(x, y[0,:3]), A, B)
gradients(t, lambda x, y: t.view_as_real(t.complex(x, y)), A, B)
gradients(t, lambda x, y: t.complex(x, y).abs(), A, B)
gradients(t, lambda x, y: t.polar(x, y).real, A, B)
gradients(t, lambda x, y: (t.complex(x, y)*t.complex(y,x).conj()).real, A, B)
gradients(t, lambda x: x.clone().t_()*2, A)
gradients(t, lambda x: x.clone().unsqueeze_(0).squeeze_(0)*x, A)
gradients(t, lambda x: x.clone().tril_()*x, A)
gradients(t, lambda x: x.clone().fill_(2.)*x, A)
gradients(t, lambda x: x.narrow(1,1,2), A)
gradients(t, lambda x: t.narrow_copy(x,1,1,2), A)
gradients(t, lambda x: x.as_strided((2,2),(1,2),1), A)
gradients(t, lambda x: x.as_strided((3,3),(1,1),1), A)
""", NAMES)

test_shape = recorded_test(__file__, CASES)


@pytest.mark.parametrize("seed", range(80))
def test_copies_of_every_layout_agree_with_numpy(seed):
    rng = np.random.default_rng(seed)
    shape = [int(rng.choice([1, 2, 3, 5, 8, 16, 40, 70])) for _ in range(int(rng.integers(1, 5)))]
    dtype = str(rng.choice(["uint8", "int16", "float32", "int64", "complex128", "bool"]))
    array = rng.integers(0, 100, shape).astype(dtype)
    order = [int(d) for d in rng.permutation(len(shape))]
    flipped = [d for d in range(len(shape)) if rng.random() < 0.4]
    tensor = torch.tensor(array)
    assert (tensor.permute(order).contiguous().numpy() == array.transpose(order)).all()
    assert (tensor.permute(order).flip(flipped).numpy() == np.flip(array.transpose(order), flipped)).all()
    assert (tensor.flip(flipped).numpy() == np.flip(array, flipped)).all()
    assert (tensor.permute(order).to(torch.complex128).numpy() == array.transpose(order)).all()
    wide = tensor.unsqueeze(-1).expand(*shape, 3)
    assert (wide.contiguous().numpy() == array[..., None].repeat(3, -1)).all()
    part = tuple(slice(int(rng.integers(0, n)), None, int(rng.integers(1, 3))) for n in shape)
    assert (tensor[part].contiguous().numpy() == array[part]).all()
    filled = torch.zeros(shape, dtype=tensor.dtype)
    filled.permute(order).copy_(tensor.permute(order))
    assert (filled.numpy() == array).all()
