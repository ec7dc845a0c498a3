"""The fused steps of SGD and Adam: every combination of settings, lengths, types and layouts, against NumPy."""
import itertools

import hwaro as torch
import numpy as np
import pytest

# Shorter than a vector, whole vectors, a partial last one, several chunks of a parallel loop.
LENGTHS = [0, 1, 3, 15, 16, 17, 64, 1000, 70001]
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(values, dtype):
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def as_numpy(t):
    return t.to(torch.float64).numpy().copy()


def close(t, expected):
    np.testing.assert_allclose(as_numpy(t), expected, rtol=TOLERANCE[t.dtype], atol=TOLERANCE[t.dtype])


def sgd(p, g, buffer, lr, momentum, dampening, decay, nesterov, maximize, first):
    g = -g if maximize else g
    g = g + decay * p
    if buffer is not None:
        buffer = g if first else momentum * buffer + (1 - dampening) * g
        g = g + momentum * buffer if nesterov else buffer
    return p - lr * g, buffer


def adam(p, g, m, v, largest, step, lr, beta1, beta2, decay, eps, maximize, decoupled):
    g = -g if maximize else g
    if decoupled:
        p = p * (1 - lr * decay)
    else:
        g = g + decay * p
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * g * g
    used = v
    if largest is not None:
        used = largest = np.maximum(largest, v)
    p = p - lr / (1 - beta1**step) * m / (np.sqrt(used) / np.sqrt(1 - beta2**step) + eps)
    return p, m, v, largest


def run_sgd(length, dtype, momentum=0.0, dampening=0.0, decay=0.0, nesterov=False, maximize=False, first=False, layout=None):
    layout = layout or (lambda values: tensor(values, dtype))
    p, g, b = (layout(normal(seed, length)) for seed in range(3))
    buffers = [b] if momentum else []
    new_p, new_b = sgd(as_numpy(p), as_numpy(g), as_numpy(b) if momentum else None, 0.1, momentum, dampening, decay, nesterov,
                       maximize, first)
    kept = as_numpy(g)
    torch._C.sgd_step_([p], [g], buffers, 0.1, momentum, dampening, decay, nesterov, maximize, first)
    close(p, new_p)
    np.testing.assert_array_equal(as_numpy(g), kept)
    if momentum:
        close(b, new_b)


def run_adam(length, dtype, decay=0.0, amsgrad=False, maximize=False, decoupled=False, step=3.0, layout=None):
    layout = layout or (lambda values: tensor(values, dtype))
    p, g, m, v, top = (layout(np.abs(normal(seed, length)) + 0.1 if seed > 2 else normal(seed, length)) for seed in range(5))
    new = adam(*(as_numpy(t) for t in (p, g, m, v)), as_numpy(top) if amsgrad else None, step, 0.1, 0.9, 0.99, decay, 1e-8,
               maximize, decoupled)
    torch._C.adam_step_([p], [g], [m], [v], [top] if amsgrad else [], step, 0.1, 0.9, 0.99, decay, 1e-8, amsgrad, maximize,
                        decoupled)
    for found, expected in zip((p, m, v, top), new):
        if expected is not None:
            close(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("length", LENGTHS)
def test_all_lengths(length, dtype):
    run_sgd(length, dtype)
    run_sgd(length, dtype, momentum=0.9, decay=0.1)
    run_adam(length, dtype, decay=0.1)
    run_adam(length, dtype, amsgrad=True)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_all_settings_of_sgd(dtype):
    for momentum, dampening, decay, nesterov, maximize, first in itertools.product(
            (0.0, 0.9), (0.0, 0.3), (0.0, 0.2), (False, True), (False, True), (False, True)):
        run_sgd(37, dtype, momentum, dampening, decay, nesterov, maximize, first)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_all_settings_of_adam(dtype):
    for decay, amsgrad, maximize, decoupled, step in itertools.product(
            (0.0, 0.2), (False, True), (False, True), (False, True), (1.0, 1000.0)):
        run_adam(37, dtype, decay, amsgrad, maximize, decoupled, step)


@pytest.mark.parametrize("layout", [
    lambda x: tensor(x, torch.float32)[:, None].expand(-1, 2).clone()[:, 1],  # every second element
    lambda x: tensor(np.concatenate([x, x]), torch.float32)[3:3 + len(x)],  # an offset that is not aligned
    lambda x: tensor(x, torch.float32).reshape(3, 5).t(),
])
def test_views_are_written_where_they_are(layout):
    run_sgd(15, torch.float32, momentum=0.9, layout=layout)
    run_adam(15, torch.float32, amsgrad=True, layout=layout)


def test_elements_beside_a_view_stay():
    whole = torch.zeros(40)
    view = whole[8:27]
    torch._C.sgd_step_([view], [torch.ones(19)], [], 1.0, 0.0, 0.0, 0.0, False, False)
    assert whole.tolist() == [0.0] * 8 + [-1.0] * 19 + [0.0] * 13


def test_several_parameters_of_different_types_in_one_call():
    params = [torch.zeros(5), torch.zeros(2, 3, dtype=torch.float64), torch.zeros((), dtype=torch.float16)]
    grads = [torch.ones(5), torch.ones(2, 3), torch.ones(())]
    torch._C.sgd_step_(params, grads, [], 0.5, 0.0, 0.0, 0.0, False, False)
    for p in params:
        assert p.tolist() == torch.full(p.shape, -0.5).tolist()


def test_special_values_pass_through():
    p = torch.tensor([1.0, 1.0, 1.0, float("nan"), float("inf")])
    g = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, 1.0])
    torch._C.sgd_step_([p], [g], [], 0.1, 0.0, 0.0, 0.0, False, False)
    np.testing.assert_array_equal(p.numpy(), [np.nan, -np.inf, np.inf, np.nan, np.inf])


