"""repr, str and format of tensors that hypothesis thinks up, with PyTorch beside Hwaro.

HWARO_REPR_CASES says how many tensors (400 in CI).
"""

import os

import hypothesis
import hypothesis.strategies as st
import numpy
import pytest

from both import DTYPES, assert_same, parting

CASES = int(os.environ.get("HWARO_REPR_CASES", "400"))
FLOATING = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")

magnitudes = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.floats(-3, 3, allow_subnormal=False),
    st.integers(-(10**6), 10**6).map(float),
    st.sampled_from(
        [0.0, -0.0, 1.0, -1.0, 0.1, 1e-4, 9.9999e-5, 1e-8, 1e5, 99999.5, 1e8, 1e16, 1e-38, 1e38, 65504.0, 0.99995]
        + [float("nan"), float("inf"), float("-inf"), 1000.0, 999.99995, 123456.789, 5e-324, 1.17549435e-38]
    ),
)
sizes = st.one_of(
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from([[], [1], [7], [40], [1001], [2, 600], [30, 40], [11, 101], [1, 1, 1, 1, 1], [0, 3], [3, 0, 2], [1, 30]]),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 10),
        "threshold": st.sampled_from([0, 5, 20, 1000, float("inf")]),
        "edgeitems": st.integers(1, 5),
        "linewidth": st.sampled_from([20, 40, 80, 120, 1000]),
        "sci_mode": st.sampled_from([True, False, None]),
        "profile": st.sampled_from(["default", "short", "full"]),
    },
)


@st.composite
def tensors(draw):
    """(shape, dtype, values, kind): a few drawn values fill the tensor again and again."""
    shape, dtype = draw(sizes), draw(st.sampled_from(DTYPES))
    count = int(numpy.prod(shape))
    scale = draw(st.sampled_from([1.0, 1.0, 1e-6, 1e-3, 1e3, 1e7]))
    if dtype == "bool":
        element = st.booleans()
    elif dtype in FLOATING:
        element = magnitudes.map(lambda v: v * scale)
        if dtype.startswith("complex"):
            element = st.builds(complex, element, element)
    else:
        info = numpy.iinfo(dtype)
        element = st.one_of(st.integers(info.min, info.max), st.integers(0, 9))
    few = draw(st.lists(element, min_size=1, max_size=12)) if count else [0]
    values = [few[i % len(few)] for i in range(count)]
    kind = draw(st.sampled_from(["plain", "plain", "leaf", "result", "transposed", "sliced", "conj", "meta"]))
    return shape, dtype, values, kind


def shown(lib, case, printing):
    shape, dtype, values, kind = case
    lib.set_printoptions(profile="default", sci_mode=None)
    lib.set_printoptions(**printing)
    try:
        with numpy.errstate(all="ignore"):
            wide = "complex128" if dtype.startswith("complex") else "float64" if dtype in FLOATING else dtype
            x = lib.tensor(numpy.array(values, dtype=wide).reshape(shape)).to(getattr(lib, dtype))
        if kind in ("leaf", "result") and dtype in FLOATING:
            x = x.requires_grad_() if kind == "leaf" else x.requires_grad_().clone()
        elif kind == "transposed" and len(shape) > 1:
            x = x.transpose(0, -1)
        elif kind == "sliced" and len(shape) and shape[0] > 1:
            x = x[::2]
        elif kind == "conj" and dtype.startswith("complex"):
            x = x.conj()
        elif kind == "meta":
            x = x.to("meta")
        return [repr(x), str(x), f"{x}" if x.dim() else "", f"{x!r}", repr([x])]
    finally:
        lib.set_printoptions(profile="default", sci_mode=None)


@hypothesis.settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(tensors(), options)
def test_tensors_print_as_in_pytorch(case, printing):
    found = parting(shown, case, printing)
    assert found is None, found


NUMBERS = [0, 1, -1, 7, 2.5, -0.125, 1e10, 1e-7, float("nan"), float("inf"), True, 12345.678, 3 - 4j]
SPECS = ["", ".2f", "8.3f", "e", ".1e", "g", "d", ">10", "<8", "^9", "+", "x", ".3", "%", "08.2f", ",", "s", "5d"]


@pytest.mark.parametrize("spec", SPECS)
def test_formats(spec):
    for number in NUMBERS:
        assert_same(lambda lib, number=number: format(lib.tensor(number), spec))
    assert_same(lambda lib: format(lib.ones(2), spec))


@pytest.mark.parametrize("dtype", DTYPES)
def test_named_results(dtype):
    def program(lib):
        x = lib.tensor([[3, 1, 2], [0, 5, 4]]).to(getattr(lib, dtype))
        out = []
        for name, arguments in (
            ("sort", (1,)), ("max", (1,)), ("min", (0,)), ("topk", (2,)), ("kthvalue", (1,)), ("median", (1,)),
            ("mode", (1,)), ("cummax", (1,)), ("cummin", (0,)), ("aminmax", ()), ("nanmedian", (1,)), ("frexp", ()),
        ):  # fmt: skip
            try:
                r = getattr(lib, name)(x, *arguments)
            except (RuntimeError, NotImplementedError):
                continue
            out += [repr(r), str(r), f"{r}", type(r).__name__, str(type(r)), len(r), hasattr(r, "_fields")]
            out += [repr(r[0]), repr(tuple(r)), isinstance(r, tuple), r.n_fields, r.n_sequence_fields, r.n_unnamed_fields]
        return out

    assert_same(program)


def test_other_objects():
    def program(lib):
        size = lib.Size([2, 3])
        values = [size, lib.Size([]), lib.Size([1]), size + (4,), size[1:], lib.device("cpu"), lib.device("cuda", 1)]
        values += [lib.device("cuda"), lib.device("mps:0"), lib.device("meta"), lib.strided, lib.channels_last]
        values += [lib.contiguous_format, lib.preserve_format, lib.channels_last_3d, lib.Generator().device]
        values += [getattr(lib, name) for name in DTYPES]
        values += [lib.finfo(getattr(lib, name)) for name in ("float16", "bfloat16", "float32", "float64", "complex64")]
        values += [lib.iinfo(getattr(lib, name)) for name in ("uint8", "int8", "int16", "int32", "int64")]
        values += [lib.Tensor, lib.float32, lib.nn.Parameter(lib.ones(1)), lib.nn.Parameter(lib.ones(()), False)]
        values += [lib.FloatTensor, type(lib.float32), type(size), type(lib.strided), type(lib.channels_last)]
        values += [type(lib.device("cpu")), lib.nn.Parameter, lib.enable_grad, lib.return_types.sort]
        parts = [part for v in values for part in (repr(v), str(v), f"{v}", f"{v!s:>40}")]
        # Classes written in Python say where they are: a pickle has to find them there.
        return [part.strip().replace("<class 'hwaro.", "<class 'torch.") for part in parts]

    assert_same(program)
