"""What a tensor is to Python: attributes, conversions, operators, construction, copies; results from PyTorch."""

import copy
import pickle

import numpy
from shown import expression_cases
from recorded import recorded_test


def names(torch):
    return {
        "x": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "i": torch.tensor([1, 2, 3]),
        "np": numpy,
        "copy": copy,
        "pickle": pickle,
        "a": numpy.array([[1, 2], [3, 4]]),
    }


CASES = expression_cases(
    """
(x.shape,x.size(),x.size(0),x.size(-1),x.dim(),x.ndim,x.numel(),x.nelement(),x.stride(),x.stride(0),x.dtype,x.layout,x.itemsize,x.nbytes,x.element_size())
x.size(2)
(x.is_floating_point(),i.is_floating_point(),x.is_contiguous(),x.t().is_contiguous(),x.is_leaf,x.requires_grad,x.grad,x.grad_fn,x.is_sparse,x.names,x.is_quantized)
(x.T,x.mT,x.H)
(x.real,)
x.imag
x.type()
x.type(torch.int32)
x.type('torch.DoubleTensor')
x.type(torch.LongTensor)
(x.int(),x.long(),x.half(),x.double(),x.bool(),x.byte(),x.char(),x.short(),x.bfloat16(),x.cfloat())
x.foo
isinstance(x,torch.Tensor)
(isinstance(x,torch.FloatTensor),isinstance(x,torch.DoubleTensor),isinstance(i,torch.LongTensor))
(type(x),type(x.shape),type(x.dtype),type(x.device),torch.Tensor,torch.float32,torch.Size,torch.float)
torch.is_tensor(x)
(torch.FloatTensor([1,2]),torch.LongTensor([1,2]),torch.Tensor([1,2]),torch.Tensor(2,0),torch.IntTensor(0))
torch.Tensor(np.array([[1,2],[3,4]]))
torch.Tensor(3).shape
torch.Tensor()
torch.Tensor([1],device='cpu')
torch.Tensor('a')
torch.BoolTensor([1,0])
(x.shape+(1,),x.shape[0:1],x.shape*2,x.shape[-1],torch.Size([1,2])==(1,2),len(x.shape),tuple(x.shape),list(x.shape),x.shape.numel())
torch.Size([1.5])
torch.Size()
f"{x.shape}"
"%s"%(x.shape,)
(1,)+x.shape
(float(torch.tensor(1.5)),int(torch.tensor(2)),bool(torch.tensor(0)),complex(torch.tensor(1+2j)),torch.tensor(3).__index__())
float(x)
int(x)
bool(x)
bool(torch.empty(0))
x.item()
[1,2,3][torch.tensor(1)]
range(torch.tensor(3))
torch.tensor(1.5).__index__()
len(x)
len(torch.tensor(1))
list(x)
[v for v in torch.tensor(3)]
(2. in x, 9 in x, torch.tensor(2.) in x)
'a' in x
list(reversed(i))
x==None
x==[1]
x!=None
{x:1}[x]
x.tolist()
torch.tensor(3).tolist()
round(torch.tensor(2.567),2)
divmod(torch.tensor(7),3)
abs(-x)
+x
~torch.tensor([True])
~x
x//2
x%2
2**x
x**-1
i**-1
i/2
5-x
1/i
x@x
x@i
i<<1
i&1
x&1
x+'a'
'a'+x
x+[1]
x<'a'
i//0
i%0
torch.tensor([250],dtype=torch.uint8)+300
i.div_(2)
i.add_(1.5)
torch.tensor([1,2.])
torch.tensor([[1],[2,3]])
torch.tensor([True,2])
torch.tensor('a')
torch.tensor(['a'])
torch.tensor(None)
torch.tensor([None])
torch.tensor({1})
torch.tensor(x)
torch.tensor([x[0],x[1]])
torch.tensor([torch.tensor(1),torch.tensor(2)])
torch.tensor(range(3))
torch.tensor(1j)
torch.tensor([])
torch.tensor([[]])
torch.tensor(300,dtype=torch.uint8)
torch.tensor(2**63)
torch.tensor([1,2],dtype=float)
torch.tensor(3,dtype='float')
torch.zeros(size=(2,3))
torch.zeros(2,3,dtype=torch.int32)
torch.zeros([2,3])
torch.zeros()
torch.zeros('a')
torch.zeros(-1)
torch.zeros(2.)
torch.zeros(2,foo=1)
torch.full(size=(2,2),fill_value=5,dtype=torch.float64)
torch.full((2,),1)
torch.full((2,),True)
torch.arange(5)
torch.arange(0,2.5,.5)
torch.arange(1,0)
torch.arange(0,5,0)
torch.linspace(3,10,5)
torch.eye(2)
torch.randint(3,10,(2,2)).shape
torch.ones_like(x,dtype=torch.int64)
torch.ones_like(3)
torch.empty(2,3).shape
torch.zeros_like(a)
copy.copy(x) is x
copy.deepcopy(x)
copy.deepcopy(torch.ones(1,requires_grad=True)*2)
pickle.loads(pickle.dumps(x))
pickle.loads(pickle.dumps(torch.ones(1,requires_grad=True)))
pickle.dumps(torch.ones(1,requires_grad=True)*2) and 1
(lambda p:(p,p.requires_grad,type(p).__name__))(copy.deepcopy(torch.nn.Parameter(torch.ones(1))))
(torch.finfo(torch.float16),torch.iinfo(torch.int32),torch.finfo(),torch.iinfo(torch.int64).max,torch.finfo(torch.float32).eps)
torch.finfo(torch.int32)
torch.iinfo(torch.float32)
(torch.float32.is_floating_point,torch.int8.is_signed,torch.float16.itemsize,torch.complex64.is_complex,torch.float32.to_complex(),torch.complex64.to_real())
(torch.inf,torch.nan,torch.pi,torch.e)
torch.promote_types(torch.int32,torch.float16)
torch.can_cast(torch.float32,torch.int32)
torch.set_default_dtype(torch.int32)
torch.get_default_dtype()
""",
    names,
)
test_expression = recorded_test(__file__, CASES)


def test_attributes_survive_while_cpp_holds_the_tensor():
    import hwaro as torch

    leaf = torch.ones(2, requires_grad=True)
    leaf.note = "kept"
    out = leaf * 2
    del leaf
    assert out.grad_fn.next_functions[0][0].variable.note == "kept"


def test_grad_is_the_same_object_each_time():
    import hwaro as torch

    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad is x.grad


def test_setting_and_deleting_attributes():
    import hwaro as torch

    x = torch.ones(2)
    x.foo = 3
    assert x.foo == 3 and x.__dict__ == {"foo": 3}
    del x.foo
    assert not hasattr(x, "foo")


def test_a_cycle_through_an_attribute_is_collected():
    import gc
    import weakref
    import hwaro as torch

    class Marker:
        pass

    x = torch.ones(2)
    x.me, x.marker = x, Marker()
    gone = weakref.ref(x.marker)
    del x
    gc.collect()
    assert gone() is None


def test_import_loads_little():
    import subprocess
    import sys

    script = (
        "import sys, hwaro; print(*sorted(m for m in sys.modules if m.startswith('hwaro.') or m in ('numpy', 'inspect',"
        " 'typing', 're', 'pickle')))"
    )
    out = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [m for m in out if not m.startswith("hwaro._")] == []
