"""Promises that hold for whole families, stated over all their members: what tests/mutants breaks one by one."""

import itertools

import pytest

import hwaro as torch

WRITES = {
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(2),
    "iadd": lambda t: t.__iadd__(1),
    "exp_": lambda t: t.exp_(),
    "clamp_": lambda t: t.clamp_(0, 1),
    "fill_": lambda t: t.fill_(1),
    "zero_": lambda t: t.zero_(),
    "copy_": lambda t: t.copy_(torch.ones(4)),
    "setitem": lambda t: t.__setitem__(0, 1.0),
    "set slice": lambda t: t.__setitem__(slice(1, 3), 1.0),
    "set list": lambda t: t.__setitem__([0, 2], 1.0),
    "set mask": lambda t: t.__setitem__(torch.tensor([True, False, True, False]), 1.0),
    "index_fill_": lambda t: t.index_fill_(0, torch.tensor([1]), 1.0),
    "index_add_": lambda t: t.index_add_(0, torch.tensor([1]), torch.ones(1)),
    "scatter_": lambda t: t.scatter_(0, torch.tensor([1]), 1.0),
    "masked_fill_": lambda t: t.masked_fill_(torch.tensor([True, False, False, False]), 1.0),
    "uniform_": lambda t: t.uniform_(),
    "normal_": lambda t: t.normal_(),
    "view": lambda t: t.view(2, 2)[0].add_(1),
    "through split": lambda t: t.detach().split(2)[0].add_(1),
    "out": lambda t: torch.add(torch.ones(4), 1, out=t),
    "cumsum_": lambda t: t.cumsum_(0),
    "lerp_": lambda t: t.lerp_(torch.ones(4), 0.5),
    "put_": lambda t: t.put_(torch.tensor([1]), torch.ones(1)),
}


@pytest.mark.parametrize("name", WRITES)
def test_every_kind_of_write_counts(name):
    x = torch.ones(4, requires_grad=True)
    saved = torch.ones(4)
    y = (x * saved).sum()
    before = saved._version
    with torch.no_grad():
        WRITES[name](saved)
    assert saved._version == before + 1
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation: \[torch.FloatTensor \[4\]\] is at version 1"
    ):
        y.backward()


@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh", "sqrt", "softmax", "amax"])
def test_results_that_are_saved_are_checked(name):
    x = torch.ones(4, requires_grad=True)
    y = getattr(x, name)(*((0,) if name in ("softmax", "amax") else ()))
    z = y.sum()
    with torch.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match="which is output 0 of"):
        z.backward()


def memory(t):
    return t.untyped_storage().data_ptr()


def test_gradients_never_share_memory():
    makers = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "cat": lambda a, b: torch.cat([a, b]),
        "stack": lambda a, b: torch.stack([a, b]),
        "views": lambda a, b: a.view(2, 2).t() + b.reshape(2, 2),
        "where": lambda a, b: torch.where(torch.tensor(True), a, b),
        "twice": lambda a, b: a + a + b,
    }
    for name, given in itertools.product(makers, ("own", "expanded", "of a", "kept")):
        a, b = torch.ones(4, requires_grad=True), torch.ones(4, requires_grad=True)
        result = makers[name](a, b)
        gradient = torch.ones(result.shape)
        if given == "expanded":
            gradient = torch.ones(()).expand(result.shape)
        if given == "of a":
            gradient = result.detach()
        seen = []
        if given == "kept":
            a.register_hook(seen.append)
        result.backward(gradient)
        assert memory(a.grad) != memory(b.grad), (name, given)
        assert not {memory(a.grad), memory(b.grad)} & {memory(t) for t in (gradient, *seen)}, (name, given)
        assert 0 not in a.grad.stride(), (name, given)
        a.grad.add_(1)  # nobody else sees it
        assert (gradient == (result.detach() if given == "of a" else 1)).all(), (name, given)


