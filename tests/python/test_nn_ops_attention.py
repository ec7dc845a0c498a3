"""Scaled dot-product attention: against PyTorch's results."""
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
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,8,16),g(t,2,2,3,8,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,8,16),g(t,2,2,3,8,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,8,16),g(t,2,2,3,8,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,8)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,8)).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,8,16),g(t,2,2,3,8,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,8)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,8)>0.8).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,8,16),g(t,2,2,3,8,16))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,2,3,8,16),r(t,1,2,3,8,16),r(t,2,2,3,8,16)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,5,16),g(t,2,2,3,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,5,16),g(t,2,2,3,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,5,16),g(t,2,2,3,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,5,16),g(t,2,2,3,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8).sin().sum(),[q,k,v])))(g(t,0,2,3,8,16),g(t,1,2,3,5,16),g(t,2,2,3,5,16))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,2,3,8,16),r(t,1,2,3,5,16),r(t,2,2,3,5,16)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,1,2,70,32),g(t,1,1,2,90,32),g(t,2,1,2,90,32))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,1,2,70,32),g(t,1,1,2,90,32),g(t,2,1,2,90,32))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,1,2,70,32),g(t,1,1,2,90,32),g(t,2,1,2,90,32))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,70,90)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,70,90)).sin().sum(),[q,k,v])))(g(t,0,1,2,70,32),g(t,1,1,2,90,32),g(t,2,1,2,90,32))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,70,90)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,70,90)>0.8).sin().sum(),[q,k,v])))(g(t,0,1,2,70,32),g(t,1,1,2,90,32),g(t,2,1,2,90,32))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,1,2,70,32),r(t,1,1,2,90,32),r(t,2,1,2,90,32)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,1,2,130,15),g(t,1,1,2,600,15),g(t,2,1,2,600,15))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,1,2,130,15),g(t,1,1,2,600,15),g(t,2,1,2,600,15))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,1,2,130,15),g(t,1,1,2,600,15),g(t,2,1,2,600,15))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,130,600)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,130,600)).sin().sum(),[q,k,v])))(g(t,0,1,2,130,15),g(t,1,1,2,600,15),g(t,2,1,2,600,15))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,130,600)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,130,600)>0.8).sin().sum(),[q,k,v])))(g(t,0,1,2,130,15),g(t,1,1,2,600,15),g(t,2,1,2,600,15))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,1,2,130,15),r(t,1,1,2,600,15),r(t,2,1,2,600,15)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,2,8,16),g(t,1,2,5,16),g(t,2,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,2,8,16),g(t,1,2,5,16),g(t,2,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,2,8,16),g(t,1,2,5,16),g(t,2,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)).sin().sum(),[q,k,v])))(g(t,0,2,8,16),g(t,1,2,5,16),g(t,2,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8).sin().sum(),[q,k,v])))(g(t,0,2,8,16),g(t,1,2,5,16),g(t,2,2,5,16))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,2,8,16),r(t,1,2,5,16),r(t,2,2,5,16)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v).sin().sum(),[q,k,v])))(g(t,0,8,16),g(t,1,5,16),g(t,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,is_causal=True).sin().sum(),[q,k,v])))(g(t,0,8,16),g(t,1,5,16),g(t,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,scale=0.3).sin().sum(),[q,k,v])))(g(t,0,8,16),g(t,1,5,16),g(t,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)).sin().sum(),[q,k,v])))(g(t,0,8,16),g(t,1,5,16),g(t,2,5,16))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,attn_mask=r(t,3,8,5)>0.8).sin().sum(),[q,k,v])))(g(t,0,8,16),g(t,1,5,16),g(t,2,5,16))
names(t.nn.functional.scaled_dot_product_attention(g(t,0,8,16),r(t,1,5,16),r(t,2,5,16)))
(lambda q,k,v:(t.nn.functional.scaled_dot_product_attention(q,k,v,enable_gqa=True),t.autograd.grad(t.nn.functional.scaled_dot_product_attention(q,k,v,enable_gqa=True).sin().sum(),[q,k,v])))(g(t,0,2,4,8,16),g(t,1,2,2,5,16),g(t,2,2,2,5,16))
(lambda m:(lambda o:(o,t.autograd.grad(o.sum(),[m])))(t.nn.functional.scaled_dot_product_attention(r(t,0,2,3,8,16),r(t,1,2,3,8,16),r(t,2,2,3,8,16),attn_mask=m)))(g(t,3,8,8))
t.nn.functional.scaled_dot_product_attention(g(t,0,2,8,4,16).transpose(1,2),r(t,1,2,8,4,16).transpose(1,2),r(t,2,2,8,4,16).transpose(1,2))
t.nn.functional.scaled_dot_product_attention(g(t,0,2,8,4,16).transpose(1,2),r(t,1,2,8,4,16).transpose(1,2),r(t,2,2,8,4,16).transpose(1,2)).stride()
t.nn.functional.scaled_dot_product_attention(r(t,0,2,2,8,16),r(t,1,2,2,7,16),r(t,2,2,2,7,5))
t.nn.functional.scaled_dot_product_attention(r(t,0,2,2,8,16),r(t,0,2,2,8,16),r(t,0,2,2,8,16),attn_mask=t.zeros(8,8,dtype=t.bool))
gradients(t,lambda q,k,v:t.nn.functional.scaled_dot_product_attention(q,k,v),n(0,5,4),n(1,3,4),n(2,3,4))
t.nn.functional.scaled_dot_product_attention(r(t,0,2,2,8,16).to(t.float64),r(t,1,2,2,8,16).to(t.float64),r(t,2,2,2,8,16).to(t.float64),is_causal=True)
t.nn.functional.scaled_dot_product_attention(r(t,0,2,3,8,16),r(t,0,2,3,8,16).double(),r(t,0,2,3,8,16))
t.nn.functional.scaled_dot_product_attention(r(t,0,8),r(t,0,8),r(t,0,8))
t.nn.functional.scaled_dot_product_attention(r(t,0,2,3,8,16),r(t,0,2,3,8,15),r(t,0,2,3,8,16))
t.nn.functional.scaled_dot_product_attention(r(t,0,2,3,8,16),r(t,0,2,3,8,16),r(t,0,2,3,8,16),t.zeros(7,8))
t.nn.functional.scaled_dot_product_attention(r(t,0,2,3,8,16),r(t,0,2,3,8,16),r(t,0,2,3,8,16),t.zeros(8,8).int())
t.nn.functional.scaled_dot_product_attention(r(t,0,2,4,8,16),r(t,0,2,2,8,16),r(t,0,2,2,8,16))
""", NAMES)
test_attention = recorded_test(__file__, CASES)


def test_scores_of_16_bits_are_computed_in_float():
    import hwaro as torch

    torch.manual_seed(0)
    q, k, v = (8 * torch.randn(2, n, 8, dtype=torch.bfloat16) for n in (3, 6, 6))
    F = torch.nn.functional
    exact = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
    found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert found.dtype is torch.bfloat16 and torch.equal(found, exact.bfloat16())
