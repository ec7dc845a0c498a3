"""softmax, log_softmax, logsumexp."""
import math

import hwaro as torch
import numpy as np
import pytest

F = torch.nn.functional
rng = np.random.default_rng(2)


def softmax(x, dim):
    e = np.exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


@pytest.mark.parametrize("dtype,tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-14), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("shape,dim", [((1,), 0), ((10,), 0), ((5, 1000), 1), ((7, 17), -1), ((17, 7), 0), ((3, 20, 200), 1), ((2, 5, 1), 1)])
def test_softmax_and_log_softmax(shape, dim, dtype, tolerance):
    x = torch.tensor(rng.standard_normal(shape) * 5, dtype=dtype)
    expected = softmax(x.double().numpy(), dim)
    assert x.softmax(dim).dtype == dtype
    np.testing.assert_allclose(x.softmax(dim).double().numpy(), expected, rtol=20 * tolerance, atol=tolerance)
    np.testing.assert_allclose(x.log_softmax(dim).double().numpy(), np.log(expected), rtol=tolerance, atol=4 * tolerance)
    np.testing.assert_allclose(x.softmax(dim).sum(dim).double().numpy(), 1, rtol=10 * tolerance)


@pytest.mark.parametrize("shape,dim", [((4, 33), 1), ((33, 4), 0), ((2, 9, 150), 1)])
@pytest.mark.parametrize("log", [False, True])
def test_gradient_and_its_gradient(shape, dim, log):
    x = torch.tensor(rng.standard_normal(shape), requires_grad=True)
    g = torch.tensor(rng.standard_normal(shape), requires_grad=True)
    y = x.log_softmax(dim) if log else x.softmax(dim)
    (gradient,) = torch.autograd.grad(y, x, g, create_graph=True)
    p, values = softmax(x.detach().numpy(), dim), g.detach().numpy()
    expected = values - p * values.sum(dim, keepdims=True) if log else p * (values - (values * p).sum(dim, keepdims=True))
    np.testing.assert_allclose(gradient.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
    # The gradient is linear in g, and its derivative in x is checked by differences.
    weights = torch.tensor(rng.standard_normal(shape))
    by_x, by_g = torch.autograd.grad((gradient * weights).sum(), (x, g))
    w = weights.numpy()
    mixed = w - (p * w).sum(dim, keepdims=True) if log else p * (w - (w * p).sum(dim, keepdims=True))
    np.testing.assert_allclose(by_g.numpy(), mixed, rtol=1e-10, atol=1e-12)
    step, i = 1e-6, tuple(s // 2 for s in shape)
    sides = []
    for sign in (1, -1):
        shifted = x.detach().clone()
        shifted[i] += sign * step
        shifted.requires_grad_()
        z = shifted.log_softmax(dim) if log else shifted.softmax(dim)
        sides.append((torch.autograd.grad(z, shifted, g.detach())[0] * weights).sum().item())
    assert by_x[i].item() == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-5, abs=1e-8)


def test_infinities_and_nan():
    inf, nan = math.inf, math.nan
    assert torch.tensor([-inf, 0.0]).softmax(0).tolist() == [0, 1]
    assert torch.tensor([-inf, 0.0]).log_softmax(0).tolist() == [-inf, 0]
    for row in ([nan, 0.0], [inf, 0.0], [-inf, -inf]):
        assert all(math.isnan(v) for v in torch.tensor(row).softmax(0).tolist())
    assert torch.tensor([1000.0, 1000.0]).softmax(0).tolist() == [0.5, 0.5]
    assert torch.tensor([-inf, -inf]).logsumexp(0).item() == -inf
    assert torch.tensor([inf, 0.0]).logsumexp(0).item() == inf


def test_logsumexp():
    x = rng.standard_normal((5, 6, 7)) * 100
    high = x.max((0, 2), keepdims=True)
    expected = np.log(np.exp(x - high).sum((0, 2))) + high[0, :, 0]
    np.testing.assert_allclose(torch.tensor(x).logsumexp((0, 2)).numpy(), expected, rtol=1e-14)
    assert torch.tensor([0, 0]).logsumexp(0).item() == pytest.approx(math.log(2))
    x = torch.zeros(4, requires_grad=True)
    x.logsumexp(0).backward()
    assert x.grad.tolist() == [0.25] * 4


def test_dtype_and_implicit_dim():
    x = torch.ones(2, 2, requires_grad=True)
    assert torch.softmax(x, 0, dtype=torch.float64).dtype == torch.float64
    assert F.softmax(x, dim=1, dtype=torch.float64).dtype == torch.float64
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
        assert torch.equal(F.softmax(x), x.softmax(1))
    with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
        assert torch.equal(F.log_softmax(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4).log_softmax(0))


def test_names_and_errors():
    x = torch.ones(2, requires_grad=True)
    assert [type(y.grad_fn).__name__ for y in (x.softmax(0), x.log_softmax(0), x.logsumexp(0))] == [
        "SoftmaxBackward0", "LogSoftmaxBackward0", "LogsumexpBackward0"]
    with pytest.raises(NotImplementedError, match="\"softmax_lastdim_kernel_impl\" not implemented for 'Long'"):
        torch.tensor([1, 2]).softmax(0)
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-1, 0\], but got 1\)"):
        x.softmax(1)


def test_backward_of_other_types_and_shapes_is_refused():
    y = torch.ones(1, 3, dtype=torch.bool)
    with pytest.raises(NotImplementedError, match="softmax_backward_lastdim_kernel_impl\" not implemented for 'Bool'"):
        torch._softmax_backward_data(y, y, 1, torch.float32)
    with pytest.raises(RuntimeError, match=r"but \[2, 3\] does not equal \[2, 4\] \(while checking arguments for soft"):
        torch._softmax_backward_data(torch.ones(2, 3), torch.ones(2, 4), 1, torch.float32)
