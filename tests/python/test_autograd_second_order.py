"""Gradients of gradients: through what was overwritten, of what is linear in pieces, of views that lost their way."""

import pytest

import hwaro as torch
import hwaro.nn.functional as F


def second(f):
    """The first and second derivative of f, which may write to its argument."""
    x = torch.linspace(0.2, 0.9, 4, dtype=torch.float64).requires_grad_()
    (first,) = torch.autograd.grad(f(x * 1).sum(), x, create_graph=True)
    return [first, *torch.autograd.grad(first.sum(), x)]


def written(f):
    """f as a write through a view of a copy."""

    def run(x):
        y = x * 1
        f(y[1:])
        return y[1:]

    return run


PAIRS = {
    "sin": (lambda x: x.sin_(), torch.sin),
    "log": (lambda x: x.log_(), torch.log),
    "pow": (lambda x: x.pow_(3), lambda x: x**3),
    "power of itself": (lambda x: x.pow_(x * 1), lambda x: x**x),
    "product": (lambda x: x.mul_(x * 1), lambda x: x * x),
    "quotient": (lambda x: x.div_(x + 1), lambda x: x / (x + 1)),
    "hypot": (lambda x: x.hypot_(x * 2), lambda x: torch.hypot(x, x * 2)),
    "silu": (lambda x: F.silu(x, inplace=True), F.silu),
    "mvlgamma": (lambda x: x.add_(3).mvlgamma_(2), lambda x: (x + 3).mvlgamma(2)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_overwritten_keeps_its_history(name):
    inplace, plain = PAIRS[name]
    torch.testing.assert_close(second(inplace), second(plain))
    torch.testing.assert_close(second(written(inplace)), second(lambda x: plain(x[1:])))


FLAT = {
    "relu": F.relu,
    "relu_": lambda x: x.relu_(),
    "leaky_relu": F.leaky_relu,
    "hardtanh": lambda x: F.hardtanh(x, 0.3, 0.5),
    "threshold": lambda x: F.threshold(x, 0.5, 0.0),
    "softshrink": lambda x: F.softshrink(x, 0.4),
    "hardshrink": lambda x: F.hardshrink(x, 0.4),
    "rrelu": lambda x: F.rrelu(x, training=True),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.5], dtype=torch.float64)),
}


@pytest.mark.parametrize("name", FLAT)
def test_a_gradient_in_pieces_depends_on_its_input_with_gradient_zero(name):
    first, again = second(FLAT[name])
    assert first.requires_grad
    assert again.tolist() == [0.0] * 4


def test_the_gradient_kept_with_create_graph_has_the_layout_of_the_leaf():
    x = torch.rand(2, 3, requires_grad=True)
    (x.mT * 1).sum().backward(create_graph=True)
    assert x.grad.stride() == (3, 1)


def test_a_view_of_a_leaf_loses_its_way_by_a_write_to_the_base_of_both():
    base = torch.zeros(2)
    leaf = base.view(2).requires_grad_()
    part = leaf[0]
    base.add_(1)
    assert part.grad_fn.next_functions == ((None, 0),)
    part.backward()
    assert leaf.grad is None


def test_a_leaf_that_came_into_the_graph_takes_no_gradient():
    base = torch.zeros(1, 1)
    leaf = base.expand(1, 1).requires_grad_()
    base += leaf
    with pytest.raises(RuntimeError, match="leaf variable has been moved into the graph interior"):
        base.sum().backward()


@pytest.mark.parametrize("inputs", [[None], [1]])
def test_inputs_of_a_pass_are_tensors(inputs):
    x = torch.ones(2, requires_grad=True)
    for run in (
        lambda y: y.backward(inputs=inputs),
        lambda y: torch.autograd.backward([y], inputs=[x, *inputs]),
        lambda y: torch.autograd.grad(y, inputs),
    ):
        with pytest.raises(RuntimeError, match="all inputs have to be Tensors or GradientEdges, but got"):
            run((x * 2).sum())
    assert x.grad is None
