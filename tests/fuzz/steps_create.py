"""Steps that make tensors: random streams, ranges, literals, tensors like others; generators and their states."""

import torch

from picker import COMPLEX, FLOATS, HALVES, INTS

FLOATING = (*FLOATS, *HALVES)


def tail(p, dtype, grad=0.5):
    """Keyword arguments of a creation function."""
    words = []
    if dtype != torch.float32 or p.chance(0.1):
        words.append(f"dtype={dtype}")
    if (dtype in FLOATING or dtype in COMPLEX) and p.chance(grad):
        words.append("requires_grad=True")
    return "".join(", " + w for w in words)


def sizes(p, shape):
    if not shape:
        return "()"
    return ", ".join(map(str, shape)) if p.chance(0.6) else str(shape)


def random(p):
    dtype = p.choice((*FLOATS, *FLOATS, *FLOATS, *HALVES, *COMPLEX))
    name = p.choice(("rand", "randn", "rand", "randn"))
    return f"{p.new()} = torch.{name}({sizes(p, p.shape())}{tail(p, dtype)})"


def integers(p):
    dtype = p.choice((torch.int64, torch.int64, torch.float32, torch.float64, *INTS))
    low = 0 if dtype == torch.uint8 else p.choice((0, -4))
    kind = f", dtype={dtype}" if dtype != torch.int64 else ""
    grad = ", requires_grad=True" if dtype in FLOATS and p.chance(0.5) else ""
    return f"{p.new()} = torch.randint({low}, {p.choice((2, 5, 10))}, {p.shape()}{kind}{grad})"


def arange(p):
    shape = p.shape()
    n = 1
    for size in shape:
        n *= size
    dtype = p.dtype()
    if dtype == torch.bool or dtype in COMPLEX:
        dtype = torch.int64
    grad = dtype in FLOATS and p.chance(0.4)
    view = f".reshape({shape})" if len(shape) != 1 else ""
    if grad:  # a leaf that is a view loses its gradients in PyTorch once it was written to
        view += ".clone().requires_grad_()"
    kind = f", dtype={dtype}" if dtype != torch.int64 else ""
    return f"{p.new()} = torch.arange({n}{kind}){view}"


def filled(p):
    dtype, shape = p.dtype(), p.shape()
    kind = p.choice(("zeros", "ones", "full", "eye", "tril", "empty"))
    if kind == "full":
        return f"{p.new()} = torch.full({shape}, {p.number(dtype)}{tail(p, dtype)})"
    if kind == "eye":
        return f"{p.new()} = torch.eye({p.size()}{tail(p, dtype)})"
    if kind == "tril":
        part = f"{p.choice(('tril', 'triu'))}({p.choice((-1, 0, 1))})"
        return f"{p.new()} = torch.ones({p.size()}, {p.size()}{tail(p, dtype, 0)}).{part}"
    if kind == "empty":
        return f"{p.new()} = torch.empty({shape}{tail(p, dtype, 0)}).fill_({p.number(dtype)})"
    return f"{p.new()} = torch.{kind}({sizes(p, shape)}{tail(p, dtype)})"


def literal(p):
    dtype = p.dtype()
    rows = p.choice((0, 0, 1, 2))
    columns = p.choice((1, 2, 3))
    row = lambda: "[" + ", ".join(p.number(dtype) for _ in range(columns)) + "]"
    values = (
        p.number(dtype)
        if rows == 0 and p.chance(0.5)
        else row()
        if rows < 2
        else "[" + ", ".join(row() for _ in range(rows)) + "]"
    )
    grad = ", requires_grad=True" if dtype in FLOATS and p.chance(0.5) else ""
    return f"{p.new()} = torch.tensor({values}, dtype={dtype}{grad})"


def like(p):
    other = p.tensor()
    if other is None:
        return None
    dtype = p[other].dtype
    names = ["zeros_like", "ones_like", "full_like"]
    if not p.exact and (dtype in FLOATING or dtype in COMPLEX):
        names += ["rand_like", "randn_like"]
    if dtype in INTS or dtype in FLOATING:
        names += ["randint_like"]
    name = p.choice(names)
    if name == "full_like":
        return f"{p.new()} = torch.full_like({other}, {p.number(dtype)})"
    if name == "randint_like":
        return f"{p.new()} = torch.randint_like({other}, 0, 5)"
    grad = ", requires_grad=True" if (dtype in FLOATING or dtype in COMPLEX) and p.chance(0.4) else ""
    return f"{p.new()} = torch.{name}({other}{grad})"


def new_like(p):
    other = p.tensor()
    if other is None:
        return None
    kind = p.choice(("zeros", "ones", "full"))
    if kind == "full":
        return f"{p.new()} = {other}.new_full({p.shape()}, {p.number(p[other].dtype)})"
    return f"{p.new()} = {other}.new_{kind}({p.shape()}{p.choice(('', '', ', dtype=torch.float64'))})"


def permutation(p):
    return f"{p.new()} = torch.randperm({p.choice((0, 1, 4, 6, 9))})"


def spaced(p):
    dtype = p.choice(FLOATS)
    begin, end, steps = p.choice((-1, 0, 1)), p.choice((1, 2, 5)), p.choice((1, 3, 4, 8))
    return f"{p.new()} = torch.linspace({begin}, {end}, {steps}{tail(p, dtype)})"


def refilled(p):
    """A fresh tensor filled in place by a random stream, contiguous or not."""
    shape = p.shape()
    view = p.choice(("", "", ".t()", "[::2]", ".unsqueeze(1)"))
    if view == ".t()" and len(shape) > 2 or view == "[::2]" and not shape:
        view = ""
    draw = p.choice(
        (
            "uniform_()",
            "normal_()",
            "normal_(1, 2)",
            "uniform_(-1, 1)",
            "exponential_()",
            "bernoulli_(0.3)",
            "bernoulli_()",
        )
    )
    name, dtype = p.new(), p.choice((*FLOATS, *FLOATS, *HALVES))
    kind = f", dtype={dtype}" if dtype != torch.float32 else ""
    return f"{name} = torch.zeros({shape}{kind})\n{name}{view}.{draw}"


def seed(p):
    return f"torch.manual_seed({p.rng.randrange(100)})"


def generator(p):
    draw = p.choice(("rand(3", "randn(2, 3", "randperm(5", "randint(0, 9, (4,)"))
    return f"{p.new()} = torch.{draw}, generator=torch.Generator().manual_seed({p.rng.randrange(9)}))"


def state(p):
    first, second = p.new(), p.new()
    draw = p.choice(("torch.rand(3)", "torch.randn(2, 9)", "torch.randn(3)", "torch.randperm(4)"))
    return f"state = torch.get_rng_state()\n{first} = {draw}\ntorch.set_rng_state(state)\ndel state\n{second} = {draw}"


MAKERS = [  # (maker, weight, whether values are exact)
    (random, 14, False),
    (integers, 8, True),
    (arange, 8, True),
    (filled, 6, True),
    (literal, 3, True),
    (like, 3, True),
    (new_like, 1, True),
    (permutation, 1, True),
    (spaced, 1, False),
    (refilled, 2, False),
    (seed, 1, True),
    (generator, 1, False),
    (state, 1, False),
]
