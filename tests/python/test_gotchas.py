"""NumPy beside tensors, and the small surprises of PyTorch that programs rely on; results recorded from PyTorch."""

import copy
import pickle

import json

import facts
import numpy
import pytest
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
torch.from_numpy(a)
torch.tensor(a)
torch.as_tensor(a).data_ptr()==torch.as_tensor(a).data_ptr()
x.numpy()
np.asarray(x)
np.sin(x)
np.add(x,1)
np.float64(2)*x
np.float32(2)+x
np.int64(2)*i
x*np.float64(2)
np.ones(2)*x
x*np.ones(2)
x+np.ones(2,dtype=np.float32)
np.float64(2)**x
np.float64(2)<x
torch.ones(1,requires_grad=True).numpy()
torch.ones(1,requires_grad=True).detach().numpy()
np.array([x,x]).shape
np.stack([x,x]).shape
torch.tensor([np.float64(1),np.float64(2)]).dtype
torch.tensor(np.float32(1)).dtype
torch.from_numpy(np.array(['a']))
torch.from_numpy([1])
torch.from_numpy(a[::-1])
torch.from_numpy(np.array([1],dtype='>i4'))
x.numpy(force=True)
torch.tensor([1,2],dtype=torch.bfloat16).numpy()
torch.tensor(np.bool_(True))
np.mean(x.numpy())
x[np.array([0])]
x[np.int64(0)]
torch.zeros(np.int64(2),np.int32(3)).shape
x.sum(axis=np.int64(0))

# ---- a first tour of tensors ----
torch.sort(torch.tensor([[1.,3],[2,0]]),dim=0,descending=False)
torch.clamp(x,min=2,max=10)
torch.cat(tensors=(x,x),dim=1)
[b.shape for b in torch.split(torch.randn(5,16),3,dim=1)]
[b.shape for b in torch.split(torch.randn(5,16),[1,3,5,7],dim=1)]
torch.split(torch.randn(3,16),[1,5,11],dim=1)
torch.index_select(torch.IntTensor([[1,2,3,4],[5,6,7,8]]),dim=1,index=torch.tensor([0,2]))
torch.squeeze(torch.randn(2,1,4),dim=1).shape
torch.where(i>2,i*2,0)
torch.tensor([0,0,1,1,1,2]).unique()
torch.bmm(torch.rand(32,10,20),torch.rand(32,20,30)).shape
torch.ravel(x).dot(torch.ravel(x))
x.view(3)
x.t().view(4)
torch.mm(x,torch.ones(3,2))
torch.matmul(x,torch.ones(3))
x+torch.ones(3)
torch.cat([x,torch.ones(3,3)])
torch.stack([x,torch.ones(3)])
x[5]
x[0,0,0]
x[1.0]
x[[0,1],[1,0]]
x[None].shape
x[...,0]
x[x>1]
x.sum(5)
x.mean(),
i.mean()
torch.zeros(2,3,4)[0,:,[0,1]].shape
torch.max(x,0)
torch.max(x,0).values
torch.topk(x,1)
type(torch.max(x,0))
torch.return_types.max
torch.nonzero(x>1,as_tuple=True)
torch.meshgrid(i,i,indexing='ij')[0].shape
torch.broadcast_shapes((2,1),(3,))
torch.broadcast_shapes((2,),(3,))
torch.norm(x)
torch.einsum('ij,jk->ik',x,x)
torch.cdist(x,x)
torch.atleast_2d(i)
torch.gradient(torch.tensor([1.,4.,9.,16.]))
torch.gradient(torch.tensor([1.,4.,9.,16.]),spacing=2.,edge_order=2)
torch.unravel_index(torch.tensor([5,7]),(3,4))
torch.vander(i)
(torch.hann_window(4),torch.hamming_window(4,periodic=False),torch.blackman_window(5),torch.bartlett_window(5),torch.kaiser_window(5))
torch.manual_seed(0) is torch.default_generator
(torch.is_grad_enabled(),torch.is_inference_mode_enabled(),torch.get_num_threads()>0)
x.storage().size()
x.untyped_storage().nbytes()
(x.is_shared(),x.clone().share_memory_().is_shared())
x.new_tensor([1,2])
x.new_zeros(2)
x.new_full((2,),3)
x.new(2).shape
x.apply_(lambda v:v+1)
torch.zeros(3,3).fill_diagonal_(5)
torch.amp.autocast('cuda').__enter__() and 1
torch.cuda.synchronize()
torch.cuda.manual_seed_all(0)
torch.foo
torch.nn.foo
torch.autograd.foo
x.fo_()
torch.sum()
torch.relu('a')
x.reshape('a')
x.reshape(3,3)
x.view(-1,-1)
x.permute(0)
x.expand(3,3)
x.sum(dim=0,keepdim=3)
torch.softmax(x,-1).sum()
torch.nn.functional.softmax(x)
x.unbind()
x.chunk(2)
dir(x)[:3]
x.__class__
x.data
torch.Tensor.add(x,1)
torch.Tensor.add_.__name__
torch.add.__name__
torch.get_default_device()
torch.utils.data.TensorDataset(x)[0]
torch.testing.assert_close(x,x+1)
torch.set_printoptions(precision=2) or torch.tensor([1.23456])
torch.set_printoptions(profile='default') or torch.tensor([1.23456])
torch.Tensor.__module__
x.shape.__class__.__name__
repr(torch.strided)+repr(torch.channels_last)
torch.ones(2,3,4,5).contiguous(memory_format=torch.channels_last).stride()
""",
    names,
)
test_expression = recorded_test(__file__, CASES)


@pytest.fixture(scope="module")
def fact_lines():
    return facts.lines_of("hwaro")


RECORDED = json.loads(facts.RECORD.read_text())


def test_every_fact_is_recorded():
    assert list(RECORDED) == list(facts.FACTS)


@pytest.mark.parametrize("title", list(facts.FACTS))
def test_fact(title, fact_lines):
    print(f"{title}: {facts.FACTS[title]} -> {fact_lines[title]}")
    assert fact_lines[title] == RECORDED[title]


def test_in_place_over_devices_raises_where_pytorch_forgets():
    import hwaro as torch

    with pytest.raises(RuntimeError, match="Tensor on device meta is not on the expected device cpu!"):
        torch.ones(2).mul_(torch.ones(2, device="meta"))
    for a, b in ((torch.ones(2, 2), torch.ones(2, 2, device="meta")), (torch.ones(2, 2, device="meta"), torch.ones(2, 2))):
        with pytest.raises(RuntimeError, match="Tensor on device meta is not on the expected device cpu!"):
            a @ b


def test_answers_without_a_card():
    import hwaro as torch

    for call in (lambda: torch.ones(1).cuda(), lambda: torch.ones(1).to("cuda"), lambda: torch.ones(1, device="cuda")):
        with pytest.raises(AssertionError, match="not compiled with CUDA enabled"):
            call()
    with pytest.raises(RuntimeError, match="is not linked with support for mps devices"):
        torch.ones(1).to("mps")
