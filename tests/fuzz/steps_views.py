"""Steps that make views of all sorts."""

import torch

from picker import COMPLEX


def pick(p, least=0):
    return p.tensor(lambda t: t.dim() >= least)


def transposed(p):
    a = pick(p, 1)
    if a is None:
        return None
    t = p[a]
    kind = p.choice(("t", "transpose", "permute", "movedim", "T", "mT", "swapaxes", "permute"))
    if kind == "t":
        return f"{p.new()} = {a}.t()" if t.dim() <= 2 or p.chance(0.05) else None
    if kind in ("T", "mT"):
        return f"{p.new()} = {a}.{kind}" if t.dim() == 2 or kind == "mT" and t.dim() > 1 else None
    if kind == "permute":
        order = list(range(t.dim()))
        p.rng.shuffle(order)
        return f"{p.new()} = {a}.permute({', '.join(map(str, order))})"
    return f"{p.new()} = {a}.{kind}({p.dim(t)}, {p.dim(t)})"


def factors(p, n):
    """A shape with n elements, or one with -1 in it."""
    shape = [1]
    rest = n
    for f in (2, 3, 5, 7):
        while rest and rest % f == 0 and rest > 1:
            rest //= f
            if p.chance(0.5):
                shape.append(f)
            else:
                shape[p.rng.randrange(len(shape))] *= f
    shape[0] *= rest
    if p.chance(0.5) and 1 in shape and len(shape) > 1:
        shape.remove(1)
    if p.chance(0.3) and n:
        shape[p.rng.randrange(len(shape))] = -1
    if p.chance(0.02):
        shape[0] += 1
    return tuple(shape)


def reshaped(p):
    a = pick(p)
    if a is None:
        return None
    t = p[a]
    kind = p.choice(("view", "view", "reshape", "flatten", "ravel", "flatten2", "unflatten"))
    if kind in ("view", "reshape"):
        return f"{p.new()} = {a}.{kind}({', '.join(map(str, factors(p, t.numel())))})"
    if kind == "flatten2":
        return f"{p.new()} = {a}.flatten({p.dim(t)}, {p.dim(t)})"
    if kind == "unflatten":
        if not t.dim():
            return None
        d = p.rng.randrange(t.dim())
        return f"{p.new()} = {a}.unflatten({d}, {factors(p, t.shape[d])})"
    return f"{p.new()} = {a}.{kind}()"


def squeezed(p):
    a = pick(p)
    if a is None:
        return None
    t = p[a]
    kind = p.choice(("squeeze", "squeeze_dim", "unsqueeze", "unsqueeze", "squeeze_dims"))
    if kind == "squeeze":
        return f"{p.new()} = {a}.squeeze()"
    if kind == "squeeze_dims":
        return f"{p.new()} = {a}.squeeze({p.dims(t)})"
    return f"{p.new()} = {a}.{kind.split('_')[0]}({p.dim(t)})"


def expanded(p):
    a = pick(p)
    if a is None:
        return None
    shape = [n if n != 1 or p.chance(0.3) else p.choice((2, 3)) for n in p[a].shape]
    if len(shape) < 4 and p.chance(0.5):
        shape.insert(0, p.choice((1, 2, 3)))
    if p.chance(0.2):
        shape = [-1 if n == m and p.chance(0.5) else n for n, m in zip(shape, shape)]
    if len(shape) > p[a].dim() and shape[0] == -1:
        shape[0] = 1
    kind = p.choice(("expand({})", "expand({})", "broadcast_to(({},))"))
    return f"{p.new()} = {a}.{kind.format(', '.join(map(str, shape)))}" if shape else None


def sliced(p):
    a = pick(p)
    return a and f"{p.new()} = {a}[{p.index(p[a], advanced=False)}]"


def indexed(p):
    a = pick(p)
    return a and f"{p.new()} = {a}[{p.index(p[a])}]"


def masked(p):
    a = pick(p)
    return a and f"{p.new()} = {a}[{a}{p.choice((' > 0', ' != 0', ' == 1'))}]"


