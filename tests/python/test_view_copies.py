"""Copies of views, parts that are no views, replaced parts, and what they do to strides and graphs."""

import hwaro as torch
import numpy as np
import pytest

A = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def x(grad=False):
    return torch.tensor(A, requires_grad=grad)


CASES = [
    ("alias_copy", (), A, "AliasBackward0_copy"),
    ("view_copy", ((4, 6),), A.reshape(4, 6), "ViewBackward0_copy"),
    ("expand_copy", ((2, 2, 3, 4),), np.broadcast_to(A, (2, 2, 3, 4)), "ExpandBackward0_copy"),
    ("permute_copy", ((2, 0, -2),), A.transpose(2, 0, 1), "PermuteBackward0_copy"),
    ("transpose_copy", (0, -1), A.swapaxes(0, 2), "TransposeBackward0_copy"),
    ("squeeze_copy", (1,), A, "SqueezeBackward1_copy"),
    ("unsqueeze_copy", (-1,), A[..., None], "UnsqueezeBackward0_copy"),
    ("select_copy", (1, -1), A[:, -1], "SelectBackward0_copy"),
    ("slice_copy", (2, -3, 9, 2), A[:, :, -3:9:2], "SliceBackward0_copy"),
    ("diagonal_copy", (1, -2, -1), A.diagonal(1, 1, 2), "DiagonalBackward0_copy"),
    ("unfold_copy", (2, 3, 1), np.lib.stride_tricks.sliding_window_view(A, 3, 2), "UnfoldBackward0_copy"),
    ("as_strided_copy", ((2, 2), (1, 1), 3), np.array([[3, 4], [4, 5]], np.float32), "AsStridedBackward0_copy"),
    ("narrow_copy", (2, 1, 2), A[:, :, 1:3], "NarrowCopyBackward0"),
]


@pytest.mark.parametrize("name, args, expected, node", CASES, ids=[c[0] for c in CASES])
def test_a_copy_has_the_view_s_elements_memory_of_its_own_and_its_gradient(name, args, expected, node):
    source = x(grad=True)
    out = getattr(torch, name)(source, *args)
    assert np.array_equal(out.detach().numpy(), expected)
    assert out.is_contiguous() and not out._is_view() and type(out.grad_fn).__name__ == node
    # The gradient counts how often each element is shown.
    out.backward(torch.ones(out.shape))
    shown = np.zeros(A.size, np.float32)
    np.add.at(shown, expected.astype(int).reshape(-1), 1)
    assert np.array_equal(source.grad.numpy().reshape(-1), shown)


def test_view_copy_copies_where_a_view_is_impossible():
    assert torch.view_copy(x().transpose(0, 2), (24,)).tolist() == A.swapaxes(0, 2).reshape(-1).tolist()


def test_copies_of_parts():
    source = x(grad=True)
    parts = torch.split_with_sizes_copy(source, (1, 2), 1)
    assert [tuple(p.shape) for p in parts] == [(2, 1, 4), (2, 2, 4)]
    assert {type(p.grad_fn).__name__ for p in parts} == {"SplitWithSizesBackward0_copy"}
    parts[1].sum().backward()
    assert source.grad[:, 0].sum() == 0 and source.grad[:, 1:].sum() == 16
    outs = [torch.empty(0), torch.empty(0)]
    torch.split_copy(x(), 2, -1, out=outs)
    assert [p.tolist() for p in outs] == [A[..., :2].tolist(), A[..., 2:].tolist()]
    assert [p.tolist() for p in torch.unbind_copy(x(), 1)] == [A[:, i].tolist() for i in range(3)]
    assert [p.tolist() for p in torch.split_copy(x(), 2, -1)] == [A[..., :2].tolist(), A[..., 2:].tolist()]


def test_unsafe_parts_share_memory_but_are_no_views():
    source = x()
    first, second = torch.unsafe_chunk(source, 2)
    first.zero_()
    assert source[0].sum() == 0 and source._version == 0 and not first._is_view()
    tracked = x(grad=True)
    a, b = torch.unsafe_split(tracked, 2, 2)
    assert type(a.grad_fn).__name__ == "UnsafeSplitBackward0"
    (2 * a + b).sum().backward()
    assert tracked.grad[..., 0].unique().tolist() == [2.0] and tracked.grad[..., 3].unique().tolist() == [1.0]
    assert [t.shape[1] for t in torch.unsafe_split_with_sizes(source, (1, 2), 1)] == [1, 2]


