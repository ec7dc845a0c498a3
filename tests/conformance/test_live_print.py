"""What prints, prints as in PyTorch: random tensors of every type and shape, under changing print options."""

import random

import pytest

from both import DTYPES, assert_none, assert_same, parting

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1e-8,
    1e8,
    123456.0,
    3.14159265,
    1e-4,
    99999.5,
    1e38,
    -1e-38,
    float("inf"),
    float("-inf"),
    float("nan"),
    1000.0,
    2.0,
]
SHAPES = [
    (),
    (0,),
    (1,),
    (3,),
    (7,),
    (40,),
    (1001,),
    (2, 3),
    (0, 3),
    (3, 0, 2),
    (5, 1),
    (2, 3, 4),
    (2, 1, 2, 3),
    (1, 30),
    (30, 40),
    (11, 101),
    (2, 2, 2, 2, 2),
]


def random_values(rng, count):
    """Numbers of one of several sizes, so that each way of formatting comes up."""
    kind = rng.choice(["small", "whole", "wide", "special", "tiny", "huge", "constant"])
    make = {
        "small": lambda: rng.uniform(-3, 3),
        "whole": lambda: float(rng.randrange(-200, 200)),
        "wide": lambda: rng.uniform(-1, 1) * 10.0 ** rng.randrange(-6, 7),
        "special": lambda: rng.choice(SPECIAL),
        "tiny": lambda: rng.uniform(-1e-6, 1e-6),
        "huge": lambda: rng.uniform(-1e9, 1e9),
        "constant": lambda: 2.5,
    }[kind]
    return [make() for _ in range(count)]


def random_case(rng):
    shape = rng.choice(SHAPES)
    count = 1
    for size in shape:
        count *= size
    dtype = rng.choice(DTYPES)
    values = random_values(rng, count)
    if dtype not in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128"):
        values = [int(v) % 100 if v == v and abs(v) != float("inf") else 7 for v in values]
    if dtype.startswith("complex"):
        values = [complex(a, b) for a, b in zip(values, random_values(rng, count))]
    options = rng.choice(
        [
            {},
            {},
            {},
            {"precision": 2},
            {"precision": 8},
            {"sci_mode": True},
            {"sci_mode": False},
            {"linewidth": 40},
            {"edgeitems": 1, "threshold": 5},
            {"profile": "full"},
            {"profile": "short"},
        ]
    )
    return shape, dtype, values, options, rng.choice(["plain", "plain", "grad", "function", "transposed", "view"])


def shown(lib, shape, dtype, values, options, kind):
    lib.set_printoptions(profile="default")
    lib.set_printoptions(**options)
    try:
        x = lib.tensor(values, dtype=getattr(lib, dtype)).reshape(shape)
        if kind in ("grad", "function") and (
            dtype.startswith("float") or dtype.startswith("complex") or dtype == "bfloat16"
        ):
            x = x.requires_grad_() if kind == "grad" else x.requires_grad_() * 1
        if kind == "transposed" and len(shape) > 1:
            x = x.transpose(0, -1)
        if kind == "view" and len(shape) and shape[0] > 1:
            x = x[1:]
        return [repr(x), str(x), f"{x}", "".join(["a", str(x.shape)])]
    finally:
        lib.set_printoptions(profile="default")


@pytest.mark.parametrize("seed", range(20))
def test_random_tensors(seed):
    rng = random.Random(seed)
    cases = [random_case(rng) for _ in range(100)]
    found = [
        (case[0], case[1], case[2][:4], *case[3:], part) for case in cases for part in [parting(shown, *case)] if part
    ]
    assert_none(found, len(cases))


@pytest.mark.parametrize("dtype", DTYPES)
def test_single_numbers_and_formats(dtype):
    values = (
        [0, 1, -1, 3.5, 1e-9, 1e10, float("inf"), float("nan")]
        if "float" in dtype or "complex" in dtype
        else [0, 1, 100]
    )

    def program(lib):
        tensors = [lib.tensor(v, dtype=getattr(lib, dtype)) for v in values]
        return [[repr(t), str(t), f"{t}", str(t.item())] for t in tensors] + [
            [repr(t.reshape(1)), repr(t.reshape(1, 1))] for t in tensors
        ]

    assert_same(program)


@pytest.mark.parametrize("spec", [".2f", "8.3f", "e", "d", ">10", "", "x", ".3"])
def test_format_specifications(spec):
    assert_same(lambda lib: format(lib.tensor(7.25), spec))
    assert_same(lambda lib: format(lib.tensor(7), spec))
    assert_same(lambda lib: format(lib.ones(2), spec))


def test_other_objects():
    assert_same(
        lambda lib: [
            repr(lib.Size([2, 3])),
            repr(lib.float32),
            repr(lib.device("cpu")),
            repr(lib.device("cuda", 1)),
            repr(lib.strided),
            repr(lib.channels_last),
            repr(lib.ones(3).sort()),
            repr(lib.ones(2, 3).max(0)),
            repr(lib.nn.Parameter(lib.ones(2))),
            repr(lib.finfo(lib.float32)),
            repr(lib.iinfo(lib.int8)),
            repr(lib.empty(2, 3, device="meta")),
            repr(lib.ones(2, dtype=lib.float64, requires_grad=True) * 2),
            repr([lib.ones(1), lib.zeros(2)]),
            repr(lib.nn.Parameter(lib.zeros(0))),
            str(lib.ones(2).storage().dtype),
            repr(lib.tensor([1 + 2j]).conj()),
        ]
    )
