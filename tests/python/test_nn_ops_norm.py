"""Batch, layer, group and other normalisation: against PyTorch's results."""
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
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,None,None,w,b,True),n(0,4,3,5,6),n(1,3),n(2,3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,t.zeros(3,dtype=x.dtype),t.ones(3,dtype=x.dtype)*2,w,b,False),n(0,4,3,5,6),n(1,3),n(2,3))
(lambda m,v:(t.nn.functional.batch_norm(r(t,0,4,3,5,6),m,v,training=True,momentum=0.3),m,v))(t.zeros(3),t.ones(3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,None,None,w,b,True),n(0,8,3),n(1,3),n(2,3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,t.zeros(3,dtype=x.dtype),t.ones(3,dtype=x.dtype)*2,w,b,False),n(0,8,3),n(1,3),n(2,3))
(lambda m,v:(t.nn.functional.batch_norm(r(t,0,8,3),m,v,training=True,momentum=0.3),m,v))(t.zeros(3),t.ones(3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,None,None,w,b,True),n(0,4,3,7),n(1,3),n(2,3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,t.zeros(3,dtype=x.dtype),t.ones(3,dtype=x.dtype)*2,w,b,False),n(0,4,3,7),n(1,3),n(2,3))
(lambda m,v:(t.nn.functional.batch_norm(r(t,0,4,3,7),m,v,training=True,momentum=0.3),m,v))(t.zeros(3),t.ones(3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,None,None,w,b,True),n(0,2,3,2,3,4),n(1,3),n(2,3))
gradients(t,lambda x,w,b:t.nn.functional.batch_norm(x,t.zeros(3,dtype=x.dtype),t.ones(3,dtype=x.dtype)*2,w,b,False),n(0,2,3,2,3,4),n(1,3),n(2,3))
(lambda m,v:(t.nn.functional.batch_norm(r(t,0,2,3,2,3,4),m,v,training=True,momentum=0.3),m,v))(t.zeros(3),t.ones(3))
names(t.nn.functional.batch_norm(g(t,0,4,3,5),None,None,training=True))
t.nn.functional.batch_norm(r(t,0,4,3,5)*0.1+100,None,None,training=True).std()
t.nn.functional.batch_norm(r(t,0,2,3,4,4).contiguous(memory_format=t.channels_last),None,None,training=True)
t.nn.functional.batch_norm(r(t,0,2,3,4,4).contiguous(memory_format=t.channels_last),None,None,training=True).stride()
t.native_batch_norm(r(t,0,4,3,5),r(t,1,3),r(t,2,3),None,None,True,0.1,1e-5)
t.batch_norm(r(t,0,4,3,5),None,None,t.zeros(3),t.ones(3),False,0.1,1e-5,True)
t.nn.functional.batch_norm(r(t,0,4,3,5).half(),t.zeros(3),t.ones(3),training=True)
t.nn.functional.batch_norm(r(t,0,2,4,8),None,None)
t.nn.functional.batch_norm(r(t,0,1,4),None,None,training=True)
t.nn.functional.batch_norm(r(t,0,2,4,8),t.zeros(3),t.ones(3))
t.nn.functional.batch_norm(r(t,0,2,4,8),t.zeros(4),t.ones(4),r(t,0,3))
t.nn.functional.batch_norm(r(t,0,2,4,8),t.zeros(4).double(),t.ones(4).double())
t.nn.functional.batch_norm(r(t,0,3),None,None,training=True)
(lambda m,v:(t.nn.functional.batch_norm(t.zeros(0,4,8),m,v,training=True),m,v))(t.zeros(4),t.ones(4))
gradients(t,lambda x,w,b:t.nn.functional.layer_norm(x,(6,),w,b),n(0,4,3,5,6),n(1,*(6,)),n(2,*(6,)))
gradients(t,lambda x,w,b:t.nn.functional.layer_norm(x,(5,6),w,b),n(0,4,3,5,6),n(1,*(5,6)),n(2,*(5,6)))
gradients(t,lambda x,w,b:t.nn.functional.layer_norm(x,(5,),w,b),n(0,4,5),n(1,*(5,)),n(2,*(5,)))
gradients(t,lambda x,w,b:t.nn.functional.layer_norm(x,(5,),w,b),n(0,5),n(1,*(5,)),n(2,*(5,)))
gradients(t,lambda x:t.nn.functional.layer_norm(x,(5,)),n(0,4,5))
t.nn.functional.layer_norm(r(t,0,3,1000)*0.1+5,(1000,)).abs()
names(t.nn.functional.layer_norm(g(t,0,4,5),(5,)))
t.native_layer_norm(r(t,0,4,3,5),(5,),r(t,1,5),r(t,2,5),1e-5)
t.nn.functional.layer_norm(r(t,0,4,5).half(),(5,),r(t,1,5),r(t,2,5))
t.nn.functional.layer_norm(r(t,0,2,4,8),(4,))
t.nn.functional.layer_norm(r(t,0,2,8),(8,),r(t,1,4))
t.nn.functional.layer_norm(r(t,0,2,8),())
t.nn.functional.layer_norm(r(t,0,2,8),(8,),r(t,1,8).double())
t.nn.functional.layer_norm(i(t,0,2,8),(8,))
t.nn.functional.layer_norm(t.zeros(2,0),(0,))
t.nn.functional.layer_norm(t.zeros(0,4),(4,))
gradients(t,lambda x,w,b:t.nn.functional.group_norm(x,2,w,b),n(0,4,6,5,2),n(1,6),n(2,6))
gradients(t,lambda x,w,b:t.nn.functional.group_norm(x,3,w,b),n(0,4,6),n(1,6),n(2,6))
gradients(t,lambda x,w,b:t.nn.functional.group_norm(x,6,w,b),n(0,2,6,7),n(1,6),n(2,6))
gradients(t,lambda x,w,b:t.nn.functional.group_norm(x,1,w,b),n(0,2,6,7),n(1,6),n(2,6))
names(t.nn.functional.group_norm(g(t,0,4,6,5),2))
t.native_group_norm(r(t,0,2,4,3),None,None,2,4,3,2,1e-5)
t.nn.functional.group_norm(r(t,0,2,4,8),3)
t.nn.functional.group_norm(r(t,0,2,4,8),2,r(t,0,3))
t.nn.functional.group_norm(r(t,0,4),2)
t.nn.functional.group_norm(r(t,0,1,4),4)
t.nn.functional.group_norm(r(t,0,2,4,8).double(),2,r(t,0,4))
gradients(t,lambda x,w:t.nn.functional.rms_norm(x,(6,),w),n(0,4,6),n(1,6))
names(t.nn.functional.rms_norm(g(t,0,4,6).half(),(6,)))
t.nn.functional.rms_norm(r(t,0,2,4,8),(4,))
t.nn.functional.rms_norm(i(t,0,2,8),(8,))
t.nn.functional.rms_norm(r(t,0,2,8),(8,),r(t,0,4))
gradients(t,lambda x,w,b:t.nn.functional.instance_norm(x,None,None,w,b),n(0,2,3,4,2),n(1,3),n(2,3))
""", NAMES)
test_norm = recorded_test(__file__, CASES)