def narrowed(p):
    a = pick(p, 1)
    if a is None:
        return None
    t = p[a]
    d = p.rng.randrange(t.dim())
    n = t.shape[d]
    begin = p.rng.randrange(n + 1)
    kind = p.choice(("narrow", "select", "diagonal", "unfold", "narrow"))
    if kind == "narrow":
        return f"{p.new()} = {a}.narrow({d}, {begin}, {p.rng.randrange(n - begin + 1)})"
    if kind == "select":
        return f"{p.new()} = {a}.select({p.dim(t)}, {max(begin - 1, 0)})"
    if kind == "unfold":
        return f"{p.new()} = {a}.unfold({d}, {max(begin, 1)}, {p.choice((1, 1, 2))})"
    if t.dim() < 2:
        return f"{p.new()} = {a}.diag()"
    first, second = p.rng.sample(range(t.dim()), 2)
    return f"{p.new()} = {a}.diagonal({p.choice((0, 0, 1, -1))}, {first}, {second})"


def strided(p):
    a = pick(p)
    if a is None or not p[a].numel() or not p[a].is_contiguous():
        return None
    n = p[a].numel()
    shape, stride, reach = [], [], 0
    for _ in range(p.choice((1, 2))):
        size, step = p.choice((1, 2, 3)), p.choice((0, 1, 2, 3))
        if reach + (size - 1) * step < n:
            shape.append(size)
            stride.append(step)
            reach += (size - 1) * step
    offset = f", {p.rng.randrange(n - reach)}" if p.chance(0.5) and p[a].storage_offset() == 0 else ""
    return f"{p.new()} = {a}.as_strided({tuple(shape)}, {tuple(stride)}{offset})"


def several(p):
    a = pick(p, 1)
    if a is None:
        return None
    t = p[a]
    d = p.rng.randrange(t.dim())
    n = t.shape[d]
    kind = p.choice(("chunk", "split", "unbind", "split_sizes", "tensor_split"))
    if kind == "unbind":
        if not 0 < n <= 3:
            return None
        call = f"unbind({d})"
        count = n
    elif kind == "split_sizes":
        first = p.rng.randrange(n + 1)
        call, count = f"split([{first}, {n - first}], {d})", 2
    elif kind == "split":
        size = max((n + 1) // 2, 1)
        call, count = f"split({size}, {d})", max(-(-n // size), 1)
    else:
        call = f"{kind}(2, {d})"
        count = len(getattr(t, kind)(2, d))
    names = [p.new() for _ in range(count)]
    return f"{', '.join(names)}{',' if count == 1 else ''} = {a}.{call}"


def complex_view(p):
    a = p.tensor(lambda t: t.dtype in COMPLEX)
    if a is None:
        return None
    forms = ["{}.real", "{}.conj()", "torch.view_as_real({})", "{}.mH", "{}.resolve_conj()"]
    if not p[a].is_conj():  # PyTorch makes a lazy negative of it
        forms.append("{}.imag")
    return f"{p.new()} = {p.choice(forms).format(a)}"


def retyped(p):
    """The same bits as another type: only where no bit depends on rounding."""
    a = p.tensor(lambda t: t.dtype != torch.bool)
    if a is None or not p.exact:
        return None
    sizes = {1: ("uint8", "int8"), 2: ("int16",), 4: ("int32",), 8: ("int64",), 16: ("complex128",)}
    other = p.choice(sizes[p.choice((p[a].element_size(), p[a].element_size(), 1, 4))])
    return f"{p.new()} = {a}.detach().view(torch.{other})" if not p[a].is_conj() else None


def same(p):
    a = pick(p)
    if a is None:
        return None
    b = p.tensor(lambda t: t.numel() == p[a].numel())
    kinds = [f"{a}[...]", f"{a}.view_as({a})", f"{a}.detach()", f"{a}.data", f"{a}[:]", f"{a}.contiguous()", f"{a}"]
    kinds += [f"{a}.expand_as({a})", f"{a}.reshape_as({b})", f"{a}.clone()", f"{a}.to({p.dtype()})"]
    kinds += [f"{a}.type_as({b})", f"{a}.clone(memory_format=torch.contiguous_format)", f"copy.deepcopy({a})"]
    return f"{p.new()} = {p.choice(kinds)}"


MAKERS = [
    (transposed, 8, True),
    (reshaped, 8, True),
    (squeezed, 5, True),
    (expanded, 5, True),
    (sliced, 10, True),
    (indexed, 6, True),
    (masked, 2, True),
    (narrowed, 6, True),
    (strided, 2, True),
    (several, 5, True),
    (complex_view, 3, True),
    (retyped, 1, True),
    (same, 6, True),
]
