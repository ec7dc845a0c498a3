"""Result types and refusals of pointwise operators, recorded from PyTorch 2.13.

One line per operator: the result type for each element type, `=` where it is the same, `!` where the kernel named at the end
of the line is not implemented, `#n` where TEXTS[n] is raised.
"""
import pytest

import hwaro as torch

NAMES = "b u8 i8 i16 i32 i64 f16 bf16 f32 f64 c64 c128".split()
TYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32,
         torch.float64, torch.complex64, torch.complex128]
WORDS = "Bool Byte Char Short Int Long Half BFloat16 Float Double ComplexFloat ComplexDouble".split()

UNARY = """
abs: ! = = = = = = = = = f32 f64 "abs_cpu"
acos: f32 f32 f32 f32 f32 f32 = = = = = =
acosh: f32 f32 f32 f32 f32 f32 = = = = = =
angle: f32 f32 f32 f32 f32 f32 = = = = f32 f64
asin: f32 f32 f32 f32 f32 f32 = = = = = =
asinh: f32 f32 f32 f32 f32 f32 = = = = = =
atan: f32 f32 f32 f32 f32 f32 = = = = = =
atanh: f32 f32 f32 f32 f32 f32 = = = = = =
bitwise_not: = = = = = = ! ! ! ! ! ! "bitwise_not_cpu"
ceil: ! = = = = = = = = = #0 #0 "ceil_vml_cpu"
conj_physical: = = = = = = = = = = = =
cos: f32 f32 f32 f32 f32 f32 = = = = = =
cosh: f32 f32 f32 f32 f32 f32 = = = = = =
deg2rad: f32 f32 f32 f32 f32 f32 = = = = #1 #1
digamma: f32 f32 f32 f32 f32 f32 = = = = ! ! "digamma"
erf: f32 f32 f32 f32 f32 f32 = = = = ! ! "erf_vml_cpu"
erfc: f32 f32 f32 f32 f32 f32 = = = = ! ! "erfc_vml_cpu"
erfinv: f32 f32 f32 f32 f32 f32 = = = = ! ! "erfinv_vml_cpu"
exp: f32 f32 f32 f32 f32 f32 = = = = = =
exp2: f32 f32 f32 f32 f32 f32 = = = = = =
expm1: f32 f32 f32 f32 f32 f32 = = = = = =
floor: ! = = = = = = = = = #2 #2 "floor_vml_cpu"
frac: ! ! ! ! ! ! = = = = ! ! "frac_cpu"
i0: f32 f32 f32 f32 f32 f32 = = = = ! ! "i0_vml_cpu"
isfinite: = b b b b b b b b b b b
isinf: = b b b b b b b b b b b
isnan: = b b b b b b b b b b b
isneginf: = b b b b b b b b b #3 #3
isposinf: = b b b b b b b b b #4 #4
isreal: = b b b b b b b b b b b
lgamma: f32 f32 f32 f32 f32 f32 = = = = ! ! "lgamma_vml_cpu"
log: f32 f32 f32 f32 f32 f32 = = = = = =
log10: f32 f32 f32 f32 f32 f32 = = = = = =
log1p: f32 f32 f32 f32 f32 f32 = = = = = =
log2: f32 f32 f32 f32 f32 f32 = = = = = =
logical_not: = b b b b b b b b b b b
logit: f32 f32 f32 f32 f32 f32 = = = = ! ! "logit_cpu"
nan_to_num: = = = = = = = = = = = =
neg: #5 = = = = = = = = = = =
positive: #6 = = = = = = = = = = =
rad2deg: f32 f32 f32 f32 f32 f32 = = = = #7 #7
reciprocal: f32 f32 f32 f32 f32 f32 = = = = = =
relu: #8 = = = = = = = = = #9 #9
round: ! = = = = = = = = = ! ! "round_vml_cpu"
rsqrt: f32 f32 f32 f32 f32 f32 = = = = = =
sgn: = = = = = = = = = = = =
sigmoid: f32 f32 f32 f32 f32 f32 = = = = = =
sign: = = = = = = = = = = #10 #10
signbit: = b b b b b b b b b #11 #11
sin: f32 f32 f32 f32 f32 f32 = = = = = =
sinc: f32 f32 f32 f32 f32 f32 = = = = = =
sinh: f32 f32 f32 f32 f32 f32 = = = = = =
sqrt: f32 f32 f32 f32 f32 f32 = = = = = =
square: i64 = = = = = = = = = = =
tan: f32 f32 f32 f32 f32 f32 = = = = = =
tanh: f32 f32 f32 f32 f32 f32 = = = = = =
trunc: ! = = = = = = = = = #12 #12 "trunc_vml_cpu"
special.entr: f32 f32 f32 f32 f32 f32 = = = = ! ! "entr_cpu"
special.erfcx: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "erfcx_cpu"
special.i0e: f32 f32 f32 f32 f32 f32 = = = = ! ! "i0e_cpu"
special.i1: f32 f32 f32 f32 f32 f32 = = = = ! ! "i1_cpu"
special.i1e: f32 f32 f32 f32 f32 f32 = = = = ! ! "i1e_cpu"
special.log_ndtr: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "log_ndtr_cpu"
special.ndtri: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "ndtri_cpu"
special.bessel_j0: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "bessel_j0_cpu"
special.modified_bessel_k0: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "modified_bessel_k0_cpu"
nn.functional.relu6: #13 = = = = = = = = = #9 #9
nn.functional.gelu: ! ! ! ! ! ! = = = = ! ! "GeluKernelImpl"
nn.functional.silu: ! ! ! ! ! ! = = = = = = "silu_cpu"
nn.functional.mish: ! ! ! ! ! ! = = = = ! ! "mish_cpu"
nn.functional.elu: ! ! ! ! ! ! = = = = ! ! "elu_cpu"
nn.functional.celu: ! ! ! ! ! ! = = = = ! ! "elu_cpu"
nn.functional.leaky_relu: ! ! ! ! ! ! = = = = ! ! "leaky_relu_cpu"
nn.functional.hardtanh: #13 #14 = = = = = = = = #9 #9
nn.functional.hardswish: ! ! ! ! ! ! = = = = ! ! "hardswish_cpu"
nn.functional.hardsigmoid: ! ! ! ! ! ! = = = = ! ! "hardsigmoid_cpu"
nn.functional.softplus: ! ! ! ! ! ! = = = = ! ! "softplus_cpu"
nn.functional.logsigmoid: ! ! ! ! ! ! = = = = ! ! "log_sigmoid_cpu"
nn.functional.hardshrink: ! ! ! ! ! ! = = = = ! ! "hardshrink_cpu"
nn.functional.softsign: ! f32 f32 f32 f32 f32 = = = = = = "abs_cpu"
nn.functional.tanhshrink: #15 f32 f32 f32 f32 f32 = = = = = =
"""
BINARY = """
add: = = = = = = = = = = = =
sub: #16 = = = = = = = = = = =
mul: = = = = = = = = = = = =
div: f32 f32 f32 f32 f32 f32 = = = = = =
floor_divide: ! = = = = = = = = = ! ! "div_floor_cpu"
remainder: ! = = = = = = = = = ! ! "remainder_cpu"
fmod: ! = = = = = = = = = ! ! "fmod_cpu"
pow: ! = = = = = = = = = = = "pow"
float_power: f64 f64 f64 f64 f64 f64 f64 f64 f64 = c128 =
eq: = b b b b b b b b b b b
ne: = b b b b b b b b b b b
lt: = b b b b b b b b b ! ! "lt_cpu"
le: = b b b b b b b b b ! ! "le_cpu"
gt: = b b b b b b b b b ! ! "gt_cpu"
ge: = b b b b b b b b b ! ! "ge_cpu"
maximum: = = = = = = = = = = #17 #17
minimum: = = = = = = = = = = #18 #18
fmax: = = = = = = = = = = #19 #19
fmin: = = = = = = = = = = #20 #20
logical_and: = b b b b b b b b b b b
logical_or: = b b b b b b b b b b b
logical_xor: = b b b b b b b b b b b
bitwise_and: = = = = = = ! ! ! ! ! ! "bitwise_and_cpu"
bitwise_or: = = = = = = ! ! ! ! ! ! "bitwise_or_cpu"
bitwise_xor: = = = = = = ! ! ! ! ! ! "bitwise_xor_cpu"
bitwise_left_shift: ! = = = = = ! ! ! ! ! ! "lshift_cpu"
bitwise_right_shift: ! = = = = = ! ! ! ! ! ! "rshift_cpu"
atan2: f32 f32 f32 f32 f32 f32 = = = = ! ! "atan2_cpu"
hypot: ! ! ! ! ! ! = = = = ! ! "hypot_cpu"
copysign: f32 f32 f32 f32 f32 f32 = = = = ! ! "copysign_cpu"
nextafter: ! ! ! ! ! ! = = = = ! ! "nextafter_cpu"
heaviside: = = = = = = = = = = #21 #21
logaddexp2: ! ! ! ! ! ! = = = = ! ! "logaddexp2_cpu"
xlogy: f32 f32 f32 f32 f32 f32 = = = = ! ! "xlogy_cpu"
special.xlog1py: f32 f32 f32 f32 f32 f32 = = = = ! ! "xlog1py_cpu"
gcd: ! = = = = = ! ! ! ! ! ! "gcd_cpu"
lcm: ! = = = = = ! ! ! ! ! ! "lcm_cpu"
ldexp: f32 f32 f32 f32 f32 f32 = = = = = =
special.zeta: f32 f32 f32 f32 f32 f32 ! ! = = ! ! "zeta_cpu"
rsub: #16 = = = = = = = = = = =
clamp_min: = = = = = = = = = = ! ! "maximum_cpu"
clamp_max: = = = = = = = = = = ! ! "minimum_cpu"
isclose: = b b b b b b b b b b b
"""
TEXTS = [
    ('NotImplementedError', 'ceil is not supported for complex inputs'),
    ('RuntimeError', 'deg2rad is not supported for complex tensors.'),
    ('NotImplementedError', 'floor is not supported for complex inputs'),
    ('RuntimeError', 'isneginf does not support complex inputs.'),
    ('RuntimeError', 'isposinf does not support complex inputs.'),
    ('RuntimeError',
     'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, '
     'use the `~` or `logical_not()` operator instead.'),
    ('RuntimeError', 'The `+` operator, on a bool tensor is not supported.'),
    ('RuntimeError', 'rad2deg is not supported for complex tensors.'),
    ('RuntimeError', 'Boolean inputs not supported for relu'),
    ('NotImplementedError', 'clamp is not supported for complex types'),
    ('NotImplementedError',
     'Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.'),
    ('NotImplementedError', 'signbit is not implemented for complex tensors.'),
    ('NotImplementedError', 'trunc is not supported for complex inputs'),
    ('RuntimeError', 'Bool inputs not supported for hardtanh'),
    ('RuntimeError', 'cannot do hardtanh on an unsigned type with negative limits'),
    ('RuntimeError',
     'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a '
     'mask, use the `~` or `logical_not()` operator instead.'),
    ('RuntimeError',
     'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or '
     '`logical_xor()` operator instead.'),
    ('RuntimeError', 'maximum not implemented for complex tensors.'),
    ('RuntimeError', 'minimum not implemented for complex tensors.'),
    ('RuntimeError', 'fmax not implemented for complex tensors.'),
    ('RuntimeError', 'fmin not implemented for complex tensors.'),
    ('RuntimeError', 'heaviside is not yet implemented for complex tensors.'),
]


