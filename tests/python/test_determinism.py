"""Bits depend neither on where an element lies nor on how many threads compute.

Pointwise operators come from the compiled table of operators, so that a new one is held to this without being listed.
What depends on the grain runs in a process of its own: HWARO_GRAIN is read when the library is loaded.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import hwaro as torch

F = torch.nn.functional
HERE = pathlib.Path(__file__).resolve().parent
THREADS = (1, 2, 3, 8)
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128)
LENGTH = 67  # four vectors of the widest kind and a rest of three

# Operators without a name of their own in the table: what reaches their kernels.
WRAPPED = {
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "hardtanh": lambda x: F.hardtanh(x, -0.5, 0.8),
    "softplus": lambda x: F.softplus(x, 2.0),
    "logit": lambda x: torch.logit(x, 0.1),
    "pow 2": lambda x: x**2,
    "pow 3": lambda x: x**3,
    "pow 0.5": lambda x: x**0.5,
    "pow -1": lambda x: x**-1,
    "nan_to_num": torch.nan_to_num,
    "polygamma": lambda x: torch.polygamma(2, x),
    "round": lambda x: torch.round(x, decimals=1),
    "div floor": lambda x: torch.div(x, 0.3, rounding_mode="floor"),
    "div trunc": lambda x: torch.div(x, 0.3, rounding_mode="trunc"),
    "clamp tensors": lambda x: torch.clamp(x, x * 0.5, x + 1),
    "number first": lambda x: 1.7 - x,
    "number power": lambda x: 1.7**x,
}


def found(name):
    for place in (torch, torch.special, F):
        function = getattr(place, name.removeprefix("special_") if place is torch.special else name, None)
        if function is not None:
            return function
    return None


def with_operands(function, names, scalars):
    """f(x) that gives every tensor operand the elements of x, each in another order of magnitude and sign."""

    def call(x):
        operands = {"condition": x.real > 0 if x.is_complex() else x > 0}
        tensors = [operands.get(name, x * (1.0, -0.75, 1.25)[i % 3]) for i, name in enumerate(names)]
        return function(*tensors, **scalars)

    return call


def pointwise_operators():
    out = dict(WRAPPED)
    for entry in torch._C._operators():
        name, _, rest = entry["schema"].partition("(")
        overload, name = name, name.split(".")[0]
        function = found(name)
        if not entry["pointwise"] or function is None or name.startswith("_"):
            continue
        arguments = [a.strip().split("=") for a in rest.rpartition(") ->")[0].split(",") if a.strip() != "*"]
        tensors = [a[0].split()[1] for a in arguments if a[0].split()[0] == "Tensor"]
        scalars = {
            a[0].split()[1]: 0.5 for a in arguments if a[0].split()[0].startswith("Scalar") and "alpha" not in a[0]
        }
        if "min" in scalars and "max" in scalars:
            scalars["min"] = -0.25
        out[overload] = with_operands(function, tensors, scalars)
    return out


OPERATORS = pointwise_operators()


def bits(t):
    """The bytes of a tensor, with one NaN for all: its sign is that of the first operand, whose choice IEEE 754 leaves
    open, and clang chooses otherwise for the vector at the end of a row."""
    t = t.detach().resolve_conj().contiguous()
    t = torch.view_as_real(t) if t.is_complex() else t
    t = t.masked_fill(t.isnan(), float("nan")) if t.is_floating_point() else t
    return (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()


def values(dtype):
    """Numbers of all kinds, special ones among them."""
    torch.manual_seed(5)
    wide = torch.float64 if not dtype.is_complex else torch.complex128
    x = torch.randn(LENGTH + 16, dtype=wide) * torch.tensor([0.1, 1.0, 3.0, 20.0]).repeat(21)[: LENGTH + 16]
    x[3], x[7], x[12], x[20], x[33] = 0.0, -0.0, float("inf"), -float("inf"), float("nan")
    x[40], x[41], x[42] = 1.0, -1.0, 1e-40
    return x.to(dtype)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_length_offset_and_stride_gives_the_same_bits(name):
    f, seen = OPERATORS[name], 0
    for dtype in FLOATS:
        x = values(dtype)
        try:
            whole = f(x)
        except (RuntimeError, TypeError, NotImplementedError):  # not for this type
            continue
        seen += 1
        size = whole.element_size()
        expected = bits(whole)
        spread = {s: torch.zeros(len(x), s, dtype=dtype) for s in (2, 3)}
        for s, wide in spread.items():
            wide[:, 1] = x
        for n in range(1, LENGTH + 1):
            for offset in (0, n % 17):
                where = slice(offset * size, (offset + n) * size)
                part = x[offset : offset + n]
                assert bits(f(part)) == expected[where], (dtype, n, offset)
                stride = 2 + n % 2
                assert bits(f(spread[stride][offset : offset + n, 1])) == expected[where], (dtype, n, offset, stride)
        square = x[:64].reshape(8, 8)
        for layout in (square.t().contiguous().t(), square.expand(2, 8, 8)[1], square.unsqueeze(0).unsqueeze(0)):
            assert bits(f(layout)) == expected[: 64 * size], (dtype, layout.stride())
    assert seen or "bitwise" in name or name.split(".")[0] in ("gcd", "lcm")


def test_integer_operators_too():
    x = torch.arange(-40, 43)
    for name in (
        "gcd",
        "lcm",
        "bitwise_and.Tensor",
        "bitwise_xor.Tensor",
        "bitwise_or.Tensor",
        "add.Tensor",
        "mul.Tensor",
    ):
        f = getattr(torch, name.split(".")[0])
        whole = bits(f(x, x + 3))
        for n in range(1, LENGTH + 1):
            for offset in range(0, 16, 5):
                part = x[offset : offset + n]
                assert bits(f(part, part + 3)) == whole[offset * 8 : (offset + n) * 8]


# ---- layouts of operators that are not pointwise ----


def image(t):
    return t.reshape(2, 3, 8, 8)


LAYOUTS = {
    "transposed": lambda t: t.transpose(0, -1).contiguous().transpose(0, -1),
    "strided": lambda t: torch.stack([t * 0, t], -1)[..., 1],
    "offset": lambda t: torch.cat([t.flatten()[:5], t.flatten()])[5:].reshape(t.shape),
    "channels last": lambda t: t.contiguous(memory_format=torch.channels_last),
}
OTHERS = {
    "sum": lambda t: t.sum(),
    "sum rows": lambda t: t.sum(-1),
    "sum columns": lambda t: t.sum(0),
    "mean middle": lambda t: t.mean((1, 2)),
    "prod": lambda t: t.prod(1),
    "var": lambda t: t.var((0, 3)),
    "norm": lambda t: t.norm(),
    "logsumexp": lambda t: t.logsumexp(1),
    "cumsum": lambda t: t.cumsum(2),
    "softmax": lambda t: t.softmax(1),
    "matmul": lambda t: t @ t.mT,
    "linear": lambda t: F.linear(t, t[0, 0]),
    "conv2d": lambda t: F.conv2d(t, t[:, :, :3, :3], padding=1),
    "avg_pool2d": lambda t: F.avg_pool2d(t, 3, 2, 1),
    "layer_norm": lambda t: F.layer_norm(t, (8, 8)),
    "batch_norm": lambda t: F.batch_norm(t, None, None, training=True),
    "interpolate": lambda t: F.interpolate(t, scale_factor=1.5, mode="bilinear"),
    "sort": lambda t: t.sort(1).values,
    "index": lambda t: t[:, [2, 0, 1]],
}


# A sum over several elements walks memory in its order, so permuted dimensions may round differently.
WALKS_MEMORY = ("sum", "sum rows", "mean middle", "norm", "batch_norm")


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_layouts_give_the_same_bits(name, dtype):
    torch.manual_seed(1)
    x = torch.randn(2, 3, 8, 8).to(dtype)
    expected = bits(OTHERS[name](x))
    for layout, change in LAYOUTS.items():
        if name in WALKS_MEMORY and layout not in ("strided", "offset"):
            continue
        assert bits(OTHERS[name](change(x))) == expected, layout


# ---- numbers of threads ----


def in_process(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


OPERATORS_IN_CHUNKS = f"""
import hashlib, json, time
import hwaro as torch
import test_determinism as t

