"""torch.masked: reductions in which a mask says which elements take part."""

import math

import hwaro as torch
import pytest

X = torch.tensor([[-3.0, -2.0, -1.0], [0.0, 1.0, 2.0]])
MASK = torch.tensor([[True, False, True], [False, False, False]])


def test_reductions_leave_out_what_the_mask_leaves_out():
    assert torch.masked.sum(X, 1, mask=MASK).tolist() == [-4, 0]
    assert torch.masked.prod(X, 1, mask=MASK).tolist() == [3, 1]
    assert torch.masked.amax(X, 1, mask=MASK).tolist() == [-1, -math.inf]
    assert torch.masked.amin(X, mask=MASK).item() == -3
    assert torch.masked.argmin(X, 1, mask=MASK).tolist() == [0, 0]
    mean = torch.masked.mean(X, 1, mask=MASK)
    assert mean[0] == -2 and mean[1].isnan()
    assert torch.masked.var(X, 1, mask=MASK)[0] == 2
    assert torch.masked.cumsum(X, 1, mask=MASK).tolist() == [[-3, -3, -4], [0, 0, 0]]
    assert torch.masked.median(X, 1, mask=MASK)[0] == -3


def test_integers_have_neutral_numbers_of_their_own():
    x = torch.tensor([1, 2, 3], dtype=torch.int8)
    none = torch.zeros(3, dtype=torch.bool)
    assert torch.masked.amax(x, mask=none).item() == -128
    assert torch.masked.amin(x, mask=none).item() == 127
    assert torch.masked.sum(x, mask=none).dtype is torch.int64


def test_softmax_gives_zero_to_what_is_left_out():
    y = torch.masked.softmax(X, 1, mask=torch.tensor([True, False, True]))
    assert y[:, 1].tolist() == [0, 0]
    assert y.sum(1).tolist() == pytest.approx([1, 1])


def test_gradients_reach_only_elements_that_take_part():
    x = X.clone().requires_grad_()
    torch.masked.sum(x, mask=MASK).backward()
    assert x.grad.tolist() == MASK.float().tolist()


def test_errors():
    with pytest.raises(IndexError, match="broadcastable mask"):
        torch.masked.sum(X, mask=torch.ones(1, 2, 3, dtype=torch.bool))
    with pytest.raises(RuntimeError, match="appears multiple times"):
        torch.masked.sum(X, (0, 0))
    with pytest.raises(ValueError, match="Could not infer output dtype"):
        torch.masked.mean(torch.tensor([1]))
