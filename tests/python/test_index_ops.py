"""Subscripts, index_put, gather, scatter and their relatives, masks: against PyTorch's results."""
import numpy as np
import pytest
from expressions import cases, gradients, numbers
from recorded import recorded_test

import hwaro as torch


def setv(x, index, value):
    """A copy of x with x[index] = value."""
    x = x.clone()
    x[index] = value
    return x


NAMES = {
    "X": lambda t: t.arange(12.).view(3, 4).requires_grad_(), "W": lambda t: t.arange(12.).view(3, 4),
    "Y": lambda t: t.arange(24.).view(2, 3, 4), "S": lambda t: t.tensor(5.), "M": lambda t: t.arange(12).view(3, 4) % 3 == 0,
    "A": numbers(0, 3, 4), "B": numbers(1, 3, 4), "gradients": gradients, "setv": setv,
}

CASES = cases("""
t.zeros(7,3).fill_diagonal_(5,wrap=True)
t.zeros(3,7).t().fill_diagonal_(5,True)
t.zeros(2,2,2).fill_diagonal_(1)
t.zeros(2,3,2).fill_diagonal_(1)
t.zeros(3).fill_diagonal_(1)
t.zeros(3,3).fill_diagonal_()
gradients(t,lambda x:(x*1).fill_diagonal_(2.),A(t))
W(t).type_as(2)
t.nonzero(t.tensor([1,0,2])).stride()
t.nonzero(t.ones(2,2)).stride()
t.argwhere(t.zeros(3)).stride()
W(t).masked_fill(t.ones(3,4,dtype=t.int64),0)
W(t).masked_fill(t.ones(5),0)
W(t).masked_fill_(t.ones(5),0)
W(t).masked_fill(t.ones(5),t.ones(2))
W(t).masked_fill(t.ones(3,4,dtype=t.uint8),0)
W(t).index_put((t.tensor(False),),t.tensor(7.))
W(t).index_put((t.tensor(True),),t.tensor(7.))
S(t).index_put((t.tensor([0]),),t.tensor(7.))
W(t).scatter(0,t.empty(0,dtype=t.uint8),1.)
W(t).scatter_add(0,t.empty(0),W(t))
t.take_along_dim(W(t),t.tensor([1,2],dtype=t.int32))
t.take_along_dim(W(t),t.tensor([[1],[2],[0]],dtype=t.int32),1)
t.bincount(t.tensor([],dtype=t.int64),t.ones(2))
W(t).index_fill(1,t.tensor([9]),0.)
t.zeros(0).put(t.tensor([0]),t.ones(1))
X(t)[t.tensor([0,1])]
X(t)[t.tensor([5])]
X(t)[t.tensor([0.5])]
X(t)[t.tensor([0,1]),t.tensor([0,1,2])]
X(t)[t.tensor([True,False,True])]
X(t)[:,t.tensor([True,False,True])]
Y(t)[0,t.tensor([True,False,True])]
Y(t)[t.tensor([True,False,True])]
X(t)[M(t)]
X(t).t()[M(t).t()]
Y(t)[t.ones(2,3,dtype=t.bool),t.tensor([0])]
X(t)[t.tensor([0]),t.tensor([0]),t.tensor([0])]
X(t)[t.tensor([1,0,1],dtype=t.uint8)]
X(t)[t.tensor([0,1],dtype=t.int32)]
X(t)[t.tensor([0,1],dtype=t.int16)]
X(t)[None,t.tensor([0])]
Y(t)[0,:,t.tensor([0,1])]
Y(t)[:,t.tensor([0,1]),None,t.tensor([0,1])]
Y(t)[t.tensor([[0,1]]),:,t.tensor([[0],[1]])]
Y(t)[...,t.tensor([0,1])]
Y(t)[:,True]
Y(t)[False]
Y(t)[True,True]
Y(t)[True,t.tensor([0,1])]
Y(t)[:,t.tensor([],dtype=t.int64)]
Y(t)[[]]
t.zeros(0,3)[t.tensor([],dtype=t.int64)]
t.zeros(0,3)[t.tensor([0])]
Y(t)[t.tensor([-1])]
Y(t)[t.tensor([-3])]
Y(t)[:,:,t.tensor([5])]
Y(t)[t.ones(2,3,dtype=t.bool),1:2]
Y(t)[t.ones(2,3,dtype=t.bool),1]
Y(t)[t.ones(2,3,dtype=t.bool),None]
Y(t)[t.ones(2,3,dtype=t.bool),...,1]
Y(t)[None,t.ones(2,3,dtype=t.bool)]
Y(t)[:,t.ones(3,4,dtype=t.bool)]
Y(t)[t.ones(2,3,4,1,dtype=t.bool)]
Y(t)[t.ones(2,3,dtype=t.bool),0,0]
Y(t)[t.tensor(True),0]
Y(t)[0,t.tensor(True)]
Y(t)[0,0,0,0]
Y(t)[...,0,0,0,0]
Y(t)[t.tensor([0]),0,0,0]
Y(t)[t.tensor([0]),...,t.tensor([0])]
Y(t)[t.tensor([0]),0,t.tensor([0])]
Y(t)[t.tensor([0]),None,t.tensor([0])]
Y(t)[t.tensor([0]),:,None]
Y(t)[[0,1]]
Y(t)[[0,1],[1,2]]
Y(t)[[[0,1],[1,0]]]
Y(t)[t.zeros(0,3,dtype=t.bool)]
Y(t)[t.zeros(2,3,dtype=t.bool)]
S(t)[t.tensor(True)]
S(t)[t.tensor([0])]
S(t)[t.tensor([True])]
S(t)[...]
S(t)[()]
Y(t)[()]
Y(t)[0:1,0:2,3:]
Y(t)[2**40]
Y(t)[:2**70]
Y(t)[t.tensor([0,1]),t.tensor([0,1]),5]
Y(t)[t.tensor([0,1]),5:9]
Y(t).permute(2,0,1)[:,t.tensor([0,1])]
setv(W(t),0,t.ones(4))
setv(W(t),0,t.ones(1,1,4))
setv(W(t),0,t.ones(2,4))
setv(W(t),t.tensor([0,1]),t.ones(2,4))
setv(W(t),t.tensor([0,1]),t.ones(1,2,4))
setv(W(t),t.tensor([0,1]),t.ones(3,4))
setv(W(t),t.tensor([0,1]),t.ones(2,4,dtype=t.float64))
setv(W(t),t.tensor([0,1]),t.tensor(1.,dtype=t.float64))
setv(W(t),t.tensor([0,1]),t.tensor(1))
setv(W(t),M(t),t.tensor([1,2,3]))
setv(W(t),M(t),2.)
setv(W(t),M(t),t.tensor([1.,2,3,4]))
setv(W(t),M(t),t.tensor([1.,2,3]))
setv(W(t),M(t),t.tensor(7.))
setv(W(t),M(t),7)
setv(W(t),(slice(None),t.tensor([0,5])),1.)
setv(W(t).int(),0,1.5)
setv(W(t).int(),t.tensor([0]),1.5)
setv(W(t),0,t.tensor([1,2,3,4]).double())
setv(W(t),True,1.)
setv(W(t),False,1.)
setv(W(t),None,t.ones(1,3,4))
setv(W(t),...,t.ones(3,4))
setv(W(t),(0,0),1.)
setv(S(t),(),1.)
setv(S(t),...,1.)
setv(S(t),True,1.)
setv(S(t),0,1.)
setv(X(t),0,1.)
setv(X(t),t.tensor([0]),1.)
setv(X(t),M(t),1.)
setv(X(t),X(t)>3,t.tensor(1.,requires_grad=True))
setv(W(t),(0,t.tensor([0,1])),t.tensor([1.,2.]))
setv(X(t),(0,t.tensor([0,1])),t.tensor([1.,2.]))
setv(W(t),(slice(None),0),t.tensor([1.,2,3]))
setv(W(t),t.tensor([0,0,0]),t.tensor([[1.],[2],[3]]))
setv(W(t).t(),t.tensor([0,2]),t.tensor([5.,6,7]))
setv(Y(t),(slice(None),t.tensor([0,2]),slice(1,3)),9.)
setv(Y(t),(t.tensor([0,1]),slice(None),t.tensor([0,2])),t.tensor([1.,2,3]))
setv(X(t),0,X(t)[1])
W(t).index_put((t.tensor([0,1]),),t.ones(4))
X(t).index_put((t.tensor([0,1]),),t.ones(4))
W(t).index_put((t.tensor([0,0]),),t.ones(4),accumulate=True)
W(t).index_put((t.tensor([0,1]),),t.ones(4).double())
W(t).index_put((t.tensor([0,1]),t.tensor([0,1]),t.tensor([0])),t.tensor(1.))
W(t).index_put((M(t),),t.tensor(1.))
W(t).index_put_([t.tensor([0,1])],t.tensor([1.,2]))
W(t).index_put((t.tensor([0,7]),),t.ones(4))
W(t).index_put_((t.tensor([0,0]),t.tensor([1,1])),t.tensor([1.,2.]),True)
t.index_select(X(t),0,t.tensor([0,2]))
t.index_select(X(t),0,t.tensor([5]))
t.index_select(X(t),0,t.tensor([-1]))
t.index_select(X(t),0,t.tensor([[0]]))
t.index_select(X(t),0,t.tensor([0.]))
t.index_select(X(t),2,t.tensor([0]))
t.index_select(S(t),0,t.tensor([0]))
t.index_select(S(t),0,t.tensor(0))
t.index_select(X(t),0,t.tensor(1))
t.index_select(X(t),0,t.tensor([1],dtype=t.int32))
t.index_select(X(t),0,t.tensor([1],dtype=t.int16))
t.index_select(X(t),0,t.tensor([],dtype=t.int64))
t.index_select(S(t),0,t.tensor([0,0]))
t.index_select(X(t).t(),0,t.tensor([0,2]))
t.index_select(Y(t),1,t.tensor([2,2,0]))
t.index_select(Y(t),-1,t.tensor([2,2,0]),out=t.zeros(0))
t.gather(X(t),0,t.tensor([[0,1]]))
t.gather(X(t),0,t.tensor([0]))
t.gather(X(t),0,t.tensor([[5]]))
t.gather(X(t),0,t.tensor([[-1]]))
t.gather(X(t),1,t.zeros(4,1,dtype=t.int64))
t.gather(X(t),0,t.tensor([[0]],dtype=t.int32))
t.gather(S(t),0,t.tensor(0))
t.gather(S(t),0,t.tensor([0,0]))
t.gather(t.tensor([1.,2.]),0,t.tensor(1))
t.gather(X(t),0,t.zeros(0,dtype=t.int64))
t.gather(X(t),0,t.zeros(0,4,dtype=t.int64))
t.gather(X(t),0,t.zeros(5,4,dtype=t.int64))
t.gather(X(t),0,t.tensor([[0.]]))
t.gather(X(t),1,t.tensor([[3,2,1,0],[0,0,0,0]]))
X(t).t().gather(1,t.tensor([[2,1],[0,0]]))
t.take_along_dim(X(t),t.tensor([[0]]),0)
t.take_along_dim(X(t),t.tensor([1]))
t.take_along_dim(X(t),t.tensor([[0.]]),0)
t.take_along_dim(X(t),t.tensor([0]),0)
t.take_along_dim(X(t),t.tensor([[0],[1]]),1)
t.take_along_dim(X(t),t.tensor([[0],[1],[2]]),1)
X(t).take(t.tensor([0,2]))
X(t).take(t.tensor([12]))
X(t).take(t.tensor([-1]))
X(t).take(t.tensor([0.]))
X(t).take(t.tensor([0],dtype=t.int32))
X(t).t().take(t.tensor([[0,1]]))
t.zeros(0).take(t.tensor([0]))
t.zeros(0).take(t.tensor([],dtype=t.int64))
X(t).put(t.tensor([0,2]),t.tensor([1.,2.]))
X(t).clone().put_(t.tensor([0,2]),t.tensor([1.,2.]))
W(t).put(t.tensor([12]),t.tensor([1.]))
W(t).put(t.tensor([0,2]),t.tensor([1.]))
W(t).put(t.tensor([0,2]),t.tensor([1,2]))
W(t).put(t.tensor([0,0]),t.tensor([1.,2.]),accumulate=True)
W(t).t().put_(t.tensor([1,-1]),t.tensor([50.,60.]))
X(t).masked_select(M(t))
X(t).masked_select(M(t).int())
X(t).masked_select(t.tensor([True,False,True]))
X(t).masked_select(t.tensor([True,False,True,True]))
t.tensor([1.,2.]).masked_select(t.ones(3,2,dtype=t.bool))
S(t).masked_select(t.tensor(True))
X(t).masked_fill(M(t),1.)
X(t).masked_fill(M(t),t.tensor(1.))
W(t).masked_fill(M(t).int(),1.)
W(t).masked_fill(M(t),t.tensor([1.]))
W(t).int().masked_fill(M(t),1.5)
W(t).masked_fill(M(t),1j)
W(t).masked_fill(t.tensor([True,False]),1.)
t.tensor([1.,2.,3.,4.]).masked_fill(t.ones(2,4,dtype=t.bool),0.)
t.tensor([1.,2.,3.,4.]).masked_fill_(t.ones(2,4,dtype=t.bool),0.)
W(t).to(t.uint8).masked_fill(M(t),300)
W(t).int().masked_fill(M(t),t.tensor(1.5))
W(t).masked_fill(M(t),t.tensor(1,dtype=t.float64))
X(t).clone().masked_fill_(M(t),1.)
W(t).masked_fill(M(t).to(t.uint8),1.)
X(t).t().masked_fill(M(t).t(),1.)
W(t).bool().masked_fill(M(t),5)
W(t).int().masked_fill(M(t),float('inf'))
W(t).half().masked_fill(M(t),-1e9)
W(t).masked_fill(M(t),-1e300)
W(t).masked_fill(M(t),float('-inf'))
W(t).t().masked_fill_(M(t).t(),3)
X(t).masked_scatter(M(t),t.ones(12))
W(t).masked_scatter(M(t),t.ones(1))
W(t).masked_scatter(M(t).int(),t.ones(12))
W(t).masked_scatter(M(t),t.ones(12).int())
X(t).clone().masked_scatter_(M(t),t.ones(12))
W(t).masked_scatter(t.tensor([True,False,True,True]),t.arange(12.))
S(t).nonzero()
t.tensor(0.).nonzero()
t.zeros(0,3).nonzero()
t.tensor([0.,float('nan'),-0.]).nonzero()
W(t).nonzero()
W(t).t().nonzero()
t.argwhere(W(t)>4)
t.nonzero(W(t)>4)
t.where(W(t)>4)
W(t).nonzero(as_tuple=True)
S(t).nonzero(as_tuple=True)
gradients(t, lambda x: x[t.tensor([0,2,0])], A)
gradients(t, lambda x: x[t.tensor([0,2,0]),t.tensor([1,1,3])], A)
gradients(t, lambda x: x[:,t.tensor([[0,2],[1,1]])], A)
gradients(t, lambda x: x.t()[t.tensor([0,2,0])], A)
gradients(t, lambda x: x[x>0], A)
gradients(t, lambda x: x[:,t.tensor([True,False,True,True])], A)
gradients(t, lambda x, y: x.index_put((t.tensor([0,2]),), y[:2]), A, B)
gradients(t, lambda x, y: x.index_put((t.tensor([0,2]),), y[0]), A, B)
gradients(t, lambda x, y: x.index_put((t.tensor([0,0]),), y[:2], True), A, B)
gradients(t, lambda x, y: setv(x, t.tensor([0,2]), y[0]), A, B)
gradients(t, lambda x, y: setv(x, (slice(None), 1), y[:,0]), A, B)
gradients(t, lambda x, y: setv(x, (1, t.tensor([0,2])), y[0,:2]), A, B)
gradients(t, lambda x, y: setv(x, x>0, y[0,0])*x, A, B)
gradients(t, lambda x: x.index_select(1,t.tensor([0,2,0])), A)
gradients(t, lambda x: x.gather(1,t.tensor([[0,2],[1,1]])), A)
gradients(t, lambda x: x.take(t.tensor([0,5,5])), A)
gradients(t, lambda x: t.take_along_dim(x,t.tensor([[0],[1],[3]]),1), A)
gradients(t, lambda x, y: x.put(t.tensor([0,5]),y[0,:2]), A, B)
gradients(t, lambda x, y: x.put(t.tensor([5,5]),y[0,:2],True), A, B)
gradients(t, lambda x, y: x.scatter(1,t.tensor([[0,2],[1,3]]),y[:2,:2]), A, B)
gradients(t, lambda x, y: x.scatter(1,t.tensor([[0,2],[1,3]]),2.)*x, A, B)
gradients(t, lambda x, y: x.scatter_add(1,t.tensor([[0,0],[1,3]]),y[:2,:2]), A, B)
gradients(t, lambda x, y: x.clone().scatter_add_(1,t.tensor([[0,0],[1,3]]),y[:2,:2]), A, B)
gradients(t, lambda x, y: x.index_add(1,t.tensor([0,2,2]),y[:,:3],alpha=3), A, B)
gradients(t, lambda x, y: x.index_copy(1,t.tensor([0,2]),y[:,:2]), A, B)
gradients(t, lambda x, y: x.index_fill(1,t.tensor([0,2]),2.)*x, A, B)
gradients(t, lambda x, y: x.index_fill(1,t.tensor([0,2,0]),y[0,0]), A, B)
gradients(t, lambda x: x.masked_select(t.tensor([True,False,True,True])), A)
gradients(t, lambda x: x[0].masked_select(t.tensor([[True,False,True,True],[True,True,True,True]])), A)
gradients(t, lambda x, y: x.masked_fill(x>0,2.)*x, A, B)
gradients(t, lambda x, y: x.masked_fill(x>0,y[0,0]), A, B)
gradients(t, lambda x, y: x.masked_scatter(x>0,y), A, B)
gradients(t, lambda x, y: x[0].masked_fill(y>0,2.), A, B)
""", NAMES)
for ip, c in (("", ""), ("_", ".clone()")):
    CASES |= cases(f"""
X(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),1.)
X(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4))
X(t){c}.scatter{ip}(1,t.tensor([[0,1,2,0],[3,3,1,1]]),t.arange(8.).view(2,4)+50)
X(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),1.,reduce='add')
X(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4),reduce='multiply')
W(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),1.,reduce='foo')
W(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,3))
W(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4).double())
W(t){c}.scatter{ip}(0,t.tensor([[7]]),1.)
W(t){c}.scatter{ip}(0,t.tensor([0]),1.)
W(t){c}.scatter{ip}(0,t.tensor([[0,0,0,0,0]]),1.)
W(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),t.ones(4))
W(t){c}.scatter{ip}(0,t.tensor([[0,1,2,0]],dtype=t.int32),1.)
W(t).int(){c}.scatter{ip}(0,t.tensor([[0,1,2,0]]),1.5)
W(t){c}.scatter{ip}(5,t.tensor([[0]]),1.)
W(t){c}.scatter{ip}(0,t.zeros(0,dtype=t.int64),1.)
W(t){c}.scatter{ip}(0,t.tensor([[-1]]),1.)
W(t){c}.scatter{ip}(0,t.tensor([[0]]),value=3)
S(t){c}.scatter{ip}(0,t.tensor(0),2.)
W(t).t(){c}.scatter{ip}(0,t.tensor([[0,1,2]]),1.)
X(t){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0],[0,1,2,0]]),t.ones(2,4))
W(t){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,3))
W(t){c}.scatter_add{ip}(0,t.tensor([[9]]),t.ones(1,1))
W(t){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4).double())
W(t).half(){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4).half())
W(t){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0]]),t.ones(4))
W(t).bool(){c}.scatter_add{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4).bool())
X(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2,4))
X(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(3,4))
X(t){c}.index_add{ip}(0,t.tensor([0,5]),t.ones(2,4))
X(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2,3))
W(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2,4).double())
W(t){c}.index_add{ip}(0,t.tensor([[0]]),t.ones(1,4))
X(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2,4),alpha=2)
W(t).int(){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2,4,dtype=t.int32),alpha=1.5)
W(t){c}.index_add{ip}(0,t.tensor([0.]),t.ones(1,4))
W(t){c}.index_add{ip}(0,t.tensor(0),t.ones(1,4))
W(t){c}.index_add{ip}(0,t.tensor([-1]),t.ones(1,4))
S(t){c}.index_add{ip}(0,t.tensor([0]),t.tensor(2.))
W(t){c}.index_add{ip}(0,t.tensor([0,2]),t.ones(2))
W(t){c}.index_add{ip}(1,t.tensor([0,2],dtype=t.int32),t.ones(3,2))
X(t){c}.index_copy{ip}(0,t.tensor([0,2]),t.ones(2,4))
W(t){c}.index_copy{ip}(0,t.tensor([0,2]),t.ones(3,4))
W(t){c}.index_copy{ip}(0,t.tensor([0,5]),t.ones(2,4))
W(t){c}.index_copy{ip}(0,t.tensor([0,2]),t.ones(2,3))
W(t){c}.index_copy{ip}(0,t.tensor([0,2]),t.ones(2,4).double())
W(t){c}.index_copy{ip}(0,t.tensor([0,2],dtype=t.int32),t.ones(2,4))
W(t){c}.index_copy{ip}(0,t.tensor([-1]),t.ones(1,4))
W(t){c}.index_copy{ip}(0,t.tensor([[0]]),t.ones(1,4))
W(t){c}.index_copy{ip}(0,t.tensor([0,2]),t.tensor(1.))
W(t){c}.index_copy{ip}(0,t.tensor([0]),t.tensor(1.))
S(t){c}.index_copy{ip}(0,t.tensor([0]),t.tensor(2.))
X(t){c}.index_fill{ip}(0,t.tensor([0,2]),1.)
X(t){c}.index_fill{ip}(0,t.tensor([0,2]),t.tensor(1.))
W(t){c}.index_fill{ip}(0,t.tensor([5]),1.)
W(t){c}.index_fill{ip}(0,t.tensor([-1]),1.)
W(t){c}.index_fill{ip}(0,t.tensor([0]),t.tensor([1.]))
W(t){c}.index_fill{ip}(0,t.tensor([0],dtype=t.int32),1.)
W(t){c}.index_fill{ip}(0,t.tensor([[0]]),1.)
W(t).int(){c}.index_fill{ip}(0,t.tensor([0]),1.5)
W(t){c}.index_fill{ip}(0,t.tensor([0]),1j)
S(t){c}.index_fill{ip}(0,t.tensor([0]),2.)
""", NAMES)
    for r in ("sum", "prod", "mean", "amax", "amin", "foo"):
        for inc in (True, False):
            CASES |= cases(f"""
X(t){c}.scatter_reduce{ip}(0,t.tensor([[0,1,2,0]]),t.ones(1,4),'{r}',include_self={inc})
t.tensor([1.,2.,3.]){c}.scatter_reduce{ip}(0,t.tensor([0,0,1]),t.tensor([4.,5.,6.]),'{r}',include_self={inc})
t.tensor([1,2,3]){c}.scatter_reduce{ip}(0,t.tensor([0,0,1]),t.tensor([4,5,6]),'{r}',include_self={inc})
t.tensor([-7,2,3]){c}.scatter_reduce{ip}(0,t.tensor([0,0,1]),t.tensor([-4,5,6]),'{r}',include_self={inc})
t.tensor([1.,2.]){c}.scatter_reduce{ip}(0,t.tensor([0]),t.tensor([float('nan')]),'{r}',include_self={inc})
X(t){c}.index_reduce{ip}(0,t.tensor([0,2]),t.ones(2,4)*7,'{r}',include_self={inc})
X(t){c}.index_reduce{ip}(1,t.tensor([0,2,0]),t.ones(3,3)*7,'{r}',include_self={inc})
""", NAMES)
for r in ("sum", "prod", "mean", "amax", "amin"):
    for inc in (True, False):
        CASES |= cases(f"""
gradients(t, lambda x, y: x.scatter_reduce(1,t.tensor([[0,0],[1,3]]),y[:2,:2],'{r}',include_self={inc}), A, B)
gradients(t, lambda x, y: x.clone().scatter_reduce_(1,t.tensor([[0,0],[1,3]]),y[:2,:2],'{r}',include_self={inc}), A, B)
""", NAMES)
        if r != "sum":
            CASES |= cases(f"gradients(t, lambda x, y: x.index_reduce(1,t.tensor([0,2]),y[:,:2],'{r}',include_self={inc}), A, B)", NAMES)