def test_replacing_a_part_keeps_strides():
    wide = torch.zeros(3, 8)[:, ::2]
    wide.copy_(torch.arange(12.0).view(3, 4))
    for out in (
        torch.select_scatter(wide, torch.ones(4), 0, 1),
        torch.slice_scatter(wide, torch.ones(1, 4), 0, 1, 2),
        torch.diagonal_scatter(wide, torch.ones(3)),
        torch.as_strided_scatter(wide, torch.ones(2), (2,), (2,)),
    ):
        assert out.stride() == (8, 2) and out.sum() != wide.sum()


def test_as_strided_in_place():
    t = torch.arange(6.0)
    assert t.as_strided_((2, 2), (1, 2), 1) is t
    assert t.tolist() == [[1, 3], [2, 4]] and t._version == 1
    leaf = torch.ones(6, requires_grad=True)
    product = leaf * torch.arange(6.0)
    product.as_strided_((2, 2), (1, 2), 1)
    assert type(product.grad_fn).__name__ == "AsStridedBackward1"
    product.sum().backward()
    assert leaf.grad.tolist() == [0, 1, 2, 3, 4, 0]


def test_reshape_without_a_copy_says_so_in_the_graph():
    base = torch.ones(4, 6, requires_grad=True)
    assert type(base.t().reshape(3, 2, 4).grad_fn).__name__ == "ReshapeAliasBackward0"
    assert type(base.reshape(3, 8).grad_fn).__name__ == "ViewBackward0"
    assert type(base.t().reshape(24).grad_fn).__name__ == "UnsafeViewBackward0"


def test_positions_lie_column_by_column():
    rows = torch.tensor([[0, 1, 0], [2, 0, 3]]).nonzero()
    assert rows.tolist() == [[0, 1], [1, 0], [1, 2]] and rows.stride() == (1, 3)

    assert torch.tensor([0, 1, 2]).nonzero_static(size=3, fill_value=7).tolist() == [[1], [2], [7]]
    assert torch.nonzero_static(torch.ones(2, 2), size=1).tolist() == [[0, 0]]


def test_masks_wider_than_self_give_gradients_of_self_s_shape():
    line = torch.ones(3, requires_grad=True)
    mask = torch.tensor([[True, False, False], [False, False, True]])
    out = line.masked_fill(mask, 5.0)
    assert type(out.grad_fn.next_functions[0][0]).__name__ == "AccumulateGrad"
    out.sum().backward()
    assert line.grad.tolist() == [1.0, 2.0, 1.0]


def test_take_along_dim_counts_from_the_end():
    t = torch.arange(6.0).view(2, 3)
    assert torch.take_along_dim(t, torch.tensor([[-1], [-3]]), 1).tolist() == [[2.0], [3.0]]


@pytest.mark.parametrize("order", [1, 2])
def test_gradient_is_numpy_s(order):
    values = np.random.default_rng(0).normal(size=(5, 6))
    points = [np.array([0.0, 1.0, 1.5, 3.0, 7.0]), np.linspace(0, 1, 6) ** 2]
    t = torch.tensor(values)
    for spacing, numpy_spacing in (
        (None, ()),
        (0.5, (0.5,)),
        ([2.0, 3.0], (2.0, 3.0)),
        ([torch.tensor(p) for p in points], points),
    ):
        expected = np.gradient(values, *numpy_spacing, edge_order=order)
        for got, wanted in zip(torch.gradient(t, spacing=spacing, edge_order=order), expected):
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-12, atol=1e-12)
    (got,) = torch.gradient(t, dim=-1, edge_order=order)
    np.testing.assert_allclose(got.numpy(), np.gradient(values, axis=-1, edge_order=order))


def test_gradient_of_gradient():
    line = torch.arange(4.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.gradient(line * line, spacing=2)
    slope[1].backward()
    assert line.grad.tolist() == [0.0, 0.0, 1.0, 0.0]
    with pytest.raises(RuntimeError, match="torch.gradient only supports edge_order=1 and edge_order=2."):
        torch.gradient(line, edge_order=3)


def test_unravel_index_is_numpy_s():
    flat = torch.tensor([[0, 5], [11, 7]], dtype=torch.uint8)
    got = torch.unravel_index(flat, (2, 3, 2))
    assert all(t.dtype == torch.int64 for t in got)
    assert [t.tolist() for t in got] == [a.tolist() for a in np.unravel_index(flat.numpy(), (2, 3, 2))]


def test_a_view_copied_onto_another_part_of_its_base_keeps_the_history_it_has():
    leaf = torch.arange(4.0, requires_grad=True)
    base = leaf * 2
    base[2:].copy_(base[:2])
    assert [type(n).__name__ for n, _ in base.grad_fn.next_functions] == ["MulBackward0", "SliceBackward0"]
    (base * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert leaf.grad.tolist() == [202.0, 2020.0, 0.0, 0.0]
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor refer to"):
        base.detach()[1:].copy_(base.detach()[:3])
