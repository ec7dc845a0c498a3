"""Sorting, picking by rank, distinct elements, positions in sorted sequences."""
import math

import hwaro as torch
import numpy as np
import pytest

rng = np.random.default_rng(3)
NUMBERS = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
nan = math.nan


def as_numpy(t):
    return t.to(torch.float64).numpy()


@pytest.mark.parametrize("dtype", NUMBERS + [torch.bool])
@pytest.mark.parametrize("shape,dim", [((1,), 0), ((20,), 0), ((48,), 0), ((49,), 0), ((1000,), 0), ((40, 60), 1), ((60, 40), 0), ((3, 70, 2), 1)])
@pytest.mark.parametrize("descending", [False, True])
def test_sort_is_stable(shape, dim, descending, dtype):
    x = torch.tensor(rng.integers(0, 60, shape) % (2 if dtype == torch.bool else 60), dtype=dtype)
    values = as_numpy(x)
    order = np.argsort(-values if descending else values, axis=dim, kind="stable")
    result = x.sort(dim, descending)
    np.testing.assert_array_equal(result.indices.numpy(), order)
    np.testing.assert_array_equal(as_numpy(result.values), np.take_along_axis(values, order, dim))
    assert result.values.dtype == dtype and torch.equal(x.argsort(dim, descending), result.indices)
    assert torch.equal(torch.sort(x, stable=True, dim=dim, descending=descending).values, result.values)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64])
def test_sort_of_wide_keys(dtype):
    values = rng.integers(-2**62, 2**62, 3000)
    x = torch.tensor(values, dtype=dtype)
    result = x.sort()
    np.testing.assert_array_equal(result.values.numpy(), np.sort(x.numpy()))
    np.testing.assert_array_equal(x.numpy()[result.indices.numpy()], result.values.numpy())


def test_order_of_special_values():
    x = torch.tensor([nan, 0.0, -math.inf, -0.0, math.inf, -nan])
    assert x.sort().indices.tolist() == [2, 1, 3, 4, 0, 5]
    assert x.sort(descending=True).indices.tolist() == [0, 5, 4, 1, 3, 2]
    assert math.copysign(1, x.sort().values[2].item()) == -1


def test_sort_keeps_the_layout_of_its_input():
    x = torch.tensor(rng.standard_normal((2, 3, 4))).permute(2, 0, 1)
    assert x.sort(1).values.stride() == x.stride() and torch.equal(x.sort(1)[0], x.contiguous().sort(1)[0])


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("n,k", [(1, 1), (10, 10), (100, 3), (5000, 7), (5000, 0), (5000, 4000), (300, 50)])
def test_topk(n, k, largest):
    x = torch.tensor(rng.standard_normal((3, n)))
    result = x.topk(k, 1, largest)
    expected = -np.sort(-x.numpy(), 1)[:, :k] if largest else np.sort(x.numpy(), 1)[:, :k]
    np.testing.assert_array_equal(result.values.numpy(), expected)
    np.testing.assert_array_equal(np.take_along_axis(x.numpy(), result.indices.numpy(), 1), expected)
    assert torch.equal(x.t().topk(k, 0, largest).values, result.values.t())


