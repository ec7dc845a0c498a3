"""Memory: statistics under torch.cuda's names, the limit, OutOfMemoryError that leaves tensors intact, page faults."""

import gc
import os
import resource
import subprocess
import sys

import numpy
import pytest

import hwaro as torch

MIB = 1 << 20


class Limited:
    """Within it, no more than `extra` bytes beyond what is reserved now can be had."""

    def __init__(self, extra):
        self.extra = extra

    def __enter__(self):
        torch.cpu.empty_cache()
        torch.cpu.set_memory_limit(torch.cpu.memory_reserved() + self.extra)

    def __exit__(self, *error):
        torch.cpu.set_memory_limit(0)


def caching():
    """Not under a sanitizer, and not with HWARO_NO_CACHE=1."""
    x = torch.empty(MIB)
    del x
    return torch.cpu.memory_reserved() > torch.cpu.memory_allocated()


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )


# ---- statistics ----


def test_allocated_bytes_follow_the_tensors():
    before = torch.cpu.memory_allocated()
    x = torch.empty(3 * MIB, dtype=torch.uint8)
    assert 3 * MIB <= torch.cpu.memory_allocated() - before < 3 * MIB + 4096
    view = x[: MIB // 2]
    assert torch.cpu.memory_allocated() - before < 3 * MIB + 4096
    del x
    assert torch.cpu.memory_allocated() - before >= 3 * MIB, "the view keeps the storage"
    del view
    assert torch.cpu.memory_allocated() == before


def test_peak_counts_from_the_last_reset():
    torch.cpu.reset_peak_memory_stats()
    start = torch.cpu.memory_allocated()
    x = torch.empty(4 * MIB, dtype=torch.uint8)
    del x
    assert torch.cpu.max_memory_allocated() - start >= 4 * MIB
    torch.cpu.reset_peak_memory_stats()
    assert torch.cpu.max_memory_allocated() - start < MIB
    assert torch.cpu.max_memory_reserved() == torch.cpu.memory_reserved()


def test_stats_have_cuda_s_keys_and_add_up():
    torch.cpu.reset_accumulated_memory_stats()
    before = torch.cpu.memory_stats()
    kept = [torch.empty(1000) for _ in range(7)]
    for _ in range(5):
        torch.empty(2000)
    after = torch.cpu.memory_stats()
    assert after["allocation.all.allocated"] - before["allocation.all.allocated"] == 12
    assert after["allocation.all.freed"] - before["allocation.all.freed"] == 5
    assert after["allocation.all.current"] - before["allocation.all.current"] == 7
    size = 4000 * 7
    grown = after["allocated_bytes.all.current"] - before["allocated_bytes.all.current"]
    assert size <= grown < size + 7 * 256
    assert after["reserved_bytes.all.current"] <= after["reserved_bytes.all.peak"]
    assert after["allocated_bytes.all.current"] <= after["allocated_bytes.all.peak"]
    assert all(isinstance(value, int) and value >= 0 for value in after.values())
    nested = torch.cpu.memory_stats_as_nested_dict()
    assert nested["allocation"]["all"]["current"] == torch.cpu.memory_stats()["allocation.all.current"]
    del kept
    torch.cpu.reset_accumulated_memory_stats()
    assert torch.cpu.memory_stats()["allocated_bytes.all.allocated"] == 0


def test_counts_of_all_threads_are_added():
    import threading

    before = torch.cpu.memory_stats()
    kept = []
    threads = [threading.Thread(target=lambda: kept.append(torch.empty(5000))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    after = torch.cpu.memory_stats()
    assert after["allocation.all.current"] - before["allocation.all.current"] == 4
    assert after["allocated_bytes.all.current"] - before["allocated_bytes.all.current"] >= 4 * 20000
    kept.clear()
    assert torch.cpu.memory_allocated() == before["allocated_bytes.all.current"]


def test_empty_cache_gives_back_what_no_tensor_holds():
    if not caching():
        pytest.skip("nothing is kept under a sanitizer")
    kept = torch.ones(2 * MIB)
    for size in (5, 9, 17):
        torch.empty(size * MIB, dtype=torch.uint8)
    reserved = torch.cpu.memory_reserved()
    torch.cpu.empty_cache()
    assert reserved - torch.cpu.memory_reserved() >= 31 * MIB
    assert torch.cpu.memory_reserved() >= 8 * MIB
    assert kept.sum().item() == 2 * MIB


def test_summary_is_a_table_of_the_stats():
    text = torch.cpu.memory_summary()
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "Allocated memory" in text and "Mappings" in text
    assert "Mappings" not in torch.cpu.memory_summary(abbreviated=True)


def test_other_devices_answer_as_without_a_card():
    x = torch.ones(1000)
    assert torch.cuda.memory_allocated() == 0 and torch.cuda.memory_stats() == {} and x.device.type == "cpu"
    with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is available."):
        torch.accelerator.memory_allocated()


# ---- the limit ----


def test_limit_and_fraction():
    free, total = torch.cpu.mem_get_info()
    assert 0 < free <= total
    assert torch.cpu.get_memory_limit() == 0 and torch.cpu.get_per_process_memory_fraction() == 1.0
    try:
        torch.cpu.set_per_process_memory_fraction(0.5)
        assert torch.cpu.get_memory_limit() == int(0.5 * total)
        assert abs(torch.cpu.get_per_process_memory_fraction() - 0.5) < 1e-6
        assert torch.cpu.mem_get_info()[1] == int(0.5 * total)
    finally:
        torch.cpu.set_memory_limit(0)
    with pytest.raises(ValueError, match="Invalid fraction value: 1.5. Allowed range: 0~1"):
        torch.cpu.set_per_process_memory_fraction(1.5)
    with pytest.raises(TypeError, match="Invalid type for fraction argument, must be `float`"):
        torch.cpu.set_per_process_memory_fraction(1)
    with pytest.raises(ValueError, match="must not be negative"):
        torch.cpu.set_memory_limit(-1)


def test_limit_from_the_environment():
    code = "import hwaro as torch; print(torch.cpu.get_memory_limit()); torch.empty(1 << 27, dtype=torch.uint8)"
    done = run(code, HWARO_MEMORY_LIMIT="64m")
    assert done.returncode == 1 and done.stdout == f"{64 * MIB}\n"
    assert done.stderr.splitlines()[-1].startswith("torch.OutOfMemoryError: ")
    done = run("import hwaro as torch; torch.empty(1)", HWARO_MEMORY_LIMIT="much")
    assert done.returncode == 1
    assert "HWARO_MEMORY_LIMIT must be a number of bytes, as 1000000, 64m or 2g, but got 'much'" in done.stderr


def test_cached_blocks_make_room_for_others():
    for size in (4, 6, 10):
        torch.empty(size * MIB, dtype=torch.uint8)
    retries = torch.cpu.memory_stats()["num_alloc_retries"]
    with Limited(24 * MIB):
        for size in (4, 6, 10, 20):  # 20 does not fit beside what is kept of the others
            torch.empty(size * MIB, dtype=torch.uint8)
        assert torch.cpu.memory_reserved() <= torch.cpu.get_memory_limit()
    if caching():
        assert torch.cpu.memory_stats()["num_alloc_retries"] > retries


# ---- out of memory ----

TEXT = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "{} bytes. Error code 12 (Cannot allocate memory)"
)


def test_error_is_pytorch_s():
    assert issubclass(torch.OutOfMemoryError, RuntimeError)
    assert torch.OutOfMemoryError is torch.cuda.OutOfMemoryError
    assert torch.OutOfMemoryError.__module__ == "torch"
    ooms = torch.cpu.memory_stats()["num_ooms"]
    with pytest.raises(torch.OutOfMemoryError) as error:
        torch.empty(1 << 50)
    assert str(error.value).splitlines()[0] == TEXT.format(4 << 50)
    assert torch.cpu.memory_stats()["num_ooms"] == ooms + 1
    for shape, text in (
        ((1 << 62,), "Storage size calculation overflowed with sizes=[4611686018427387904]"),
        ((1 << 61,), "Storage size calculation overflowed with sizes=[2305843009213693952]"),
        ((1 << 62, 4, 0), "Storage size calculation overflowed with sizes=[4611686018427387904, 4, 0]"),
        ((1 << 60,), TEXT.format(1 << 62)),
    ):
        with pytest.raises(RuntimeError) as error:
            torch.empty(shape)
        assert str(error.value).splitlines()[0] == text
    with pytest.raises(RuntimeError) as error:
        torch.empty_strided((2, 2), (1 << 62, 1))
    expected = "Storage size calculation overflowed with sizes=[2, 2] and strides=[4611686018427387904, 1]"
    assert str(error.value).splitlines()[0] == expected


@pytest.mark.parametrize(
    "shape, text",
    [
        ((1 << 46,), TEXT.format(1 << 48)),
        ((1 << 62,), "Storage size calculation overflowed with sizes=[4611686018427387904]"),
        ((1 << 62, 4), "numel: integer multiplication overflow"),
    ],
)
def test_resize_that_fails_changes_nothing(shape, text):
    x = torch.arange(6.0).reshape(2, 3)
    with pytest.raises(RuntimeError) as error:
        x.resize_(shape)
    assert str(error.value).splitlines()[0] == text
    assert repr(x) == "tensor([[0., 1., 2.],\n        [3., 4., 5.]])"
    assert x.untyped_storage().nbytes() == 24 and x.stride() == (3, 1)


N = 1024  # x and y are N x N floats: 4 MiB each

# Each makes at least one new tensor of 4 MiB, or may do so; x, y, m (a mask) and i (indices) must survive.
OUT_OF_PLACE = {
    "add": lambda t: t.x + t.y,
    "exp": lambda t: t.x.exp(),
    "compare": lambda t: (t.x > t.y).to(torch.int64),
    "cast": lambda t: t.x.double(),
    "where": lambda t: torch.where(t.m, t.x, t.y),
    "broadcast": lambda t: t.x[0] * t.y[:, :1],
    "transposed": lambda t: t.x.t() + t.y,
    "clone": lambda t: t.x.clone(),
    "contiguous": lambda t: t.x.t().contiguous(),
    "cat": lambda t: torch.cat([t.x, t.y]),
    "stack": lambda t: torch.stack([t.x, t.y], 1),
    "repeat": lambda t: t.x.repeat(2, 1),
    "full": lambda t: torch.full((N, N), 3.0),
    "randn": lambda t: torch.randn(N, N),
    "arange": lambda t: torch.arange(N * N),
    "matmul": lambda t: t.x @ t.y,
    "matmul transposed": lambda t: t.x.t() @ t.y.t(),
    "bmm": lambda t: torch.bmm(t.x.view(16, 256, 256), t.y.view(16, 256, 256)),
    "addmm": lambda t: torch.addmm(t.x, t.x, t.y),
    "linear": lambda t: torch.nn.functional.linear(t.x, t.y, t.x[0]),
    "outer": lambda t: torch.outer(t.x[0], t.x[1]),
    "conv2d": lambda t: torch.nn.functional.conv2d(t.x.view(1, 1, N, N), t.y[:3, :3].view(1, 1, 3, 3), padding=1),
    "max_pool2d": lambda t: torch.nn.functional.max_pool2d(t.x.view(1, 1, N, N), 3, 1, 1),
    "interpolate": lambda t: torch.nn.functional.interpolate(t.x.view(1, 1, N, N), scale_factor=2),
    "pad": lambda t: torch.nn.functional.pad(t.x, (1, 1, 1, 1)),
    "layer_norm": lambda t: torch.nn.functional.layer_norm(t.x, (N,)),
    "batch_norm": lambda t: torch.nn.functional.batch_norm(t.x, None, None, training=True),
    "softmax": lambda t: t.x.softmax(0),
    "dropout": lambda t: torch.nn.functional.dropout(t.x),
    "sort": lambda t: t.x.sort(0),
    "argsort": lambda t: t.x.argsort(),
    "topk": lambda t: t.x.topk(N // 2),
    "unique": lambda t: t.x.unique(),
    "cumsum": lambda t: t.x.cumsum(0),
    "flip": lambda t: t.x.flip(0),
    "roll": lambda t: t.x.roll(1),
    "tril": lambda t: t.x.tril(),
    "mask": lambda t: t.x[t.m],
    "index": lambda t: t.x[t.i],
    "index_select": lambda t: t.x.index_select(1, t.i),
    "gather": lambda t: t.x.gather(0, t.i.expand(N, N)),
    "nonzero": lambda t: t.m.nonzero(),
    "masked_fill": lambda t: t.x.masked_fill(t.m, 0.0),
    "scatter": lambda t: t.x.scatter(0, t.i.expand(N, N), t.y),
    "from lists": lambda t: torch.tensor(t.array),
    "linspace": lambda t: torch.linspace(0, 1, N * N),
    "one_hot": lambda t: torch.nn.functional.one_hot(t.i, N),
}

# In place: the result or OutOfMemoryError, and then the target is as it was.
IN_PLACE = {
    "add_": lambda t: t.x.add_(t.y),
    "add_ of another type": lambda t: t.x.add_(t.i),
    "add_ of itself transposed": lambda t: t.x.add_(t.x.t().contiguous()),
    "exp_": lambda t: t.x.exp_(),
    "cumsum_": lambda t: t.x.cumsum_(0),
    "copy_": lambda t: t.x.copy_(t.y.t()),
    "addmm_": lambda t: t.x.addmm_(t.y, t.y),
    "masked_fill_": lambda t: t.x.masked_fill_(t.m, 2.0),
    "masked_scatter_": lambda t: t.x.masked_scatter_(t.m, t.y),
    "mask assignment": lambda t: t.x.__setitem__(t.m, 5.0),
    "index assignment": lambda t: t.x.__setitem__(t.i, t.y.t()),
    "index_add_": lambda t: t.x.index_add_(0, t.i, t.y),
    "scatter_add_": lambda t: t.x.scatter_add_(0, t.i.expand(N, N), t.y),
    "resize_": lambda t: t.x.resize_(2 * N, N),
    "set of a storage": lambda t: t.x.untyped_storage().resize_(8 * N * N),
    "out= of another shape": lambda t: torch.mul(t.x, t.y, out=t.small),
    "out= of the right shape": lambda t: torch.cumsum(t.x, 0, out=t.y),
}


class Tensors:
    def __init__(self):
        rng = numpy.random.default_rng(0)
        self.array = rng.standard_normal((N, N)).astype(numpy.float32)
        self.x = torch.tensor(self.array)
        self.y = torch.tensor(rng.standard_normal((N, N)).astype(numpy.float32))
        self.m = torch.tensor(rng.random((N, N)) > 0.25)
        self.i = torch.tensor(rng.permutation(N))
        self.small = torch.zeros(2)

    def state(self):
        """Copies that NumPy owns, and the geometry."""
        tensors = (self.x, self.y, self.m, self.i, self.small)
        return [
            (t.shape, t.stride(), t.dtype, t.untyped_storage().nbytes(), numpy.array(t, copy=True)) for t in tensors
        ]


def same(before, after):
    return all(a[:4] == b[:4] and numpy.array_equal(a[4], b[4]) for a, b in zip(before, after))


@pytest.mark.parametrize("name", [*OUT_OF_PLACE])
def test_out_of_memory_leaves_tensors_intact(name):
    t = Tensors()
    before = t.state()
    gc.collect()  # cycles that other tests left behind
    allocated = torch.cpu.memory_allocated()
    with Limited(MIB // 2):
        with pytest.raises(torch.OutOfMemoryError, match="DefaultCPUAllocator: can't allocate memory"):
            OUT_OF_PLACE[name](t)
    assert same(before, t.state())
    assert torch.cpu.memory_allocated() == allocated, "what was made before the error has gone"
    torch.manual_seed(0)
    first = OUT_OF_PLACE[name](t)
    torch.manual_seed(0)
    second = OUT_OF_PLACE[name](t)
    for a, b in zip(first if isinstance(first, tuple) else [first], second if isinstance(second, tuple) else [second]):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", [*IN_PLACE])
@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
def test_out_of_memory_in_place_leaves_the_target_intact(name):
    expected = Tensors()
    IN_PLACE[name](expected)
    t = Tensors()
    before = t.state()
    failed = False
    with Limited(MIB // 2):
        try:
            IN_PLACE[name](t)
        except torch.OutOfMemoryError:
            failed = True
    if failed:
        assert same(before, t.state())
        IN_PLACE[name](t)
    # What resizing adds is not defined.
    if name not in ("resize_", "set of a storage"):
        assert same(expected.state(), t.state())


def training_step():
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 64 * 64, 16)
    )
    x = torch.rand(16, 1, 64, 64)
    return model, lambda: model(x).square().sum()


def test_backward_that_runs_out_of_memory_can_be_repeated():
    model, loss = training_step()
    loss().backward()
    expected = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    values = [numpy.array(p.detach(), copy=True) for p in model.parameters()]
    result = loss()
    with Limited(MIB):
        with pytest.raises(torch.OutOfMemoryError):
            result.backward()
    del result
    for p, value in zip(model.parameters(), values):
        assert numpy.array_equal(p.detach().numpy(), value)
    model.zero_grad()
    loss().backward()
    for p, grad in zip(model.parameters(), expected):
        assert torch.equal(p.grad, grad)


def test_forward_that_runs_out_of_memory_leaves_no_graph_behind():
    model, loss = training_step()
    allocated = torch.cpu.memory_allocated()
    for _ in range(3):
        with Limited(MIB):
            with pytest.raises(torch.OutOfMemoryError):
                loss()
        assert torch.cpu.memory_allocated() == allocated


def test_memory_that_threads_run_out_of():
    """The error reaches the caller also when a chunk of parallel work is what fails, and work goes on afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        x = torch.rand(64, 64, 32, 32)
        w = torch.rand(64, 64, 3, 3)
        expected = torch.nn.functional.conv2d(x, w, padding=1)
        with Limited(MIB // 2):
            with pytest.raises(torch.OutOfMemoryError):
                torch.nn.functional.conv2d(x, w, padding=1)
        assert torch.equal(torch.nn.functional.conv2d(x, w, padding=1), expected)
    finally:
        torch.set_num_threads(threads)


# ---- page faults ----


def mlp():
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    x, y = torch.rand(64, 784), torch.randint(10, (64,))
    return model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), lambda: nn.functional.cross_entropy(
        model(x), y
    )


def cnn():
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(16 * 13 * 13, 10),
    )  # fmt: skip
    x, y = torch.rand(32, 1, 28, 28), torch.randint(10, (32,))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), lambda: nn.functional.cross_entropy(model(x), y)


def attention():
    nn, f = torch.nn, torch.nn.functional
    model = nn.ModuleDict(
        {"token": nn.Embedding(65, 64), "norm": nn.LayerNorm(64), "qkv": nn.Linear(64, 192), "head": nn.Linear(64, 65)}
    )
    x, y = torch.randint(65, (8, 64)), torch.randint(65, (8, 64))

    def loss():
        h = model["token"](x)
        q, k, v = (s.view(8, 64, 4, 16).transpose(1, 2) for s in model["qkv"](model["norm"](h)).split(64, 2))
        h = h + f.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(8, 64, 64)
        return f.cross_entropy(model["head"](f.gelu(h)).view(-1, 65), y.view(-1))

    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), loss


def recurrent():
    nn = torch.nn
    model = nn.ModuleDict({"cell": nn.GRUCell(32, 64), "head": nn.Linear(64, 10)})
    x, y = torch.rand(20, 16, 32), torch.randint(10, (16,))

    def loss():
        h = torch.zeros(16, 64)
        for step in range(20):
            h = model["cell"](x[step], h)
        return nn.functional.cross_entropy(model["head"](h), y)

    return model, torch.optim.Adam(model.parameters(), lr=1e-3), loss


def large_pointwise():
    p = torch.nn.Parameter(torch.rand(1 << 21))
    return None, torch.optim.SGD([p], lr=0.1), lambda: (torch.tanh(p * 2 + 1) * 0.5 + p).sum()


@pytest.mark.parametrize("make", [mlp, cnn, attention, recurrent, large_pointwise], ids=lambda make: make.__name__)
def test_training_steps_do_not_fault_pages(make):
    if not caching():
        pytest.skip("nothing is kept under a sanitizer")
    torch.manual_seed(0)
    model, optimizer, loss_of = make()

    def step():
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()

    for _ in range(100):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        step()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults <= 100, f"{faults} minor page faults in 100 steps"
