"""Reductions over all elements and over dimensions, against NumPy."""
import math
import warnings

import hwaro as torch
import numpy as np
import pytest

rng = np.random.default_rng(0)
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14, torch.float16: 2e-3, torch.bfloat16: 2e-2}


def as_numpy(t):
    return t.detach().to(torch.float64).numpy()


def normal(*shape):
    return rng.standard_normal(shape)


def close(result, expected, tolerance):
    assert tuple(result.shape) == np.shape(expected)
    np.testing.assert_allclose(as_numpy(result), expected, rtol=tolerance, atol=tolerance * max(1.0, float(np.max(np.abs(expected), initial=0))))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 3, 4), (70, 3), (3, 300), (5, 1, 6)])
def test_sum_and_mean_of_all_and_along_each_dimension(shape, dtype):
    x = torch.tensor(normal(*shape), dtype=dtype)
    values = as_numpy(x)
    close(x.sum(), values.sum(), TOLERANCE[dtype])
    close(x.mean(), values.mean(), TOLERANCE[dtype])
    for dim in range(-len(shape), len(shape)):
        close(x.sum(dim), values.sum(dim), TOLERANCE[dtype])
        close(x.mean(dim, keepdim=True), values.mean(dim, keepdims=True), TOLERANCE[dtype])


@pytest.mark.parametrize("view", [
    lambda t: t[::2], lambda t: t[:, ::3], lambda t: t[..., ::2], lambda t: t[1:, 2:, 3:], lambda t: t.permute(2, 0, 1),
    lambda t: t.permute(1, 2, 0), lambda t: t[:, :1].expand(6, 8, 10), lambda t: t[0, 0, 0].expand(3, 4, 5), lambda t: t[5:2]])
@pytest.mark.parametrize("dims", [0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_views_reduce_like_their_copies(view, dims):
    x = view(torch.tensor(normal(6, 8, 10), dtype=torch.float32))
    copy = as_numpy(x)
    close(x.sum(dims), copy.sum(dims), 2e-6)
    close(x.sum(dims, keepdim=True), copy.sum(dims, keepdims=True), 2e-6)
    if copy.size:
        close(x.amax(dims), copy.max(dims), 0)
        close(x.var(dims, correction=0), copy.var(dims), 4e-6)
        close(torch.linalg.vector_norm(x, dim=dims), np.sqrt((copy ** 2).sum(dims)), 2e-6)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 64, 1000, 32768, 32769, 100001, 1 << 20])
def test_long_sums_keep_their_accuracy(n):
    values = normal(n).astype(np.float32) + np.float32(1)
    exact = math.fsum(values.tolist())
    assert abs(torch.tensor(values).sum().item() - exact) <= 3e-7 * math.fsum(np.abs(values).tolist())
    tall = torch.tensor(values).reshape(n, 1).expand(n, 3).contiguous()
    assert all(abs(s - exact) <= 3e-7 * math.fsum(np.abs(values).tolist()) for s in tall.sum(0).tolist())


def test_sum_of_many_equal_numbers():
    assert torch.full((1000000,), 0.1).sum().item() == pytest.approx(100000.0, rel=2e-7)
    assert torch.ones(70000, dtype=torch.float16).mean().item() == 1.0
    assert torch.full((1000,), 1000.0, dtype=torch.float16).mean().item() == 1000.0  # the sum itself does not fit


@pytest.mark.parametrize("dtype", INTEGERS + [torch.bool])
def test_integers_are_summed_and_multiplied_in_int64(dtype):
    info = 1 if dtype == torch.bool else torch.iinfo(dtype).max
    x = torch.full((70001,), info, dtype=dtype)
    assert x.sum().dtype == torch.int64
    assert x.sum().item() == (70001 * info + 2**63) % 2**64 - 2**63
    assert x[:3].prod().dtype == torch.int64
    assert x[:3].prod().item() == (info ** 3 + 2**63) % 2**64 - 2**63
    assert x.reshape(70001, 1).sum(0).tolist() == [x.sum().item()]
    assert x.sum(dtype=torch.int32).dtype == torch.int32


def test_dtype_converts_before_the_sum():
    x = torch.tensor([2.0**24, 1.0, 1.0])
    assert x.sum(dtype=torch.float64).item() == 2.0**24 + 2
    assert torch.tensor([1.7, 1.7]).sum(dtype=torch.int64).item() == 2
    assert torch.tensor([1, 2]).mean(dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize("shape,dims", [((5, 70001), 1), ((70001, 5), 0), ((3, 40000, 2), 1), ((300, 2, 300), (0, 2)), ((1 << 18,), 0)])
def test_results_do_not_depend_on_the_number_of_threads(shape, dims):
    x = torch.tensor(normal(*shape), dtype=torch.float32)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append([x.sum(dims), x.var(dims), x.amax(dims), torch.linalg.vector_norm(x, 3, dim=dims)])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))