test_index = recorded_test(__file__, CASES)


def random_subscript(rng, shape):
    """A subscript of integers, slices, None, index arrays and masks that fits a shape, for NumPy and for tensors."""
    entries, d = [], 0
    while d < len(shape):
        size, kind = shape[d], rng.choice(["integer", "slice", "slice", "rows", "mask", "none", "stop"])
        if kind == "stop":
            break
        if kind == "none":
            entries.append(None)
            continue
        if kind == "slice":
            bounds = [None if rng.random() < 0.4 else int(rng.integers(-size - 1, size + 2)) for _ in range(2)]
            entries.append(slice(*bounds, int(rng.integers(1, 4))))
        elif kind == "mask":
            entries.append(rng.random(size) < 0.5)
        elif size == 0:
            entries.append(slice(None))
        elif kind == "integer":
            entries.append(int(rng.integers(-size, size)))
        else:
            entries.append(rng.integers(-size, size, [(2,), (1,), (3, 2)][int(rng.integers(3))]))
        d += 1
    return entries


def tensors(entries):
    return tuple(torch.tensor(e) if isinstance(e, np.ndarray) else e for e in entries)


@pytest.mark.parametrize("seed", range(300))
def test_subscripts_agree_with_numpy(seed):
    rng = np.random.default_rng(seed)
    shape = [int(n) for n in rng.integers(0, 5, int(rng.integers(1, 5)))]
    array = rng.integers(0, 100, shape)
    tensor = torch.tensor(array)
    if seed % 2 and len(shape) > 1:  # the same elements with other strides
        tensor = tensor.transpose(0, -1).contiguous().transpose(0, -1)
    entries = random_subscript(rng, shape)
    # An integer beside arrays counts as an array in NumPy, and as a dimension taken away first in PyTorch; NumPy moves all
    # arrays to the front where a slice or None stands between them and such an integer.
    if any(isinstance(e, np.ndarray) for e in entries):
        entries = [slice(e, e + 1 or None) if isinstance(e, int) else e for e in entries]
    try:
        expected = array[tuple(entries)]
    except IndexError:
        with pytest.raises(IndexError):
            tensor[tensors(entries)]
        return
    found = tensor[tensors(entries)]
    assert tuple(found.shape) == expected.shape
    assert (found.numpy() == expected).all()
    array[tuple(entries)] = 1000
    tensor[tensors(entries)] = 1000
    assert (tensor.numpy() == array).all()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 32767, 32769, 100000])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "int64", "complex128"])