before = torch._C._parallel_chunks_stolen()
out = {{}}
until = time.monotonic() + 60  # on a busy machine the caller may be done before any other thread has had a turn
while not out or (torch._C._parallel_chunks_stolen() == before and time.monotonic() < until):
    for threads in {THREADS}:
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        x = torch.randn(2, 3, 8, 8)
        for name, f in [*t.OTHERS.items(), *t.WRAPPED.items()]:
            leaf = x.clone().requires_grad_()
            result = f(leaf)
            if result.requires_grad:
                (result * torch.randn(result.shape)).sum().backward()
            data = t.bits(result) + (t.bits(leaf.grad) if leaf.grad is not None else b"")
            out.setdefault(name, []).append(hashlib.sha256(data).hexdigest())
print(json.dumps([out, torch._C._parallel_chunks_stolen() - before]))
"""

TRAINING = f"""
import hashlib, json, sys
import hwaro
sys.modules["torch"], sys.modules["torch.nn"] = hwaro, hwaro.nn
sys.modules["torch.nn.functional"], sys.modules["torch.utils.data"] = hwaro.nn.functional, hwaro.utils.data
sys.path.insert(0, "../../examples/python")
import fashion_mnist as demo
import test_determinism as t

torch = hwaro
before = torch._C._parallel_chunks_stolen()
out = []
for threads in {THREADS}:
    torch.set_num_threads(threads)
    torch.manual_seed(3)
    try:
        images, labels = demo.load_split(demo.DEFAULT_DATA, "train")
        images, labels = images[:3200], labels[:3200]
    except demo.DataError:
        images, labels = torch.randint(0, 256, (3200, 1, 28, 28), dtype=torch.uint8), torch.randint(0, 10, (3200,))
    model = demo.Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    seen = hashlib.sha256()
    for step in range(200):
        rows = slice(step * 16, step * 16 + 16)
        loss = torch.nn.functional.cross_entropy(model(demo.prepare(images[rows])), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.update(t.bits(loss))
    for parameter in model.parameters():
        seen.update(t.bits(parameter))
    out.append(seen.hexdigest())
print(json.dumps([out, torch._C._parallel_chunks_stolen() - before]))
"""


def test_operators_in_chunks_of_one_element_on_several_threads():
    out, stolen = in_process(OPERATORS_IN_CHUNKS, HWARO_GRAIN="1")
    assert {name: seen for name, seen in out.items() if len(set(seen)) > 1} == {}
    assert stolen > 0, "no chunk ran on a thread of the pool"


@pytest.mark.parametrize("grain", ["as it is", "64"])
def test_200_steps_of_the_demo_on_several_threads(grain):
    out, stolen = in_process(TRAINING, **({"HWARO_GRAIN": grain} if grain != "as it is" else {}))
    assert len(set(out)) == 1
    assert stolen > 0, "no chunk ran on a thread of the pool"
