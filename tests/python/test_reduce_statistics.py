"""Quantiles, counts, covariance, differences, trapezoids, maximal norms."""
import math

import hwaro as torch
import numpy as np
import pytest

rng = np.random.default_rng(4)
nan = math.nan
METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]


@pytest.mark.parametrize("interpolation", METHODS)
@pytest.mark.parametrize("dim", [None, 0, 1, 2, -1])
@pytest.mark.parametrize("keepdim", [False, True])
def test_quantile(dim, keepdim, interpolation):
    values, q = rng.standard_normal((3, 4, 6)), np.array([0, 0.1, 0.25, 0.5, 0.77, 1])
    expected = np.quantile(values, q, axis=dim, keepdims=keepdim, method=interpolation)
    result = torch.tensor(values).quantile(torch.tensor(q), dim, keepdim, interpolation=interpolation)
    assert tuple(result.shape) == expected.shape
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-13)
    np.testing.assert_allclose(torch.tensor(values).quantile(0.3, dim, keepdim, interpolation=interpolation).numpy(),
                               np.quantile(values, 0.3, axis=dim, keepdims=keepdim, method=interpolation), rtol=1e-13)


def test_quantile_and_nan():
    x = torch.tensor([[1.0, nan, 3.0], [1.0, 2.0, 3.0]])
    result = x.quantile(0.5, 1)
    assert math.isnan(result[0].item()) and result[1].item() == 2
    assert x.nanquantile(0.5, 1).tolist() == [2, 2]
    assert math.isnan(torch.tensor([nan, nan]).nanquantile(0.5).item())


def test_gradient_of_a_quantile():
    x = torch.tensor([3.0, 1.0, 2.0, 4.0], requires_grad=True)
    x.quantile(0.25).backward()
    assert x.grad.tolist() == [0, 0.25, 0.75, 0]


def test_bincount_and_histc():
    values = rng.integers(0, 9, 50)
    weights = rng.standard_normal(50)
    np.testing.assert_array_equal(torch.bincount(torch.tensor(values), minlength=12).numpy(), np.bincount(values, minlength=12))
    np.testing.assert_allclose(torch.bincount(torch.tensor(values), torch.tensor(weights)).numpy(), np.bincount(values, weights))
    x = rng.standard_normal(1000)
    np.testing.assert_array_equal(torch.histc(torch.tensor(x), 13, -2, 2).numpy(), np.histogram(x, 13, (-2, 2))[0])
    np.testing.assert_array_equal(torch.histc(torch.tensor(x), 7).numpy(), np.histogram(x, 7)[0])
    assert torch.histc(torch.tensor([2.0, 2.0]), bins=3).tolist() == [0, 2, 0]


def test_covariance_and_correlation():
    x, f, a = rng.standard_normal((4, 9)), rng.integers(1, 4, 9), rng.uniform(0.5, 2, 9)
    np.testing.assert_allclose(torch.cov(torch.tensor(x)).numpy(), np.cov(x), rtol=1e-12)
    np.testing.assert_allclose(torch.cov(torch.tensor(x), correction=0, fweights=torch.tensor(f), aweights=torch.tensor(a)).numpy(),
                               np.cov(x, ddof=0, fweights=f, aweights=a), rtol=1e-12)
    np.testing.assert_allclose(torch.corrcoef(torch.tensor(x)).numpy(), np.corrcoef(x), rtol=1e-12)
    assert torch.cov(torch.tensor(x[0])).item() == pytest.approx(np.cov(x[0]).item())


def test_differences_and_trapezoids():
    x, points = rng.standard_normal((4, 6)), np.sort(rng.standard_normal(6))
    t = torch.tensor(x)
    np.testing.assert_array_equal(t.diff(2, 0).numpy(), np.diff(x, 2, 0))
    np.testing.assert_array_equal(t.diff(prepend=torch.zeros(4, 1, dtype=torch.float64)).numpy(), np.diff(x, prepend=0))
    assert torch.tensor([True, True, False]).diff().tolist() == [False, True]
    np.testing.assert_allclose(torch.trapezoid(t, torch.tensor(points)).numpy(), np.trapezoid(x, points), rtol=1e-12)
    np.testing.assert_allclose(torch.trapezoid(t, dx=0.5, dim=0).numpy(), np.trapezoid(x, dx=0.5, axis=0), rtol=1e-12)
    expected = np.cumsum((x[:, 1:] + x[:, :-1]) / 2, 1)
    np.testing.assert_allclose(torch.cumulative_trapezoid(t).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("p,dim,limit", [(2, 0, 1.0), (1, 1, 0.7), (math.inf, 0, 0.5), (3, 1, 100.0)])
def test_renorm(p, dim, limit):
    x = rng.standard_normal((3, 5))
    norms = np.linalg.norm(x, p, axis=1 - dim, keepdims=True)
    expected = np.where(norms > limit, x * limit / (norms + 1e-7), x)
    np.testing.assert_allclose(torch.tensor(x).renorm(p, dim, limit).numpy(), expected, rtol=1e-12)
    t = torch.tensor(x)
    assert t.renorm_(p, dim, limit) is t
    np.testing.assert_allclose(t.numpy(), expected, rtol=1e-12)


def test_gradient_of_renorm_against_differences():
    x, w = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    t = torch.tensor(x, requires_grad=True)
    (t.renorm(2, 0, 1.2) * torch.tensor(w)).sum().backward()
    for i in np.ndindex(3, 4):
        sides = []
        for sign in (1, -1):
            shifted = x.copy()
            shifted[i] += sign * 1e-6
            sides.append((torch.tensor(shifted).renorm(2, 0, 1.2).numpy() * w).sum())
        assert t.grad[i].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("call,text", [
    (lambda: torch.empty(0).quantile(0.5), "quantile() input tensor must be non-empty"),
    (lambda: torch.tensor([1]).quantile(0.5), "quantile() input tensor must be either float or double dtype"),
    (lambda: torch.tensor([1.0]).quantile(1.5), "quantile() q must be in the range [0, 1] but got 1.5"),
    (lambda: torch.tensor([1.0]).quantile(0.5, interpolation="abc"),
     "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got abc"),
    (lambda: torch.bincount(torch.tensor([-1])), "bincount only supports 1-d non-negative integral inputs."),
    (lambda: torch.histc(torch.tensor([1.0]), min=3, max=1), "torch.histc: max must be larger than min"),
    (lambda: torch.tensor(1.0).diff(), "diff expects input to be at least one-dimensional"),
    (lambda: torch.ones(2, 2).renorm(-1, 0, 1.0), "renorm: non-positive-norm not supported"),
    (lambda: torch.cov(torch.zeros(2, 2, 2)), "cov(): expected input to have two or fewer dimensions but got an input with 3 dimensions")])
def test_errors(call, text):
    with pytest.raises(RuntimeError) as caught:
        call()
    assert str(caught.value).split("\n")[0] == text
