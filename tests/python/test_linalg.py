"""Contractions, powers and distances: against PyTorch's results."""
from expressions import cases, gradients, numbers
from recorded import recorded_test

NAMES = {
    "gradients": gradients, "n": numbers,
    "r": lambda t, seed, *shape, **kw: t.tensor(numbers(seed, *shape), dtype=t.float32, **kw),
    "g": lambda t, seed, *shape: t.tensor(numbers(seed, *shape), dtype=t.float32, requires_grad=True),
    "i": lambda t, seed, *shape: t.tensor(numbers(seed, *shape) * 5).to(t.int32),
    "names": lambda out, depth=4: _names(out.grad_fn, depth),
}


def _names(node, depth):
    """The names of a node and of what it leads to first."""
    names = []
    while node is not None and len(names) < depth:
        names.append(type(node).__name__)
        node = node.next_functions[0][0] if node.next_functions else None
    return names


CASES = cases("""
t.outer(r(t,0,3),r(t,1,4))
t.outer(r(t,0,2,2),r(t,1,4))
names(t.outer(g(t,0,3),r(t,1,4)))
t.inner(r(t,0,2,3),r(t,1,5,3))
t.inner(r(t,0,2,3),r(t,1,2,2))
t.inner(t.tensor(2.),r(t,1,2,2))
names(t.inner(g(t,0,2,3),r(t,1,5,3)))
t.trace(r(t,0,3,5))
t.trace(i(t,0,3,5))
t.trace(r(t,0,3))
gradients(t,lambda x:t.trace(x),n(0,3,4))
gradients(t,lambda x,y:t.kron(x,y),n(0,2,3),n(1,2))
names(t.kron(g(t,0,2,3),r(t,1,2)))
gradients(t,lambda x,y:t.linalg.cross(x,y),n(0,2,3),n(1,3))
t.linalg.cross(r(t,0,2,4),r(t,1,2,4))
t.cross(r(t,0,2,2),r(t,1,2,2))
t.cross(r(t,0,3,2),r(t,1,3,2))
names(t.linalg.cross(g(t,0,2,3),r(t,1,2,3)))
gradients(t,lambda x:t.linalg.matrix_power(x,1),n(0,2,2))
gradients(t,lambda x:t.linalg.matrix_power(x,1),n(0,2,3,3))
gradients(t,lambda x:t.linalg.matrix_power(x,2),n(0,2,2))
gradients(t,lambda x:t.linalg.matrix_power(x,2),n(0,2,3,3))
gradients(t,lambda x:t.linalg.matrix_power(x,3),n(0,2,2))
gradients(t,lambda x:t.linalg.matrix_power(x,3),n(0,2,3,3))
gradients(t,lambda x:t.linalg.matrix_power(x,5),n(0,2,2))
gradients(t,lambda x:t.linalg.matrix_power(x,5),n(0,2,3,3))
t.matrix_power(r(t,0,2,3),2)
t.matrix_power(r(t,0,2,2),0)
t.linalg.matrix_power(r(t,0,2),2)
t.linalg.multi_dot([r(t,0,10,30),r(t,1,30,5),r(t,2,5,60)])
t.linalg.multi_dot([r(t,0,3),r(t,1,3,4),r(t,2,4)])
t.linalg.multi_dot([r(t,0,2,3)])
t.linalg.multi_dot([r(t,0,2,3),r(t,0,2,3)])
t.linalg.multi_dot([r(t,0,2,3),r(t,0,2,3,3),r(t,0,3,3)])
names(t.linalg.multi_dot([g(t,0,2,3),r(t,0,3,4)]))
t.linalg.vecdot(r(t,0,2,3),r(t,1,2,3))
t.einsum('ij,jk->ik',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('ij->ji',[r(t,0,2,3)])
t.einsum('ij->',[r(t,0,2,3)])
t.einsum('ij,ij->i',[r(t,0,2,3),r(t,1,2,3)])
t.einsum('ii->i',[r(t,0,3,3)])
t.einsum('ii',[r(t,0,3,3)])
t.einsum('...ij,...jk->...ik',[r(t,0,5,2,3),r(t,1,3,4)])
t.einsum('bhid,bhjd->bhij',[r(t,0,2,2,3,4),r(t,1,2,2,5,4)])
t.einsum('ij,jk,kl->il',[r(t,0,2,3),r(t,1,3,4),r(t,2,4,5)])
t.einsum('ij,kj->ki',[r(t,0,2,3),r(t,1,4,3)])
t.einsum('iij->ji',[r(t,0,3,3,2)])
t.einsum('i,j->ij',[r(t,0,2),r(t,1,3)])
t.einsum('ij,jk->',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('ai,ib,bc,cd->ad',[r(t,0,2,3),r(t,1,3,4),r(t,2,4,5),r(t,3,5,2)])
t.einsum(' i j , j k -> i k',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('ij,j->i',[r(t,0,2,3),r(t,1,1)])
t.einsum('i,jk',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('ij',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('ij,ik->jk',[r(t,0,2,3),r(t,1,3,4)])
t.einsum('i1->i',[r(t,0,2,3)])
t.einsum('ij->z',[r(t,0,2,3)])
t.einsum('ij->ii',[r(t,0,2,3)])
t.einsum('i.j',[r(t,0,2,3)])
t.einsum('ii',[r(t,0,2,3)])
t.einsum('ij-',[r(t,0,2,3)])
t.einsum('...i...',[r(t,0,2,3)])
gradients(t,lambda x,y:t.einsum("bij,bjk->bik",[x,y]),n(0,2,2,3),n(1,2,3,2))
names(t.einsum("ij,jk->ik",[g(t,0,2,3),r(t,1,3,4)]),8)
(lambda x,y:t.autograd.grad(t.cdist(x,y,1.0).sin().sum(),[x,y]))(g(t,0,3,2),g(t,1,4,2))
(lambda x,y:t.autograd.grad(t.cdist(x,y,2.0).sin().sum(),[x,y]))(g(t,0,3,2),g(t,1,4,2))
(lambda x,y:t.autograd.grad(t.cdist(x,y,3.0).sin().sum(),[x,y]))(g(t,0,3,2),g(t,1,4,2))
t.cdist(r(t,0,5,2,3),r(t,1,4,3),0.0)
t.cdist(r(t,0,2,3),r(t,1,4,3),float("inf"))
t.cdist(r(t,0,30,3),r(t,1,4,3))
names(t.cdist(g(t,0,30,3),r(t,1,4,3)))
names(t.cdist(g(t,0,3,3),r(t,1,4,3)))
t.cdist(r(t,0,2,3),r(t,1,4,2))
t.cdist(r(t,0,2,3),r(t,1,4))
t.cdist(r(t,0,2,3),r(t,1,4,3),-1.0)
t.cdist(i(t,0,2,3),r(t,1,4,3))
""", NAMES)
test_linalg = recorded_test(__file__, CASES)