@pytest.mark.parametrize("threads", [2, 3])
def test_bits_do_not_depend_on_the_number_of_threads(threads):
    def run():
        p, g, m, v = (tensor(np.abs(normal(seed, 200_003)), torch.float32) for seed in range(4))
        torch._C.adam_step_([p], [g], [m], [v], [], 2.0, 0.1, 0.9, 0.99, 0.1, 1e-8, False, False, True)
        return [t.numpy().tobytes() for t in (p, m, v)]

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = run()
        torch.set_num_threads(threads)
        assert run() == one
    finally:
        torch.set_num_threads(before)


def test_versions_of_what_is_written_go_up():
    p, g, m, v, top = (torch.ones(3) for _ in range(5))
    torch._C.sgd_step_([p], [g], [m], 0.1, 0.9, 0.0, 0.0, False, False)
    assert [t._version for t in (p, g, m)] == [1, 0, 1]
    torch._C.adam_step_([p], [g], [m], [v], [top], 1.0, 0.1, 0.9, 0.99, 0.0, 1e-8, True, False, False)
    assert [t._version for t in (p, g, m, v, top)] == [2, 0, 2, 1, 1]


def test_a_step_between_forward_and_backward_is_noticed():
    w = torch.ones(3, requires_grad=True)
    loss = (w * w).sum()
    w.grad = torch.ones(3)
    torch.optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_steps_leave_leaves_as_they_are():
    w = torch.ones(3, requires_grad=True)
    w.grad = torch.ones(3)
    torch.optim.Adam([w]).step()
    assert w.is_leaf and w.requires_grad and w.grad_fn is None


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), ()])
def test_states_of_another_shape_are_refused(shape):
    p, wrong = torch.ones(3), torch.ones(shape)
    for grads, buffers in (([wrong], []), ([torch.ones(3)], [wrong])):
        with pytest.raises(RuntimeError, match="for a parameter of shape"):
            torch._C.sgd_step_([p], grads, buffers, 0.1, 0.9, 0.0, 0.0, False, False)
    for place in range(1, 5):
        tensors = [torch.ones(3) for _ in range(5)]
        tensors[place] = wrong
        with pytest.raises(RuntimeError, match="for a parameter of shape"):
            torch._C.adam_step_(*([t] for t in tensors), 1.0, 0.1, 0.9, 0.99, 0.0, 1e-8, True, False, False)
    assert p.tolist() == [1.0] * 3


def test_lists_of_different_lengths_and_integers_are_refused():
    one = torch.ones(3)
    with pytest.raises(RuntimeError, match="lists of different lengths"):
        torch._C.sgd_step_([one, one], [one], [], 0.1, 0.0, 0.0, 0.0, False, False)
    with pytest.raises(RuntimeError, match="lists of different lengths"):
        torch._C.adam_step_([one], [one], [one], [one], [], 1.0, 0.1, 0.9, 0.99, 0.0, 1e-8, True, False, False)
    with pytest.raises(RuntimeError, match="must be floating point, got Long"):
        torch._C.sgd_step_([one.long()], [one], [], 0.1, 0.0, 0.0, 0.0, False, False)
    with pytest.raises(RuntimeError, match="must be floating point, got ComplexFloat"):
        torch._C.sgd_step_([one], [one.to(torch.complex64)], [], 0.1, 0.0, 0.0, 0.0, False, False)


def test_tensors_without_data_take_steps():
    w = torch.nn.Parameter(torch.ones(3, device="meta"))
    w.grad = torch.ones(3, device="meta")
    torch.optim.SGD([w], lr=0.1).step()
    assert w.device.type == "meta" and w.shape == (3,)
