"""What pointwise operators share, and where single ones are special. Expected values are PyTorch 2.13's."""
import math
import warnings

import pytest

import hwaro as torch

F = torch.nn.functional


def raises(error, text, call):
    with pytest.raises(error) as raised:
        call()
    assert type(raised.value) is error
    assert str(raised.value).split("\n")[0] == text


def gradient(call, *values):
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    call(*leaves).sum().backward()
    return [None if leaf.grad is None else leaf.grad.tolist() for leaf in leaves]


# ---- shapes and strides ----

def test_broadcast():
    a, b = torch.ones(2, 1), torch.ones(1, 3)
    assert (a + b).shape == (2, 3)
    assert (torch.ones(0, 3) * torch.ones(3)).shape == (0, 3)
    assert (torch.tensor(2.0) * torch.tensor(3.0)).item() == 6.0
    raises(RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1",
           lambda: torch.ones(2, 3) + torch.ones(2))


def test_shapes_are_refused_before_types():
    raises(RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0",
           lambda: torch.ones(3) & torch.ones(2))


def test_output_keeps_the_order_of_dimensions():
    x = torch.arange(6.0).reshape(2, 3).t()
    assert torch.exp(x).stride() == (1, 3)
    assert (x + x).stride() == (1, 3)
    assert (x * 2).tolist() == [[0.0, 6.0], [2.0, 8.0], [4.0, 10.0]]
    image = torch.ones(2, 3, 4, 5).permute(0, 3, 1, 2)
    assert (image + 1).stride() == image.stride()


@pytest.mark.parametrize("n", [0, 1, 7, 15, 16, 17, 33, 1023, 1025, 40000])
def test_values_do_not_depend_on_position(n):
    x = torch.full((n,), 0.7)
    y = torch.tanh(x)
    assert (y == math.tanh(0.7)).sum().item() in (0, n)
    assert torch.equal(torch.tanh(torch.full((2, n), 0.7).t()[:, 0]), y)


# ---- types ----

def test_promotion_by_category():
    ints, floats = torch.tensor([1, 2]), torch.tensor([1.0, 2.0])
    assert (ints + 1.5).dtype == torch.float32
    assert (floats + torch.tensor(1.0, dtype=torch.float64)).dtype == torch.float32
    assert (ints.to(torch.uint8) + 300).tolist() == [45, 46]
    assert (ints / 2).dtype == torch.float32
    assert (torch.tensor([True]) + torch.tensor([True])).tolist() == [True]
    assert (torch.tensor([5, 200], dtype=torch.uint8) == 261).tolist() == [True, False]
    assert torch.where(torch.tensor([True]), 1, 2.0).dtype == torch.float32


def test_in_place_type_and_shape():
    raises(RuntimeError, "result type Float can't be cast to the desired output type Long", lambda: torch.tensor([1]).div_(2))
    raises(RuntimeError, "result type Float can't be cast to the desired output type Long", lambda: torch.tensor([1]).add_(1.5))
    raises(RuntimeError, "output with shape [2] doesn't match the broadcast shape [3, 2]",
           lambda: torch.ones(2).add_(torch.ones(3, 2)))
    x = torch.tensor([1.0, 2.0])
    assert x.eq_(1).tolist() == [1.0, 0.0] and x.dtype == torch.float32
    raises(RuntimeError, "In-place abs is not supported for complex tensors.", lambda: torch.ones(1, dtype=torch.complex64).abs_())