def test_empty_reductions_give_the_identity():
    e = torch.empty(0, 3)
    assert e.sum(0).tolist() == [0, 0, 0] and e.prod().item() == 1 and e.sum(1).shape == (0,)
    assert math.isnan(e.mean().item()) and e.any().item() is False and e.all().item() is True
    assert e.logsumexp(0).tolist() == [-math.inf] * 3
    assert math.isnan(e.median().item())


@pytest.mark.parametrize("call,error,text", [
    (lambda e: e.max(), RuntimeError, "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."),
    (lambda e: e.max(0), IndexError, "max(): Expected reduction dim 0 to have non-zero size."),
    (lambda e: e.argmin(), IndexError, "argmin(): Expected reduction dim to be specified for input.numel() == 0."),
    (lambda e: e.amin(0), IndexError, "amin(): Expected reduction dim 0 to have non-zero size."),
    (lambda e: e.aminmax(), RuntimeError, "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."),
    (lambda e: e.norm(p=math.inf), RuntimeError, "linalg.vector_norm cannot compute the inf norm on an empty tensor because the operation does not have an identity"),
    (lambda e: e.sum(2), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    (lambda e: e.sum((0, -2)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
    (lambda e: e.long().mean(), RuntimeError, "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long"),
    (lambda e: e.long().var(), RuntimeError, "std and var only support floating point and complex dtypes"),
    (lambda e: torch.tensor([1j]).max(0), RuntimeError, "max(): does not support complex input"),
    (lambda e: torch.tensor([1j]).amax(), NotImplementedError, "\"max_values_cpu\" not implemented for 'ComplexFloat'"),
    (lambda e: torch.tensor([True]).argmax(), RuntimeError, "argmax(): does not support bool input"),
])
def test_errors(call, error, text):
    with pytest.raises(error) as caught:
        call(torch.empty(0, 3))
    assert str(caught.value).split("\n")[0] == text


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("shape,dim", [((9,), 0), ((40, 17), 0), ((40, 17), 1), ((3, 5000), 1), ((5000, 3), 0), ((2, 70, 3), 1), ((1, 70001), 1)])
def test_extremes_and_their_first_index(shape, dim, dtype):
    x = torch.tensor(rng.integers(0, 50, shape), dtype=dtype)
    values = as_numpy(x)
    for name, extreme, arg in (("max", np.max, np.argmax), ("min", np.min, np.argmin)):
        result = getattr(x, name)(dim)
        assert type(result).__name__ == name and result.values.dtype == dtype
        np.testing.assert_array_equal(as_numpy(result.values), extreme(values, dim))
        np.testing.assert_array_equal(result.indices.numpy(), arg(values, dim))
        np.testing.assert_array_equal(getattr(x, "arg" + name)(dim).numpy(), arg(values, dim))
        assert getattr(x, "arg" + name)().item() == arg(values)
        assert getattr(x, name)().item() == extreme(values)
    low, high = x.aminmax(dim=dim)
    np.testing.assert_array_equal(as_numpy(low), values.min(dim))
    np.testing.assert_array_equal(as_numpy(high), values.max(dim))


@pytest.mark.parametrize("n", [3, 40, 5000, 70001])
def test_nan_is_the_extreme(n):
    x = torch.zeros(n)
    x[n // 2] = math.nan
    x[n - 1] = math.nan
    for name in ("max", "min", "amax", "amin"):
        assert math.isnan(getattr(x, name)().item())
    assert x.argmax().item() == x.argmin(0).item() == x.max(0).indices.item() == n // 2
    tall = x.reshape(n, 1).expand(n, 20).contiguous()
    assert tall.argmax(0).tolist() == [n // 2] * 20


def test_argmax_counts_in_logical_order():
    x = torch.tensor([[1.0, 5.0], [5.0, 2.0]]).t()
    assert x.argmax().item() == 1 and x.max(1).indices.tolist() == [1, 0]


def test_max_of_two_tensors_is_maximum():
    assert torch.max(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0])).tolist() == [2, 4]
    assert torch.min(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0])).tolist() == [1, 3]


def test_any_and_all():
    x = torch.tensor([[0.0, math.nan], [0.0, 0.0]])
    assert x.any(1).tolist() == [True, False] and x.all(0).tolist() == [False, False] and x.any().dtype == torch.bool
    assert torch.tensor([1, 2], dtype=torch.uint8).any().dtype == torch.uint8
    assert torch.ones(2, 3, 4).all(dim=(0, 2)).tolist() == [True] * 3
    assert torch.tensor([3, 0]).any(dim=()).tolist() == [True, False]
    assert torch.tensor([[1, 0, 2], [0, 0, 3]]).count_nonzero(0).tolist() == [1, 0, 2]
    assert torch.tensor([1j, 0]).count_nonzero().item() == 1


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape,dims", [((50,), 0), ((30, 40), 0), ((30, 40), 1), ((300, 40), 0), ((4, 5, 6), (0, 2)), ((2, 70001), 1), ((70001, 2), 0)])
def test_variance_and_deviation(shape, dims, dtype):
    x = torch.tensor(normal(*shape) + 3, dtype=dtype)
    values = as_numpy(x)
    tolerance = max(TOLERANCE[dtype], 4e-14)
    close(x.var(dims), values.var(dims, ddof=1), tolerance)
    close(x.std(dims, correction=0, keepdim=True), values.std(dims, keepdims=True), tolerance)
    variance, mean = torch.var_mean(x, dims)
    close(variance, values.var(dims, ddof=1), tolerance)
    close(mean, values.mean(dims), tolerance)
    close(torch.std_mean(x)[0], values.std(ddof=1), tolerance)


def test_variance_far_from_zero():
    values = (normal(100000) + 10000).astype(np.float32)
    expected = values.astype(np.float64).var(ddof=1)
    assert torch.tensor(values).var().item() == pytest.approx(expected, rel=1e-6)
    assert torch.tensor(values).reshape(1000, 100).var(0)[7].item() == pytest.approx(values.reshape(1000, 100)[:, 7].astype(np.float64).var(ddof=1), rel=1e-5)


def test_variance_without_degrees_of_freedom_warns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert math.isnan(torch.tensor(1.0).var().item())
    assert str(caught[0].message).startswith("var(): degrees of freedom is <= 0.")


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf])
@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)])
def test_vector_norm(p, dim):
    values = normal(13, 37)
    magnitudes = np.abs(values)
    axis = (0, 1) if dim is None else dim
    if p == 0:
        expected = (magnitudes != 0).sum(axis)
    elif math.isinf(p):
        expected = magnitudes.max(axis) if p > 0 else magnitudes.min(axis)
    else:
        expected = (magnitudes ** p).sum(axis) ** (1 / p)
    close(torch.linalg.vector_norm(torch.tensor(values), p, dim=dim), expected, 1e-13)
    close(torch.tensor(values).norm(p=p, dim=dim), expected, 1e-13)


