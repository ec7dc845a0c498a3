"""Running sums, products, extremes and log-sums."""
import math

import hwaro as torch
import numpy as np
import pytest

rng = np.random.default_rng(1)


@pytest.mark.parametrize("dtype,tolerance", [(torch.float32, 2e-6), (torch.float64, 1e-13), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("shape,dim", [((1,), 0), ((7,), 0), ((1000,), 0), ((5, 33), 1), ((33, 5), 0), ((4, 9, 700), 1), ((2, 3, 4), -1)])
def test_cumsum_and_cumprod(shape, dim, dtype, tolerance):
    x = torch.tensor(rng.uniform(0.9, 1.1, shape), dtype=dtype)
    values = x.double().numpy()
    for result, expected in ((x.cumsum(dim), values.cumsum(dim)), (x.cumprod(dim), values.cumprod(dim))):
        assert result.dtype == dtype
        np.testing.assert_allclose(result.double().numpy(), expected, rtol=tolerance)


def test_float_accumulates_in_double():
    x = torch.full((100000,), 0.1)
    assert x.cumsum(0)[-1].item() == pytest.approx(np.float64(np.float32(0.1)) * 100000, rel=1e-7)


def test_integers_give_int64():
    x = torch.tensor([200, 100, 50], dtype=torch.uint8)
    assert x.cumsum(0).tolist() == [200, 300, 350] and x.cumsum(0).dtype == torch.int64
    assert x.cumsum(0, dtype=torch.uint8).tolist() == [200, 44, 94]
    assert torch.tensor([True, True]).cumprod(0).dtype == torch.int64


@pytest.mark.parametrize("view", [lambda t: t.t(), lambda t: t[::2], lambda t: t[:, 1::2], lambda t: t[:1].expand(6, 8), lambda t: t[3:3]])
def test_views(view):
    x = view(torch.tensor(rng.standard_normal((6, 8))))
    values = x.numpy().copy()
    for dim in (0, 1):
        np.testing.assert_allclose(x.cumsum(dim).numpy(), values.cumsum(dim), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(x.cummax(dim).values.numpy(), np.maximum.accumulate(values, dim) if values.size else values)


def test_running_extremes_take_the_last_index_and_keep_nan():
    result = torch.tensor([1.0, 1.0, 0.0, 2.0, math.nan, 3.0]).cummax(0)
    assert result.values[:4].tolist() == [1, 1, 1, 2] and result.indices.tolist() == [0, 1, 1, 3, 4, 4]
    assert all(math.isnan(v) for v in result.values[4:].tolist())
    assert torch.tensor([[3, 1], [3, 2]]).cummin(0).indices.tolist() == [[0, 0], [1, 0]]


def test_logcumsumexp():
    x = rng.standard_normal((4, 50)) * 20
    expected = np.logaddexp.accumulate(x, 1)
    np.testing.assert_allclose(torch.tensor(x).logcumsumexp(1).numpy(), expected, rtol=1e-13)
    inf = math.inf
    assert torch.tensor([-inf, -inf, 0.0, inf]).logcumsumexp(0).tolist() == [-inf, -inf, 0, inf]


def test_in_place():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    version = x._version
    assert x.cumsum_(1) is x and x.tolist() == [[1, 3], [3, 7]] and x._version == version + 1
    x.t().cumprod_(1)
    assert x.tolist() == [[1, 3], [3, 21]]


@pytest.mark.parametrize("values", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0, 5.0], [0.0, 3.0, 0.0, 2.0], [0.0]])
def test_gradient_of_cumprod_with_zeros(values):
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    weights = np.arange(1.0, len(values) + 1)
    (x.cumprod(0) * torch.tensor(weights)).sum().backward()
    for k in range(len(values)):
        others = list(values)
        others[k] = 1.0
        expected = sum(weights[i] * np.prod(others[:i + 1]) for i in range(k, len(values)))
        assert x.grad[k].item() == pytest.approx(expected)


def test_gradients():
    x = torch.tensor([1.0, 3.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, 10.0, 100.0, 1000.0], dtype=torch.float64)
    assert torch.autograd.grad((x.cumsum(0) * weights).sum(), x)[0].tolist() == [1111, 1110, 1100, 1000]
    assert torch.autograd.grad((x.cummax(0)[0] * weights).sum(), x)[0].tolist() == [1, 110, 0, 1000]
    gradient = torch.autograd.grad((x.logcumsumexp(0) * weights).sum(), x)[0]
    p = np.exp(x.detach().numpy())
    expected = [sum(weights[i].item() * p[k] / p[:i + 1].sum() for i in range(k, 4)) for k in range(4)]
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-12)


def test_names_and_errors():
    x = torch.ones(2, requires_grad=True)
    names = [type(f.grad_fn).__name__ for f in (x.cumsum(0), x.cumprod(0), x.cummax(0)[0], x.cummin(0)[0], x.logcumsumexp(0))]
    assert names == ["CumsumBackward0", "CumprodBackward0", "CummaxBackward0", "CumminBackward0", "LogcumsumexpBackward0"]
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.cumsum(1)
    with pytest.raises(NotImplementedError, match="\"logcumsumexp_out_cpu\" not implemented for 'Long'"):
        torch.tensor([1]).logcumsumexp(0)
