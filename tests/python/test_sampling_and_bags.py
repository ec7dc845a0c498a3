"""Operators that pick and put back: unpooling, fractional pooling, bags of embeddings, grids, bytes of images."""

import hwaro as torch
import hwaro.nn.functional as F
import numpy as np
import pytest

RNG = np.random.default_rng(0)


def t(*shape, grad=True):
    return torch.tensor(RNG.normal(size=shape), requires_grad=grad)


def check_gradient(f, *inputs, eps=1e-6):
    """Gradients of sum(w * f) against differences."""
    out = f(*inputs)
    weights = torch.tensor(RNG.normal(size=tuple(out.shape)))
    (out * weights).sum().backward()
    for i, x in enumerate(inputs):
        flat = x.detach().clone().view(-1)
        for k in range(0, flat.numel(), max(1, flat.numel() // 7)):
            moved = []
            for step in (eps, -eps):
                at = flat.clone()
                at[k] += step
                others = [at.view(x.shape) if j == i else y.detach() for j, y in enumerate(inputs)]
                moved.append((f(*others) * weights).sum().item())
            assert x.grad.view(-1)[k].item() == pytest.approx((moved[0] - moved[1]) / (2 * eps), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_puts_maxima_back(dims):
    x = t(2, 3, *[6] * dims)
    pool, unpool = getattr(F, f"max_pool{dims}d"), getattr(F, f"max_unpool{dims}d")
    values, places = pool(x, 2, return_indices=True)
    back = unpool(values, places, 2)
    flat, dense = back.detach().flatten(2), x.detach().flatten(2)
    set_ = flat != 0
    assert back.shape == x.shape and set_.sum() == values.numel() and (flat[set_] == dense[set_]).all()
    node = "SqueezeBackward1" if dims == 1 else f"MaxUnpool{dims}DBackward0"
    assert type(back.grad_fn).__name__ == node
    check_gradient(lambda v: unpool(v, places, 2), values.detach().requires_grad_())


def test_unpooling_refuses_places_outside():
    with pytest.raises(RuntimeError, match=r"Found an invalid max index: 99 \(output volumes are of size 4x4\)"):
        F.max_unpool2d(torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 99), 2)


def test_fractional_windows_are_those_of_the_samples():
    image = torch.arange(99.0).view(1, 1, 9, 11)
    for u, rows, columns in (([0.0, 0.0], [0, 2, 5, 8], [0, 3, 6, 10]), ([0.9, 0.0], [0, 2, 5, 8], [0, 4, 7, 10])):
        out, places = F.fractional_max_pool2d(image, 1, (4, 4), return_indices=True, _random_samples=torch.tensor([[u]]))
        assert (places[0, 0, :, 0] // 11).tolist() == rows and (places[0, 0, 0] % 11).tolist() == columns
        assert torch.equal(out.long(), places)
    x = t(1, 2, 7, 7)
    samples = torch.rand(1, 2, 2, dtype=torch.float64)
    check_gradient(lambda v: F.fractional_max_pool2d(v, 2, (3, 3), _random_samples=samples), x)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_are_reductions_of_rows(mode):
    table = t(6, 4)
    names, starts = torch.tensor([0, 5, 2, 2, 1, 3]), torch.tensor([0, 2, 2, 5])
    out = F.embedding_bag(names, table, starts, mode=mode, padding_idx=3)
    rows = table.detach()[names].numpy()
    reduce = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    expected = [reduce(rows[:2], 0), np.zeros(4), reduce(rows[2:5], 0), np.zeros(4)]
    np.testing.assert_allclose(out.detach().numpy(), np.stack(expected))
    assert type(out.grad_fn).__name__ == "EmbeddingBagBackward0"
    check_gradient(lambda w: F.embedding_bag(names, w, starts, mode=mode, padding_idx=3), table)


def test_bags_with_weights_and_last_offset():
    table, weights = t(5, 3), t(4)
    names, starts = torch.tensor([1, 4, 4, 0]), torch.tensor([0, 1, 3])
    f = lambda w, s: F.embedding_bag(names, w, starts, mode="sum", per_sample_weights=s, include_last_offset=True)  # noqa: E731
    assert f(table, weights).shape == (2, 3)
    check_gradient(f, table, weights)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align", [False, True])
def test_a_grid_of_pixel_centres_gives_the_image(mode, padding, align):
    image = t(2, 3, 4, 5)
    theta = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64).expand(2, 2, 3)
    grid = F.affine_grid(theta, image.shape, align_corners=align)
    out = F.grid_sample(image, grid, mode, padding, align)
    np.testing.assert_allclose(out.detach().numpy(), image.detach().numpy(), atol=1e-12)
    assert type(out.grad_fn).__name__ == "GridSampler2DBackward0"


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_gradients_of_sampling(mode, padding):
    grid = torch.tensor(RNG.uniform(-1.3, 1.3, size=(2, 3, 3, 2)), requires_grad=True)
    f = lambda x, g: F.grid_sample(x, g, mode, padding, False)  # noqa: E731
    image = t(2, 2, 4, 5)
    check_gradient(f, image, grid)
    # What create_graph composes is what the kernel computes.
    out = f(image, grid).sin().sum()
    plain = torch.autograd.grad(out, [image, grid], retain_graph=True)
    composed = torch.autograd.grad(out, [image, grid], create_graph=True)
    for a, b in zip(plain, composed):
        assert b.requires_grad
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-10)


def test_volumes_are_sampled_too():
    volume, grid = t(1, 2, 3, 4, 5), torch.tensor(RNG.uniform(-0.9, 0.9, size=(1, 2, 2, 2, 3)), requires_grad=True)
    f = lambda x, g: F.grid_sample(x, g, align_corners=True)  # noqa: E731
    assert type(f(volume, grid).grad_fn).__name__ == "GridSampler3DBackward0"
    check_gradient(f, volume, grid)


@pytest.mark.parametrize("p", [0, 1, 1.5, 2, 3, float("inf")])
def test_distances_of_all_pairs(p):
    rows = t(5, 3)
    out = F.pdist(rows, p)
    a = rows.detach().numpy()
    expected = [np.linalg.norm(a[i] - a[j], p) for i in range(5) for j in range(i + 1, 5)]
    np.testing.assert_allclose(out.detach().numpy(), expected)
    assert type(out.grad_fn).__name__ == "PdistBackward0"
    check_gradient(lambda x: F.pdist(x, p), rows)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses_of_margins(reduction):
    scores = t(4, 5)
    target = torch.tensor([1, 0, 4, 2])
    x = scores.detach().numpy()
    for p in (1, 2):
        rows = [
            sum(max(0.0, 0.5 - x[k, y] + x[k, i]) ** p for i in range(5) if i != y) / 5
            for k, y in enumerate(target.tolist())
        ]
        wanted = {"none": rows, "mean": np.mean(rows), "sum": np.sum(rows)}[reduction]
        f = lambda s: F.multi_margin_loss(s, target, p=p, margin=0.5, reduction=reduction)  # noqa: B023, E731
        np.testing.assert_allclose(f(scores).detach().numpy(), wanted)
        check_gradient(f, scores)
        scores.grad = None
    labels = torch.tensor([[1, 3, -1, 0, 0], [0, -1, 2, 2, 2], [4, 3, 2, 1, 0], [-1, 0, 1, 2, 3]])
    rows = []
    for k, line in enumerate(labels.tolist()):
        right = line[: line.index(-1)] if -1 in line else line
        rows.append(sum(max(0.0, 1 - x[k, y] + x[k, i]) for y in right for i in range(5) if i not in right) / 5)
    wanted = {"none": rows, "mean": np.mean(rows), "sum": np.sum(rows)}[reduction]
    f = lambda s: F.multilabel_margin_loss(s, labels, reduction=reduction)  # noqa: E731
    np.testing.assert_allclose(f(scores).detach().numpy(), wanted)
    check_gradient(f, scores)


def test_images_of_bytes_are_interpolated_in_fixed_point():
    # Recorded from PyTorch 2.13.0: the way over 16-bit weights rounds other than float does.
    image = (torch.arange(2 * 16) * 37 % 256).view(1, 2, 4, 4).to(torch.uint8)
    assert F.interpolate(image, (3, 3), mode="bilinear").tolist() == BYTES["bilinear"]
    assert F.interpolate(image, (3, 5), mode="bicubic").tolist() == BYTES["bicubic"]


def test_adaptive_pooling_keeps_sizes_that_are_none():
    x = t(2, 3, 6, 8, grad=False)
    assert F.adaptive_avg_pool2d(x, (None, 4)).shape == (2, 3, 6, 4)
    assert F.adaptive_max_pool2d(x, (3, None)).shape == (2, 3, 3, 8)
    with pytest.raises(ValueError, match="Input dimension should be at least 3"):
        F.adaptive_avg_pool2d(x[0, 0], (2, 2))


BYTES = {
    "bilinear": [[[[31, 81, 94], [100, 150, 92], [169, 113, 55]], [[104, 118, 167], [159, 102, 151], [36, 86, 135]]]],
    "bicubic": [[[[23, 46, 83, 100, 94], [92, 114, 176, 166, 76], [163, 212, 111, 18, 63]], [[104, 96, 114, 150, 175], [205, 111, 88, 134, 159], [23, 52, 86, 118, 143]]]],
}