def rows(table):
    return [line for line in table.strip().split("\n")]


def find(path):
    function = torch
    for part in path.split("."):
        function = getattr(function, part)
    return function


def check(line, call):
    name, _, rest = line.partition(": ")
    cells, _, kernel = rest.partition(' "')
    for dtype, short, word, cell in zip(TYPES, NAMES, WORDS, cells.split()):
        x = torch.ones(3, dtype=dtype)
        if cell in "!" or cell.startswith("#"):
            error, text = ("NotImplementedError", f'"{kernel[:-1]}" not implemented for \'{word}\'') if cell == "!" else TEXTS[int(cell[1:])]
            with pytest.raises({"RuntimeError": RuntimeError, "NotImplementedError": NotImplementedError}[error]) as raised:
                call(find(name), x)
            assert str(raised.value).split("\n")[0] == text, (name, short)
            assert type(raised.value).__name__ == error, (name, short)
        else:
            expected = dtype if cell == "=" else TYPES[NAMES.index(cell)]
            assert call(find(name), x).dtype == expected, (name, short)


@pytest.mark.parametrize("line", rows(UNARY), ids=lambda line: line.split(":")[0])
def test_unary(line):
    check(line, lambda f, x: f(x))


@pytest.mark.parametrize("line", rows(BINARY), ids=lambda line: line.split(":")[0])
def test_binary(line):
    check(line, lambda f, x: f(x, x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("value", [0.1, 0.3, 1000.1])
def test_halves_are_compared_with_what_a_number_is_worth_as_one(dtype, value):
    x = torch.tensor([value, value * 2], dtype=dtype)
    for v in (value, torch.tensor(value), torch.tensor(value, dtype=torch.float64)):
        assert (x == v).tolist() == [True, False]
        assert (x <= v).tolist() == [True, False]
        assert (x > v).tolist() == [False, True]
        assert (v >= x).tolist() == [True, False]
