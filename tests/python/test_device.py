"""Devices: names, moves, defaults, and what a machine without cards answers; results recorded from PyTorch."""

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
(torch.cuda.is_available(),torch.cpu.is_available(),torch.backends.mps.is_available())
torch.device('cuda')
torch.device('cuda:1')
str(torch.device('cuda'))
torch.device('cpu',0)
torch.device('cpu:0')==torch.device('cpu')
torch.device('foo')
torch.device('cuda:x')
torch.device(type='cpu')
torch.device()
torch.device(torch.device('cpu'))
torch.device('cuda','1')
hash(torch.device('cpu'))==hash(torch.device('cpu'))
x.to('cpu') is x
x.to(torch.float32) is x
x.to(torch.float64).dtype
x.to('cpu',torch.float16).dtype
x.to('cpu',dtype=torch.float16).dtype
x.to(i).dtype
x.to('cpu',copy=True) is x
x.to('cuda')
x.cuda()
x.to('meta')
x.to()
x.to(3)
x.to('foo')
x.cpu() is x
x.device
x.is_cuda
torch.ones(2,device='meta')+torch.ones(2)
torch.ones(2,device='meta').item()
torch.empty(2**20,2**20,device='meta').add(1).stride()
torch.zeros(300,200,device='meta').t().shape
torch.ones(2,device='meta').tolist()
torch.ones(2,device='meta').numpy()
torch.ones(2,2,device='meta')@torch.ones(2,3,device='meta')
torch.device(1)
torch.device('')
torch.device('cuda:-1')
torch.device('cuda:01')
torch.device('cpu', -1)
torch.device('cuda:0', 1)
torch.device(1.5)
torch.device('cuda', 1.5)
{torch.device('cpu'): 1}[torch.device('cpu')]
pickle.loads(pickle.dumps(torch.device('cuda', 1)))
copy.deepcopy(torch.device('meta'))
(torch.cuda.device_count(), torch.cuda.is_initialized(), torch.cuda.memory_allocated(), torch.cuda.max_memory_reserved())
(torch.cuda.memory_stats(), torch.cuda.empty_cache(), torch.cuda.get_rng_state_all(), torch.cuda.get_arch_list())
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.get_device_properties(0)
torch.cuda.mem_get_info()
torch.cuda.Stream()
torch.cuda.Event()
torch.cuda.manual_seed_all(0)
torch.mps.synchronize()
torch.mps.current_allocated_memory()
(torch.mps.is_available(), torch.mps.device_count())
(torch.accelerator.is_available(), torch.accelerator.device_count(), torch.accelerator.current_accelerator())
torch.accelerator.synchronize()
torch.accelerator.current_device_index()
(torch.cpu.device_count(), torch.cpu.current_device(), torch.cpu.synchronize())
(torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.version())
(torch.backends.mps.is_built(), torch.backends.cuda.is_built(), torch.backends.cuda.matmul.allow_tf32)
(torch.version.cuda, torch.version.hip, torch.version.debug)
torch.amp.GradScaler('cuda').state_dict()
torch.amp.GradScaler('cpu').scale(torch.ones(1))
torch.autocast('foo')
torch.is_autocast_enabled()
""",
    names,
)


def default_device_context(torch):
    with torch.device("meta"):
        made = [
            torch.ones(2),
            torch.zeros(2, 3, device="cpu"),
            torch.tensor([1]),
            torch.arange(3),
            torch.rand(2),
            torch.nn.Linear(2, 2).weight,
        ]
        like = torch.zeros_like(torch.ones(1, device="cpu"))
    return [str(t.device) for t in made + [like, torch.ones(1)]]


def default_device_is_set(torch):
    torch.set_default_device("meta")
    try:
        inside = [str(torch.ones(2).device), str(torch.get_default_device()), str(torch.ones(2).new_zeros(1).device)]
    finally:
        torch.set_default_device(None)
    return inside + [str(torch.ones(2).device), str(torch.get_default_device())]


def cudnn_flags(torch):
    with torch.backends.cudnn.flags(enabled=False, deterministic=True):
        inside = [torch.backends.cudnn.enabled, torch.backends.cudnn.deterministic]
    return inside + [torch.backends.cudnn.enabled, torch.backends.cudnn.deterministic]


def scaled_steps(torch):
    """A step with finite gradients, one with inf, and what they do to the factor."""
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    x = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([x], lr=0.1)
    out = []
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale((x * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        out.append([x.tolist(), scaler.get_scale()])
    return out


CASES.update((f.__name__, f) for f in (default_device_context, default_device_is_set, cudnn_flags, scaled_steps))
test_case = recorded_test(__file__, CASES)


def test_mps_says_what_is_missing():
    import hwaro as torch
    import pytest

    with pytest.raises(RuntimeError, match="not linked with support for mps devices"):
        torch.ones(1).to("mps")


def test_autocast_on_the_cpu_is_refused_not_ignored():
    import hwaro as torch
    import pytest

    with pytest.raises(NotImplementedError, match="no autocast on 'cpu'"):
        with torch.autocast("cpu"):
            pass


def test_memory_statistics_follow_tensors():
    import hwaro as torch

    before = torch.cpu.memory_allocated()
    x = torch.ones(1 << 18)
    assert torch.cpu.memory_allocated() >= before + (1 << 20)
    assert torch.cpu.max_memory_allocated() >= torch.cpu.memory_allocated()
    del x
    assert torch.cpu.memory_allocated() < before + (1 << 20)