def differences(f, inputs, gradients):
    """Central differences of sum(f * conj(w)) along a random direction against the gradients."""
    step = 1e-6
    for x, g in zip(inputs, gradients):
        for unit in (1, 1j) if x.is_complex() else (1,):
            direction = torch.randn(x.shape, dtype=torch.float64) * unit
            with torch.no_grad():
                moved = [[t + s * step * direction if t is x else t for t in inputs] for s in (1, -1)]
                slope = (f(*moved[0]) - f(*moved[1])) / (2 * step)
                expected = (g.conj() * direction).real.sum() if x.is_complex() else (g * direction).sum()
            assert abs((slope - expected).item()) < 1e-5 * max(1, abs(expected.item()))


PRODUCTS = {
    "mm": lambda a, b: a[0] @ b[0],
    "bmm": torch.bmm,
    "mv": lambda a, b: a[0] @ b[0, :, 0],
    "dot": lambda a, b: a[0, 0] @ b[0, :, 0],
    "vdot": lambda a, b: torch.vdot(a[0, 0], b[0, :, 0]),
    "mul": lambda a, b: a * b.mT,
    "div": lambda a, b: a / (b.mT + 3),
    "einsum": lambda a, b: torch.einsum("bij,bjk->ik", a, b),
    "outer": lambda a, b: torch.outer(a[0, 0], b[0, 0]),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_gradients_of_complex_products(name):
    torch.manual_seed(2)
    a = torch.randn(2, 3, 4, dtype=torch.complex128, requires_grad=True)
    b = torch.randn(2, 4, 3, dtype=torch.complex128, requires_grad=True)
    weight = torch.randn(PRODUCTS[name](a, b).shape, dtype=torch.complex128)

    def f(a, b):
        return (PRODUCTS[name](a, b) * weight).real.sum()

    differences(f, (a, b), torch.autograd.grad(f(a, b), (a, b)))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (1, 1), (4, 1, 1), (1, 2, 1), (4, 1, 3)])
@pytest.mark.parametrize("operation", ["add", "mul", "sub", "div", "pow", "maximum"])
def test_gradients_of_broadcast_operands(shape, operation):
    torch.manual_seed(3)
    f = getattr(torch, operation)
    a = torch.rand(4, 2, 3, dtype=torch.float64) + 1
    b = (torch.rand(shape, dtype=torch.float64) + 1.5).requires_grad_()
    inner = b * 1  # not a leaf: what arrives must have the shape already
    inner.register_hook(lambda g: seen.append(tuple(g.shape)))
    seen = []
    f(a, inner).sum().backward()
    assert seen == [shape] and b.grad.shape == shape
    differences(lambda b: f(a, b).sum(), (b,), (b.grad,))


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_numbers_promote(shape):
    expected = {
        (torch.bool, 2): torch.int64,
        (torch.bool, 0.5): torch.float32,
        (torch.uint8, 300): torch.uint8,
        (torch.int32, 0.5): torch.float32,
        (torch.int64, True): torch.int64,
        (torch.float16, 0.5): torch.float16,
        (torch.float32, 1j): torch.complex64,
        (torch.float64, 1j): torch.complex128,
        (torch.int64, 1j): torch.complex64,
    }
    for (dtype, number), result in expected.items():
        t = torch.ones(shape, dtype=dtype)
        assert (t + number).dtype == result, (dtype, number)
        assert (number * t).dtype == result, (dtype, number)


@pytest.mark.parametrize("name", ["mul", "exp", "matmul", "softmax", "cumsum", "index", "norm"])
def test_a_second_backward_is_refused(name):
    x = torch.ones(3, 3, requires_grad=True)
    y = {
        "mul": lambda: x * x,
        "exp": lambda: x.exp(),
        "matmul": lambda: x @ x,
        "softmax": lambda: x.softmax(0),
        "cumsum": lambda: (x * x).cumsum(0),
        "index": lambda: (x * x)[[0, 1]],
        "norm": lambda: x.norm(),
    }[name]().sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