def test_out():
    out = torch.empty(2, dtype=torch.float64)
    assert torch.add(torch.ones(2), 1, out=out) is out and out.tolist() == [2.0, 2.0]
    raises(RuntimeError, "result type Float can't be cast to the desired output type Long",
           lambda: torch.exp(torch.ones(2), out=torch.empty(2, dtype=torch.int64)))
    raises(RuntimeError, "add(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
           "requires grad.", lambda: torch.add(torch.ones(2, requires_grad=True), 1, out=torch.empty(2)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        small = torch.empty(1)
        torch.add(torch.ones(2), 1, out=small)
    assert small.shape == (2,) and "An output with one or more elements was resized" in str(caught[0].message)


# ---- integers ----

def test_integer_division_by_zero():
    x = torch.tensor([1, 2])
    for call in (lambda: x // 0, lambda: x % 0, lambda: torch.fmod(x, 0), lambda: x // torch.tensor([1, 0]),
                 lambda: torch.div(x, 0, rounding_mode="trunc")):
        raises(RuntimeError, "ZeroDivisionError", call)
    assert (x / 0).tolist() == [math.inf, math.inf]


def test_floor_and_remainder_follow_python():
    a, b = torch.tensor([7, -7, 7, -7]), torch.tensor([2, 2, -2, -2])
    assert (a // b).tolist() == [3, -4, -4, 3]
    assert (a % b).tolist() == [1, 1, -1, -1]
    assert torch.fmod(a, b).tolist() == [1, -1, 1, -1]
    assert torch.div(a, b, rounding_mode="trunc").tolist() == [3, -3, -3, 3]
    assert (torch.tensor([7.5, -7.5]) // 2).tolist() == [3.0, -4.0]
    raises(RuntimeError, "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'foo'",
           lambda: torch.div(a, b, rounding_mode="foo"))
    x = torch.tensor([7, -7])
    assert x.div_(2, rounding_mode="floor") is x and x.tolist() == [3, -4]


def test_shifts_beyond_the_width():
    x = torch.tensor([1, -1])
    assert (x << 64).tolist() == [0, 0] and (x << -1).tolist() == [0, 0]
    assert (x >> 64).tolist() == [0, -1] and (x >> -1).tolist() == [0, -1]
    assert (~torch.tensor([True, False])).tolist() == [False, True]
    assert (~torch.tensor([0, 5])).tolist() == [-1, -6]


def test_integer_powers():
    x = torch.tensor([1, 2, -1])
    assert (x ** torch.tensor([-1, -1, -1])).tolist() == [1, 0, -1]
    raises(RuntimeError, "Integers to negative integer powers are not allowed.", lambda: x ** -1)
    assert (torch.tensor([3], dtype=torch.int8) ** 5).tolist() == [-13]


def test_alpha():
    x = torch.tensor([1, 2])
    assert torch.add(x, x, alpha=3).tolist() == [4, 8]
    raises(RuntimeError, "For integral input tensors, argument alpha must not be a floating point number.",
           lambda: torch.add(x, x, alpha=1.5))
    raises(RuntimeError, "Boolean alpha only supported for Boolean results.", lambda: torch.add(x, x, alpha=True))
    assert torch.rsub(x, 10, alpha=2).tolist() == [8, 6]


# ---- limits, choices ----

def test_clamp():
    x = torch.tensor([-1.0, 0.5, 2.0, math.nan])
    assert x.clamp(0, 1).tolist()[:3] == [0.0, 0.5, 1.0] and math.isnan(x.clamp(0, 1)[3].item())
    assert x.clamp(max=1)[:3].tolist() == [-1.0, 0.5, 1.0]
    assert x.clamp(2, 1)[:3].tolist() == [1.0, 1.0, 1.0]
    assert x.clamp(torch.tensor(0.0), torch.tensor([1.0, 0.25, 1.0, 1.0]))[:3].tolist() == [0.0, 0.25, 1.0]
    assert torch.tensor([1, 5]).clamp(0.5, 3).dtype == torch.float32
    raises(RuntimeError, "torch.clamp: At least one of 'min' or 'max' must not be None", lambda: x.clamp())
    raises(RuntimeError, "value cannot be converted to type uint8_t without overflow",
           lambda: torch.tensor([1], dtype=torch.uint8).clamp(-1, 300))
    y = torch.tensor([-1.0, 3.0])
    assert y.clamp_(0, 1) is y and y.tolist() == [0.0, 1.0]


def test_clamp_gradients():
    points = [-1.0, 0.0, 0.5, 1.0, 2.0, math.nan]
    assert gradient(lambda x: x.clamp(0, 1), points) == [[0.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
    low, high = [0.0, 0.0, 1.0], [1.0, 1.0, 0.5]
    assert gradient(torch.clamp, [-1.0, 0.5, 2.0], low, high) == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert gradient(lambda x, m: torch.clamp(x, min=m), [1.0, 2.0], [math.inf, 1.0]) == [[0, 1], [1, 0]]
    x = torch.ones(2, requires_grad=True)
    assert type(x.clamp(0, 1).grad_fn).__name__ == "ClampBackward1"
    assert type(x.clamp(x, x).grad_fn).__name__ == "ClampBackward0"


def test_extremes_share_the_gradient_of_ties():
    assert gradient(torch.maximum, [1.0, 2.0, 0.0], [1.0, 1.0, 3.0]) == [[0.5, 1, 0], [0.5, 0, 1]]
    assert gradient(torch.fmin, [1.0, math.nan], [1.0, 2.0]) == [[1, 0], [0, 1]]


def test_where():
    c, x = torch.tensor([True, False]), torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.where(c, x, 0)
    assert y.tolist() == [1.0, 0.0]
    assert [type(f[0]).__name__ for f in y.grad_fn.next_functions] == ["AccumulateGrad", "NoneType"]
    assert x.where(c, torch.tensor([5, 6])).tolist() == [1.0, 6.0]
    assert gradient(lambda a, b: torch.where(c, a, b), [1.0, 2.0], [3.0, 4.0]) == [[1, 0], [0, 1]]
    raises(RuntimeError, "where expected condition to be a boolean tensor, but got a tensor with dtype Float",
           lambda: torch.where(x, x, x))


# ---- whole tensors ----

def test_closeness():
    x = torch.tensor([1.0, math.inf, math.nan])
    assert torch.isclose(x, x).tolist() == [True, True, False]
    assert torch.isclose(x, x, equal_nan=True).tolist() == [True, True, True]
    assert torch.isclose(torch.tensor([10.0, math.inf]), torch.tensor([10.00001, -math.inf])).tolist() == [True, False]
    assert torch.allclose(torch.ones(3), torch.ones(3) + 1e-9)
    assert torch.isclose(torch.tensor([127], dtype=torch.int8), torch.tensor([-128], dtype=torch.int8)).tolist() == [False]
    raises(RuntimeError, "Float did not match Long", lambda: torch.isclose(x, torch.tensor([1, 2, 3])))
    raises(RuntimeError, "rtol must be greater than or equal to zero, but got -1", lambda: torch.isclose(x, x, rtol=-1))
    assert torch.equal(torch.tensor([1.0]), torch.tensor([1])) and not torch.equal(x, x) and not torch.equal(x, x[:1])


# ---- single functions ----

def test_rounding_to_decimals():
    x = torch.tensor([1.2345, -2.5, 55.0])
    assert x.round(decimals=2).tolist() == pytest.approx([1.23, -2.5, 55.0])
    assert x.round(decimals=-1).tolist() == [0.0, 0.0, 60.0]
    assert torch.tensor([0.5, 1.5, 2.5]).round().tolist() == [0.0, 2.0, 2.0]
    raises(NotImplementedError, "\"round_cpu\" not implemented for 'Long'", lambda: torch.round(torch.tensor([1]), decimals=2))


def test_nan_to_num_and_frexp():
    x = torch.tensor([math.nan, math.inf, -math.inf, 1.0])
    big = torch.finfo(torch.float32).max
    assert x.nan_to_num().tolist() == [0.0, big, -big, 1.0]
    assert x.nan_to_num(1.0, 2.0, 3.0).tolist() == [1.0, 2.0, 3.0, 1.0]
    mantissa, exponent = torch.frexp(torch.tensor([8.0, -0.75, 0.0]))
    assert mantissa.tolist() == [0.5, -0.75, 0.0] and exponent.tolist() == [4, 0, 0] and exponent.dtype == torch.int32


def test_nextafter_of_halves():
    for dtype, step, top in ((torch.float16, 2.0 ** -24, 65504.0), (torch.bfloat16, 2.0 ** -133, 2.0 ** 128 - 2.0 ** 120)):
        a = torch.tensor([0.0, 0.0, 1.0, 1.0, math.inf, top], dtype=dtype)
        b = torch.tensor([1.0, -1.0, 2.0, 0.0, 0.0, math.inf], dtype=dtype)
        eps = torch.finfo(dtype).eps
        assert torch.nextafter(a, b).tolist() == [step, -step, 1 + eps, 1 - eps / 2, top, math.inf]


def test_missing_derivatives_raise_in_backward():
    x = torch.ones(2, requires_grad=True)
    y = torch.floor_divide(x, 2)
    assert type(y.grad_fn).__name__ == "NotImplemented"
    raises(RuntimeError, "derivative for aten::floor_divide is not implemented", y.sum().backward)


def test_numbers_keep_their_precision_in_recorded_gradients():
    x = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad((x ** 2.7).sum(), x, create_graph=True)
    assert g.item() == pytest.approx(2.7 * 2.0 ** 1.7, rel=1e-14)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert h.item() == pytest.approx(2.7 * 1.7 * 2.0 ** 0.7, rel=1e-14)
    (s,) = torch.autograd.grad(F.elu(-x, 0.7).sum(), x, create_graph=True)
    assert s.item() == pytest.approx(-0.7 * math.exp(-2), rel=1e-14)


@pytest.mark.parametrize("exponent, node", [(0, "PowBackward0"), (1, "PowBackward0"), (2, "PowBackward0"), (0.5, "PowBackward0"),
                                            (-0.5, "PowBackward0"), (-1, "PowBackward0"), (2.5, "PowBackward0")])
def test_powers_with_formulas_of_their_own(exponent, node):
    x = torch.tensor([0.5, 4.0], dtype=torch.float64, requires_grad=True)
    y = x ** exponent
    assert type(y.grad_fn).__name__ == node and len(y.grad_fn.next_functions) == 1
    assert y.tolist() == pytest.approx([v ** exponent for v in (0.5, 4.0)], rel=1e-15)
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([exponent * v ** (exponent - 1) for v in (0.5, 4.0)], rel=1e-15)


def test_complex_gradients_are_conjugated():
    z = torch.tensor([1 + 2j], dtype=torch.complex128, requires_grad=True)
    (z * z).real.sum().backward()
    assert z.grad.tolist() == [2 - 4j]
    z.grad = None
    z.abs().sum().backward()
    assert z.grad.tolist() == [pytest.approx((1 + 2j) / abs(1 + 2j))]


def test_in_place_activations_take_their_gradient_from_the_result():
    x = torch.tensor([-1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = F.elu(x.clone(), 0.5, inplace=True)
    assert type(y.grad_fn).__name__ == "EluBackward1"
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([0.5 * math.exp(-1), 1.0])
    raises(RuntimeError, "In-place elu backward calculation is triggered with a negative slope which is not supported. This is caused "
           "by calling in-place forward function with a negative slope, please call out-of-place version instead.",
           lambda: F.elu(x.clone(), -0.5, inplace=True))
    raises(RuntimeError, "approximate argument must be either none or tanh.", lambda: F.gelu(x, approximate="foo"))


def test_rrelu_draws_for_negative_elements_only():
    torch.manual_seed(0)
    z = torch.tensor([-1.0, 2.0, -3.0, 0.0, -0.5], requires_grad=True)
    y = F.rrelu(z, training=True)
    assert y.tolist() == pytest.approx([-0.3270943754, 2.0, -0.8173874153, 0.0, -0.1584112197], abs=2e-7)
    assert type(y.grad_fn).__name__ == "RreluWithNoiseBackward0"
    y.sum().backward()
    assert z.grad.tolist() == pytest.approx([0.3270943754, 1.0, 0.2724624717, 0.2207047798, 0.3168224394], abs=2e-7)
    assert F.rrelu(z).tolist() == pytest.approx([-11 / 48, 2.0, -33 / 48, 0.0, -11 / 96])
    raises(RuntimeError, "Lower bound should be less than or equal to the upper bound", lambda: torch.rrelu(z, 0.5, 0.1))


def test_incomplete_gamma_and_polynomials():
    a, x = torch.tensor([2.0, 0.5, 3.0, 0.0], dtype=torch.float64), torch.tensor([1.0, 0.5, 10.0, 1.0], dtype=torch.float64)
    assert torch.igamma(a, x).tolist() == pytest.approx([1 - 2 * math.exp(-1), math.erf(math.sqrt(0.5)), 1 - 61 * math.exp(-10), 1.0])
    assert torch.special.gammaincc(a, x).tolist() == pytest.approx([2 * math.exp(-1), math.erfc(math.sqrt(0.5)), 61 * math.exp(-10), 0.0])
    t = torch.tensor([0.3, 1.0, -1.0, 2.0])
    assert torch.special.chebyshev_polynomial_t(t, torch.tensor([-1.0, 2.7, 5.0, 8.0])).tolist() == [0.0, 1.0, -1.0, 18817.0]
    assert torch.special.legendre_polynomial_p(0.5, torch.tensor([2.0, 3.0])).tolist() == pytest.approx([-0.125, -0.4375])
    assert torch.special.hermite_polynomial_h(torch.tensor([2]), 3).tolist() == [40.0]


def test_reflected_methods_of_the_class_are_methods_of_their_own():
    a, b = torch.tensor([5.0], requires_grad=True), torch.tensor([2.0])
    out = torch.Tensor.__rsub__(a, b)
    assert out.item() == -3 and type(out.grad_fn).__name__ == "RsubBackward0"
    assert torch.Tensor.__radd__(a, 1).item() == 6
    with pytest.raises(TypeError, match="descriptor '__rmul__' for 'torch._C.TensorBase' objects doesn't apply to a 'int'"):
        torch.Tensor.__rmul__(2, a)
    assert (3 - a).item() == -2 and (2 * a).item() == 10

    class Mine(torch.Tensor):
        def __radd__(self, other):
            return "mine"

    assert Mine.__radd__(torch.tensor([1.0]).as_subclass(Mine), 1) == "mine"
    assert Mine.__rmul__(a, 2).item() == 10
    assert torch.nn.Parameter.__radd__(a, 1).item() == 6


def test_old_division_methods():
    x = torch.tensor([4.0])
    assert x.__div__(2).item() == 2 and x.__rdiv__(2).item() == 0.5
