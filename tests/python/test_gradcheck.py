"""gradcheck and gradgradcheck: what they accept, what they find, and how they say it."""
import pytest

import hwaro as torch
from hwaro.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck


def real(*shape):
    torch.manual_seed(0)
    return torch.randn(shape, dtype=torch.float64).requires_grad_()


def complex_(*shape):
    torch.manual_seed(0)
    return torch.randn(shape, dtype=torch.complex128).requires_grad_()


class Wrong(torch.autograd.Function):
    """x * x with a gradient that is not its own."""

    @staticmethod
    def forward(ctx, x):
        return x * x

    @staticmethod
    def backward(ctx, grad):
        return grad * 3


class Unsteady(torch.autograd.Function):
    """2 * x, whose gradient differs a little from call to call."""

    calls = 0

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        Unsteady.calls += 1
        return grad * (2 + 1e-9 * Unsteady.calls)


GOOD = {
    "pointwise": (lambda x: x.sin() * x.exp(), lambda: (real(3, 2),)),
    "two inputs, two outputs": (lambda x, y: (x @ y, x.sum()), lambda: (real(3, 2), real(2, 4))),
    "an integer input": (lambda x, i: x[i], lambda: (real(4), torch.tensor([1, 2]))),
    "a transposed input": (lambda x: x.t().exp(), lambda: (real(3, 2).detach().t().requires_grad_(),)),
    "no elements": (lambda x: x * 2, lambda: (real(0),)),
    "one input, not in a tuple": (lambda x: x * x, lambda: real(3)),
    "complex": (lambda x: x * x, lambda: (complex_(3),)),
    "complex and real": (lambda x, y: x * y.conj(), lambda: (complex_(3), real(3))),
    "complex to real": (lambda x: x.abs(), lambda: (complex_(2, 2),)),
}


@pytest.mark.parametrize("name", GOOD)
def test_right_gradients_pass(name):
    function, inputs = GOOD[name]
    assert gradcheck(function, inputs()) is True
    assert gradgradcheck(function, inputs()) is True


def test_a_wrong_gradient_is_reported_with_both_jacobians():
    with pytest.raises(GradcheckError) as caught:
        gradcheck(Wrong.apply, (real(3),))
    text = str(caught.value)
    assert text.startswith("Jacobian mismatch for output 0 with respect to input 0,\nnumerical:")
    assert "\nanalytical:" in text
    assert gradcheck(Wrong.apply, (real(3),), raise_exception=False) is False
    assert isinstance(caught.value, RuntimeError)


def test_a_wrong_second_gradient_is_found():
    class WrongTwice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            x, = ctx.saved_tensors
            return grad * 3 * x * x.detach()

    assert gradcheck(WrongTwice.apply, (real(3),))
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradgradcheck(WrongTwice.apply, (real(3),))


def test_parts_of_complex_outputs_are_named():
    class WrongComplex(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2 * ctx.saved_tensors[0]  # without conj

    with pytest.raises(GradcheckError, match="^While considering the imaginary part of complex outputs only, Jacobian"):
        gradcheck(WrongComplex.apply, (complex_(3),))


def test_a_gradient_that_changes_between_calls_is_reported():
    with pytest.raises(GradcheckError, match="^Backward is not reentrant"):
        gradcheck(Unsteady.apply, (real(2),))
    assert gradcheck(Unsteady.apply, (real(2),), nondet_tol=1e-3)


def test_a_function_that_hides_its_dependence_is_reported():
    with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, (real(3),))


def test_inputs_are_checked():
    with pytest.raises(ValueError, match="gradcheck expects at least one input tensor to require gradient"):
        gradcheck(lambda x: x, (torch.ones(2),))
    with pytest.raises(RuntimeError, match="The 0th input has a dimension with stride 0"):
        gradcheck(lambda x: x * 2, (real(1).expand(3),))
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        gradcheck(lambda x: x * 2, (torch.ones(2).requires_grad_(),), eps=1e-2, atol=1e-2)


def test_inputs_are_left_as_they_were():
    x = real(3)
    before = x.detach().clone()
    gradcheck(lambda x: x.exp(), (x,))
    assert torch.equal(x.detach(), before) and x.grad is None


def test_batched_gradients_are_checked_too():
    for option in ("check_forward_ad", "check_batched_grad"):
        assert gradcheck(lambda x: x.exp(), (real(2),), **{option: True})


def test_the_functions_hide_their_module():
    assert torch.autograd.gradcheck is gradcheck and torch.autograd.gradgradcheck is gradgradcheck


def test_gradients_of_outputs_are_drawn_as_pytorch_draws_them():
    x = torch.arange(3.0, dtype=torch.float64).requires_grad_()
    torch.manual_seed(0)
    gradgradcheck(torch.sin, (x,))
    after = torch.rand(1)
    torch.manual_seed(0)
    torch.empty(3, dtype=torch.float64).uniform_(-1, 1)
    assert torch.equal(after, torch.rand(1))
