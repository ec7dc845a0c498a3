"""Result types and values over all pairs of types: tensors with dimensions, 0-d tensors and Python numbers."""

import itertools

import numpy as np
import pytest

from both import DTYPES, assert_none, parting

OPERATORS = [
    "add",
    "sub",
    "mul",
    "div",
    "floor_divide",
    "remainder",
    "fmod",
    "pow",
    "maximum",
    "minimum",
    "eq",
    "lt",
    "ge",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "logical_and",
    "atan2",
    "hypot",
    "copysign",
    "fmax",
    "float_power",
    "xlogy",
    "nextafter",
    "gcd",
    "lcm",
    "heaviside",
    "bitwise_left_shift",
    "ldexp",
    "logaddexp",
    "true_divide",
    "rsub",
]
NUMBERS = [True, 3, 2.5, 1 + 2j, -1, 300]
SHAPES = [(3,), ()]


def operand(lib, dtype, shape, start):
    """Small values that every type holds, none of them zero."""
    count = int(np.prod(shape))
    return (lib.arange(count) % 5 + start).reshape(shape).to(getattr(lib, dtype))


def findings(cases, program):
    found = [(case, part) for case in cases for part in [parting(program, *case)] if part]
    assert_none(found, len(cases))


@pytest.mark.parametrize("name", OPERATORS)
def test_pairs_of_tensors(name):
    cases = [(a, b, s, t) for a, b in itertools.product(DTYPES, DTYPES) for s, t in itertools.product(SHAPES, SHAPES)]
    findings(cases, lambda lib, a, b, s, t: getattr(lib, name)(operand(lib, a, s, 1), operand(lib, b, t, 2)))


@pytest.mark.parametrize("name", OPERATORS)
def test_numbers_on_the_right(name):
    cases = [(a, s, n) for a in DTYPES for s in SHAPES for n in NUMBERS]
    findings(cases, lambda lib, a, s, n: getattr(lib, name)(operand(lib, a, s, 1), n))


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "==", "<", "@"])
def test_operators_of_python(symbol):
    run = eval(f"lambda x, y: x {symbol} y")  # noqa: S307  (the symbol is from the list above)
    cases = [(a, n, side) for a in DTYPES for n in NUMBERS for side in "lr"]
    findings(
        cases,
        lambda lib, a, n, side: run(operand(lib, a, (3,), 1), n) if side == "l" else run(n, operand(lib, a, (3,), 1)),
    )


@pytest.mark.parametrize(
    "name",
    [
        "add_",
        "sub_",
        "mul_",
        "div_",
        "pow_",
        "remainder_",
        "floor_divide_",
        "fmod_",
        "bitwise_and_",
        "copy_",
        "eq_",
        "logical_or_",
    ],
)
def test_in_place_keeps_the_type_or_raises(name):
    cases = [
        (a, b, s, t) for a, b in itertools.product(DTYPES, DTYPES) for s, t in [((3,), (3,)), ((3,), ()), ((), ())]
    ]
    findings(cases, lambda lib, a, b, s, t: getattr(operand(lib, a, s, 1), name)(operand(lib, b, t, 2)))
    cases = [(a, n) for a in DTYPES for n in NUMBERS]
    findings(cases, lambda lib, a, n: getattr(operand(lib, a, (3,), 1), name)(n))


@pytest.mark.parametrize("name", ["result_type", "promote_types", "can_cast"])
def test_queries(name):
    cases = list(itertools.product(DTYPES, DTYPES))
    findings(
        cases,
        lambda lib, a, b: (
            getattr(lib, name)(getattr(lib, a), getattr(lib, b))
            if name != "result_type"
            else [lib.result_type(operand(lib, a, s, 1), operand(lib, b, t, 1)) for s in SHAPES for t in SHAPES]
        ),
    )


def test_results_types_with_numbers():
    cases = [(a, n, d) for a in DTYPES for n in NUMBERS for d in ("float32", "float64", "float16")]

    def program(lib, a, n, default):
        before = lib.get_default_dtype()
        lib.set_default_dtype(getattr(lib, default))
        try:
            return [
                lib.result_type(operand(lib, a, (3,), 1), n),
                lib.result_type(n, operand(lib, a, (), 1)),
                operand(lib, a, (3,), 1) + n,
                operand(lib, a, (3,), 1) / 2,
            ]
        finally:
            lib.set_default_dtype(before)

    findings(cases, program)


@pytest.mark.parametrize(
    "name",
    [
        "sqrt",
        "exp",
        "sin",
        "abs",
        "neg",
        "sign",
        "floor",
        "round",
        "reciprocal",
        "sigmoid",
        "logical_not",
        "bitwise_not",
        "square",
        "isnan",
        "signbit",
        "relu",
        "angle",
        "sum",
        "prod",
        "mean",
        "cumsum",
        "max",
        "argmax",
        "std",
        "any",
        "all",
        "sort",
        "softmax",
    ],
)
def test_one_operand(name):
    dims = {"cumsum": (0,), "softmax": (0,)}.get(name, ())
    findings(
        [(a, s) for a in DTYPES for s in SHAPES], lambda lib, a, s: getattr(lib, name)(operand(lib, a, s, 1), *dims)
    )


@pytest.mark.parametrize("target", DTYPES)
def test_casts_of_ordinary_and_special_values(target):
    values = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 127.0, 128.0, 255.0, 256.0, 300.0, 32768.0, 65504.0, 65536.0, 1e6]
    special = [float("inf"), float("-inf"), float("nan"), 1e30, -1e30]
    for source in ("float32", "float64", "float16", "bfloat16"):
        kept = values + (
            special
            if target in ("bool", "float16", "bfloat16", "float32", "float64", "complex64", "complex128", "uint8")
            else []
        )
        found = parting(lambda lib: lib.tensor(kept, dtype=getattr(lib, source)).to(getattr(lib, target)))
        assert found is None, (source, found)
    for source in ("int64", "int32", "int16", "uint8", "int8", "bool"):
        whole = [0, 1, -1, 127, 128, 255, 256, 300, -300, 32768, 65536, 10**6]
        assert parting(lambda lib: lib.tensor(whole).to(getattr(lib, source)).to(getattr(lib, target))) is None, source


def test_integers_wrap_and_divisions_by_zero_raise():
    for dtype in ("uint8", "int8", "int16", "int32", "int64"):
        for program in (
            lambda lib: lib.tensor([250, 100, -3]).to(getattr(lib, dtype)) + 300,
            lambda lib: lib.tensor([100, 7]).to(getattr(lib, dtype)) * 77,
            lambda lib: lib.tensor([1, 2]).to(getattr(lib, dtype)) // 0,
            lambda lib: lib.tensor([1, 2]).to(getattr(lib, dtype)) % 0,
            lambda lib: lib.tensor([1, 2]).to(getattr(lib, dtype)) / 0,
            lambda lib: lib.tensor([2, 3]).to(getattr(lib, dtype)) ** -1,
            lambda lib: lib.tensor([2, 3]).to(getattr(lib, dtype)) ** lib.tensor(40),
            lambda lib: lib.tensor([5, 6]).to(getattr(lib, dtype)).div_(2),
            lambda lib: lib.tensor([1, 3]).to(getattr(lib, dtype)) << 70,
            lambda lib: lib.tensor([-8, 9]).to(getattr(lib, dtype)) >> 70,
        ):
            assert parting(program) is None, (dtype, parting(program))