def test_topk_puts_nan_first():
    assert torch.tensor([1.0, nan, 3.0]).topk(2).indices.tolist() == [1, 2]
    assert torch.tensor([1.0, nan, 3.0]).topk(2, largest=False).values.tolist() == [1, 3]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_kthvalue_median_and_mode(dtype):
    x = torch.tensor(rng.integers(0, 9, (5, 41)), dtype=dtype)
    values = as_numpy(x)
    ordered = np.sort(values, 1)
    np.testing.assert_array_equal(as_numpy(x.kthvalue(7, 1).values), ordered[:, 6])
    np.testing.assert_array_equal(as_numpy(x.median(1).values), ordered[:, 20])
    np.testing.assert_array_equal(np.take_along_axis(values, x.median(1, keepdim=True).indices.numpy(), 1)[:, 0], ordered[:, 20])
    assert x.median().item() == np.sort(values.ravel())[(values.size - 1) // 2]
    modes = [min(v for v in row if (row == v).sum() == max((row == u).sum() for u in row)) for row in values]
    np.testing.assert_array_equal(as_numpy(x.mode(1).values), modes)


def test_median_takes_the_lower_middle_and_nan_wins():
    assert torch.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2
    result = torch.tensor([[1.0, nan, nan, 2.0]]).median(1)
    assert math.isnan(result.values.item()) and result.indices.item() == 1
    assert torch.tensor([1.0, nan, 3.0, nan]).nanmedian().item() == 1
    assert math.isnan(torch.tensor([nan, nan]).nanmedian(0).values.item())


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("high", [9, 120])
def test_unique(high, dtype):
    x = torch.tensor(rng.integers(0, high, (30, 40)), dtype=dtype)
    values, inverse, counts = torch._unique2(x, True, True, True)
    expected, position, number = np.unique(as_numpy(x), return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(as_numpy(values), expected)
    np.testing.assert_array_equal(inverse.numpy().ravel(), position.ravel())
    np.testing.assert_array_equal(counts.numpy(), number)
    assert values.dtype == dtype and inverse.shape == x.shape
    assert torch.equal(torch._unique2(x)[0], values) and torch._unique2(x)[1].numel() == 0


def test_unique_of_far_apart_integers_and_nan():
    x = torch.tensor([2**63 - 1, -2**63, 0, 2**63 - 1])
    assert torch._unique2(x, True, True, True)[0].tolist() == [-2**63, 0, 2**63 - 1]
    values, inverse, counts = torch._unique2(torch.tensor([1.0, nan, nan, 1.0]), True, True, True)
    assert values[0].item() == 1 and values.numel() == 3 and counts.tolist() == [2, 1, 1] and inverse.tolist() == [0, 1, 2, 0]
    assert torch._unique2(torch.tensor([True, True]), True, True, True)[1].tolist() == [0, 0]


def test_searchsorted_and_bucketize():
    sequence = np.sort(rng.integers(0, 20, 50))
    values = rng.integers(-3, 25, (4, 30))
    for right in (False, True):
        expected = np.searchsorted(sequence, values, side="right" if right else "left")
        np.testing.assert_array_equal(torch.searchsorted(torch.tensor(sequence), torch.tensor(values), right=right).numpy(), expected)
        np.testing.assert_array_equal(torch.bucketize(torch.tensor(values), torch.tensor(sequence), right=right).numpy(), expected)
    rows = torch.tensor([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]])
    assert torch.searchsorted(rows, torch.tensor([[4.0], [4.0]])).tolist() == [[2], [1]]
    assert torch.searchsorted(torch.tensor([1.0, 2.0]), torch.tensor([nan])).item() == 2
    assert torch.searchsorted(torch.tensor([1, 2, 3]), torch.tensor([1.5])).item() == 1
    assert torch.searchsorted(torch.tensor([1.0, 2.0]), 2, side="right", out_int32=True).dtype == torch.int32
    assert torch.searchsorted(torch.tensor([3.0, 1.0, 2.0]), torch.tensor([2.5]), sorter=torch.tensor([1, 2, 0])).item() == 2


def test_isin():
    x, tests = rng.integers(0, 30, (7, 8)), rng.integers(0, 30, 9)
    np.testing.assert_array_equal(torch.isin(torch.tensor(x), torch.tensor(tests)).numpy(), np.isin(x, tests))
    np.testing.assert_array_equal(torch.isin(torch.tensor(x), torch.tensor(tests), invert=True).numpy(), ~np.isin(x, tests))
    assert torch.isin(torch.tensor([1, 2]), 2).tolist() == [False, True]
    assert torch.isin(torch.tensor([nan, 0.0]), torch.tensor([nan, -0.0])).tolist() == [False, True]
    assert torch.isin(torch.tensor([1, 2]), torch.tensor([])).tolist() == [False, False]


def test_gradients_go_to_the_picked_elements():
    x = torch.tensor([[3.0, 1.0, 2.0], [5.0, 4.0, 6.0]], requires_grad=True)
    w = torch.tensor([1.0, 10.0, 100.0])
    grad = lambda y: torch.autograd.grad(y.sum(), x)[0].tolist()  # noqa: E731
    assert grad(x.sort().values * w) == [[100, 1, 10], [10, 1, 100]]
    assert grad(x.topk(2).values * w[:2]) == [[1, 0, 10], [10, 0, 1]]
    assert grad(x.kthvalue(1).values) == [[0, 1, 0], [0, 1, 0]]
    assert grad(x.median(1).values) == [[0, 0, 1], [1, 0, 0]]
    assert grad(x.median()) == [[1, 0, 0], [0, 0, 0]]
    assert [type(f.grad_fn).__name__ for f in (x.sort()[0], torch.sort(x, stable=True)[0], x.topk(1)[0], x.mode()[0], x.median())] == [
        "SortBackward0", "SortBackward1", "TopkBackward0", "ModeBackward0", "MedianBackward0"]


@pytest.mark.parametrize("call,error,text", [
    (lambda x: x.topk(9), RuntimeError, "selected index k out of range"),
    (lambda x: x.kthvalue(0), RuntimeError, "kthvalue(): selected number k out of range for dimension 0"),
    (lambda x: torch.tensor([1j]).sort(), RuntimeError, " Sort does not support complex dtypes on CPU"),
    (lambda x: x.bool().median(), NotImplementedError, "\"median_cpu\" not implemented for 'Bool'"),
    (lambda x: torch.empty(0, 2).mode(0), IndexError, "mode(): Expected reduction dim 0 to have non-zero size."),
    (lambda x: torch.isin(x > 0, x > 0), RuntimeError, "Unsupported input type encountered for isin(): Bool"),
    (lambda x: torch.searchsorted(x, x, side="up"), RuntimeError, "torch.searchsorted(): side can only be 'left' or 'right' but got up"),
    (lambda x: torch.bucketize(x, x.reshape(1, 3)), RuntimeError, "boundaries tensor must be 1 dimension, but got dim(2)")])
def test_errors(call, error, text):
    with pytest.raises(error) as caught:
        call(torch.tensor([1.0, 2.0, 3.0]))
    assert str(caught.value).split("\n")[0] == text


def test_results_do_not_depend_on_the_number_of_threads():
    x = torch.tensor(rng.integers(0, 99, (40, 3000)))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        first = [x.sort()[1], x.topk(5)[1], x.mode(1)[1], x.median(1)[1]]
        torch.set_num_threads(4)
        assert all(torch.equal(a, b) for a, b in zip(first, [x.sort()[1], x.topk(5)[1], x.mode(1)[1], x.median(1)[1]]))
    finally:
        torch.set_num_threads(before)


def test_unique_gives_as_many_results_as_are_asked_for():
    x = torch.tensor([3, 1, 3])
    assert torch.unique(x).tolist() == x.unique().tolist() == [1, 3]
    values, inverse = torch.unique(x, return_inverse=True)
    assert inverse.tolist() == [1, 0, 1]
    values, counts = x.unique(return_counts=True)
    assert counts.tolist() == [1, 2]
    assert len(torch.unique(x, return_inverse=True, return_counts=True)) == 3


def test_unique_slices():
    x = torch.tensor([[3, 1], [0, 2], [3, 1]])
    values, inverse, counts = torch.unique(x, dim=0, return_inverse=True, return_counts=True)
    assert values.tolist() == [[0, 2], [3, 1]] and inverse.tolist() == [1, 0, 1] and counts.tolist() == [1, 2]
    assert torch.unique(torch.tensor([[2, 2, 1], [0, 0, 5]]), dim=1).tolist() == [[1, 2], [5, 0]]
    with pytest.raises(RuntimeError, match="There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"):
        torch.unique(torch.empty(0, 3), dim=1)


def test_unique_consecutive():
    values, inverse, counts = torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]), return_inverse=True, return_counts=True)
    assert values.tolist() == [1, 2, 1] and inverse.tolist() == [0, 0, 1, 1, 2] and counts.tolist() == [2, 2, 1]
    values, counts = torch.unique_consecutive(torch.tensor([[1, 1], [1, 1], [2, 2]]), return_counts=True, dim=0)
    assert values.tolist() == [[1, 1], [2, 2]] and counts.tolist() == [2, 1]


def test_unique_has_no_derivative():
    y = torch.tensor([1.0, 2.0], requires_grad=True).unique()
    assert type(y.grad_fn).__name__ == "Unique2Backward0"
    with pytest.raises(NotImplementedError, match="the derivative for '_unique2' is not implemented."):
        y.sum().backward()