def test_norm_of_complex_numbers_is_real():
    x = torch.tensor([3 + 4j, 0j])
    assert x.norm().item() == 5 and x.norm().dtype == torch.float32
    assert torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0])).item() == 5


def test_nansum_and_nanmean():
    x = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    assert x.nansum().item() == 1 and x.nansum(0).tolist() == [1, 0]
    assert x.nanmean().item() == 1 and math.isnan(x.nanmean(1)[1].item())


@pytest.mark.parametrize("name,call", [
    ("SumBackward0", lambda x: x.sum()), ("SumBackward1", lambda x: x.sum(0)), ("MeanBackward0", lambda x: x.mean()),
    ("MeanBackward1", lambda x: x.mean(0)), ("ProdBackward0", lambda x: x.prod()), ("ProdBackward1", lambda x: x.prod(0)),
    ("MaxBackward1", lambda x: x.max()), ("MaxBackward0", lambda x: x.max(0)[0]), ("AmaxBackward0", lambda x: x.amax(0)),
    ("AminmaxBackward0", lambda x: x.aminmax()[0]), ("VarBackward0", lambda x: x.var()), ("StdBackward0", lambda x: x.std(0)),
    ("VarMeanBackward0", lambda x: torch.var_mean(x)[1]), ("StdMeanBackward0", lambda x: torch.std_mean(x, 0)[0]),
    ("LinalgVectorNormBackward0", lambda x: x.norm()), ("DistBackward0", lambda x: torch.dist(x, x)),
    ("NansumBackward0", lambda x: x.nansum()), ("DivBackward0", lambda x: x.nanmean())])
def test_names_of_nodes(name, call):
    assert type(call(torch.ones(2, 3, requires_grad=True)).grad_fn).__name__ == name