def test_masks_of_every_length_and_element_size(size, dtype):
    rng = np.random.default_rng(size)
    array, mask = rng.integers(0, 100, size).astype(dtype), rng.random(size) < 0.4
    tensor, bools = torch.tensor(array), torch.tensor(mask)
    assert (tensor[bools].numpy() == array[mask]).all()
    assert (bools.nonzero().numpy()[:, 0] == np.nonzero(mask)[0]).all()
    assert (tensor.masked_fill(bools, 7).numpy() == np.where(mask, 7, array)).all()
    values = np.arange(size).astype(dtype)
    expected = array.copy()
    expected[mask] = values[:mask.sum()]
    assert (tensor.masked_scatter(bools, torch.tensor(values)).numpy() == expected).all()


def test_thread_count_does_not_show():
    rng = np.random.default_rng(0)
    rows, places = torch.tensor(rng.standard_normal((5000, 300)).astype("float32")), torch.tensor(rng.integers(0, 40, 5000))
    columns = torch.tensor(rng.integers(0, 300, (5000, 300)))
    calls = [
        lambda: torch.zeros(40, 300).index_add(0, places, rows),
        lambda: torch.zeros(40, 300).index_put((places,), rows, accumulate=True),
        lambda: torch.zeros(40, 300).index_put((places,), rows),
        lambda: torch.zeros(5000, 300).scatter_add(1, columns, rows),
        lambda: torch.zeros(300, 300).scatter_add(0, columns, rows),
        lambda: torch.zeros(5000, 300).scatter(1, columns, rows),
        lambda: torch.zeros(5000, 300).scatter_reduce(1, columns, rows, "mean"),
    ]
    threads = torch.get_num_threads()
    try:
        for call in calls:
            results = []
            for n in (1, 2, 3):
                torch.set_num_threads(n)
                results.append(call())
            assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])
    finally:
        torch.set_num_threads(threads)