def numeric_gradient(function, x, weights, step=1e-6):
    """Central differences of sum(weights * function(x))."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        for sign in (1, -1):
            shifted = x.copy()
            shifted[i] += sign * step
            gradient[i] += sign * float((function(torch.tensor(shifted)) * weights).sum().item()) / (2 * step)
    return gradient


@pytest.mark.parametrize("function", [
    lambda x: x.sum(0), lambda x: x.mean(1), lambda x: x.prod(), lambda x: x.prod(1), lambda x: x.max(), lambda x: x.max(0)[0],
    lambda x: x.amin(1, keepdim=True), lambda x: x.aminmax(dim=0)[1], lambda x: x.var(), lambda x: x.var(0, correction=0),
    lambda x: x.std(1), lambda x: torch.var_mean(x, 1)[1], lambda x: x.norm(), lambda x: x.norm(p=1, dim=0), lambda x: x.norm(p=3),
    lambda x: x.norm(p=1.5, dim=1), lambda x: x.norm(p=math.inf), lambda x: x.norm(p=math.inf, dim=1), lambda x: x.logsumexp(1),
    lambda x: x.median(0)[0], lambda x: torch.dist(x, 2 * x.detach() + 1)], ids=range(21))
def test_gradients_against_differences(function):
    values = normal(4, 3)
    x = torch.tensor(values, requires_grad=True)
    out = function(x)
    weights = torch.tensor(normal(*out.shape))
    (out * weights).sum().backward()
    reference = function
    if out.grad_fn is not None and type(out.grad_fn).__name__ == "DistBackward0":
        reference = lambda y: torch.dist(y, torch.tensor(2 * values + 1))  # noqa: E731
    np.testing.assert_allclose(x.grad.numpy(), numeric_gradient(reference, values, weights), rtol=1e-6, atol=1e-7)


def test_gradient_of_a_product_with_zeros():
    x = torch.tensor([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0]], requires_grad=True)
    x.prod(1).sum().backward()
    assert x.grad.tolist() == [[0, 6, 0], [0, 0, 0]]


def test_equal_extremes_share_the_gradient_without_dim_and_the_first_takes_it_with_dim():
    x = torch.tensor([1.0, 3.0, 3.0], requires_grad=True)
    assert torch.autograd.grad(x.max(), x)[0].tolist() == [0, 0.5, 0.5]
    assert torch.autograd.grad(x.amax(0), x)[0].tolist() == [0, 0.5, 0.5]
    assert torch.autograd.grad(x.max(0)[0], x)[0].tolist() == [0, 1, 0]


def test_second_derivatives():
    x = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64, requires_grad=True)
    for function, expected in ((lambda t: t.prod(), [6, 5, 3]), (lambda t: t.var(), [0, 0, 0]), (lambda t: (t * t).mean(), [2 / 3] * 3)):
        (gradient,) = torch.autograd.grad(function(x), x, create_graph=True)
        second = torch.autograd.grad(gradient.sum(), x)[0]
        np.testing.assert_allclose(second.numpy(), expected, atol=1e-12)


def test_gradient_of_a_constant_tensor_has_no_deviation():
    x = torch.ones(3, requires_grad=True)
    assert torch.autograd.grad(x.std(), x)[0].tolist() == [0, 0, 0]
    assert torch.autograd.grad(torch.zeros(2, requires_grad=True).norm(), x, allow_unused=True)[0] is None
    z = torch.zeros(2, requires_grad=True)
    assert torch.autograd.grad(z.norm(), z)[0].tolist() == [0, 0]


def test_out():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    out = torch.empty(2)
    assert torch.sum(x, 0, out=out) is out and out.tolist() == [4, 6]
    assert torch.amax(x, 1, out=out) is out and out.tolist() == [2, 4]


@pytest.mark.parametrize("shape, strides", [((3, 1, 4), (1, 12, 3)), ((3, 1, 1, 4), (1, 12, 1, 3)), ((1, 4, 3), (1, 1, 4)), ((2, 1, 3), (1, 1, 2))])
def test_a_dimension_of_size_one_does_not_hide_the_order_of_the_others(shape, strides):
    x = torch.from_numpy(normal(int(np.prod(shape)))).as_strided(shape, strides)
    plain = np.ascontiguousarray(x.numpy())
    for dim in range(len(shape)):
        for name, reference in (("max", np.max), ("min", np.min)):
            values, indices = getattr(x, name)(dim)
            assert values.tolist() == reference(plain, dim).tolist()
            assert indices.tolist() == getattr(np, "arg" + name)(plain, dim).tolist()
        assert x.argmax(dim).tolist() == np.argmax(plain, dim).tolist()
        close(x.var(dim, correction=0), np.var(plain, dim), 1e-14)
        close(x.sum(dim), np.sum(plain, dim), 1e-14)
