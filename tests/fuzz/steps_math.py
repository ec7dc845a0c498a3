"""Steps that compute: pointwise with broadcasting and promotion, reductions, joins, products, layers, sorting."""

import torch

from picker import COMPLEX, FLOATS, HALVES

ROUNDING = (
    "abs neg exp sin cos tanh sigmoid relu sqrt log erf exp2 expm1 log1p reciprocal rsqrt square sign floor ceil trunc "
    "round frac atan asinh sinh"
).split()
EXACT = "abs neg relu sign square floor ceil trunc round positive logical_not isnan isfinite sgn".split()


def unary(p):
    a = p.tensor()
    if a is None:
        return None
    name = p.choice(EXACT if p.exact else ROUNDING + EXACT)
    if name in ("square",) and p.exact and big(p[a]):
        return None
    return f"{p.new()} = {p.choice(('torch.{0}({1})', '{1}.{0}()')).format(name, a)}"


def big(t, limit=200):
    """Whether products of elements could leave the exact range of float32."""
    try:
        return t.dtype != torch.bool and t.numel() > 0 and not bool((t.data.abs() < limit).all())
    except RuntimeError:
        return True


def binary(p):
    a = p.tensor()
    if a is None:
        return None
    b = p.fitting(p[a]) if p.chance(0.7) else p.number(p[a].dtype)
    if b is None:
        return None
    exact = ("+", "-", "*", "==", "<", ">=", "!=", "+", "-", "*")
    op = p.choice(exact if p.exact else (*exact, "/", "/", "**", "//", "%"))
    if op in ("//", "%") and p[a].dtype in HALVES:  # which operands are rounded to halves first decides everything
        op = "*"
    if p.exact and op == "*" and (big(p[a]) or b in p.env and big(p[b])):
        op = "+"
    if op in ("//", "%") and b in p.env and p[b].dtype in HALVES:
        op = "-"
    if op == "**" and b in p.env:
        b = p.choice(("2", "3", "0.5", "2.0"))
    if p.chance(0.2) and b not in p.env and (op != "**" or p[a].is_contiguous()):
        a, b = b, a
    return f"{p.new()} = {a} {op} {b}"


def called_binary(p):
    a = p.tensor()
    b = a and p.fitting(p[a])
    if b is None:
        return None
    names = ["maximum", "minimum", "eq", "lt", "logical_and", "logical_xor"]
    if not p.exact:
        names += [
            "atan2",
            "hypot",
            "fmod",
            "remainder",
            "fmax",
            "logaddexp",
            "copysign",
            "floor_divide",
            "true_divide",
            "xlogy",
            "float_power",
        ]
    name = p.choice(names)
    if name in ("fmod", "remainder", "floor_divide") and {p[a].dtype, p[b].dtype} & set(HALVES):
        return None
    if name == "float_power":
        return f"{p.new()} = torch.float_power({a}, 2)"
    return f"{p.new()} = torch.{name}({a}, {b})"


def scaled(p):
    a = p.tensor()
    b = a and p.fitting(p[a])
    c = b and p.fitting(p[a])
    if c is None or p.exact and (big(p[a]) or big(p[b]) or big(p[c])):
        return None
    forms = [
        f"torch.add({a}, {b}, alpha={p.choice((2, -1)) if p[a].dtype != torch.bool else True})",
        f"torch.sub({a}, {b}, alpha=2)",
        f"torch.addcmul({a}, {b}, {c})",
        f"torch.where({a} > 0, {b}, {c})",
        f"torch.where({a} > 0, {b}, {p.number(p[b].dtype)})",
        f"{a}.masked_fill({b} > 0, {p.number(p[a].dtype)})",
        f"{a}.clamp({p.choice((-1, 0))}, {p.choice((1, 2))})",
        f"{a}.clamp(min={p.choice((-1, 0, 0.5))})",
        f"torch.clamp({a}, max={b})" if not p[b].is_complex() else f"{a} * 1",
        f"torch.rsub({a}, 2)" if p[a].dtype != torch.bool else f"{a} * 1",
    ]
    if not p.exact:
        forms += [
            f"torch.lerp({a}, {b}, 0.3)",
            f"torch.lerp({a}, {b}, {c})" if p[c].dim() else f"torch.lerp({a}, {b}, 0.5)",
            f"torch.addcdiv({a}, {b}, {c}, value=0.5)",
            f"torch.nan_to_num({a})",
            f"torch.div({a}.detach(), {b}.detach(), rounding_mode={p.choice(('floor', 'trunc'))!r})",
        ]
    return f"{p.new()} = {p.choice(forms)}"


def reduced(p):
    a = p.tensor()
    if a is None or p.exact and big(p[a], 2000):
        return None
    t = p[a]
    names = ["sum", "sum", "amax", "amin", "any", "all", "count_nonzero", "max", "min"]
    if not p.exact:
        names += ["mean", "mean", "prod", "std", "var", "norm", "logsumexp", "nansum"]
    name = p.choice(names)
    form = p.choice(("()", "(dim)", "(dim)", "(dim, keepdim)"))
    if name in ("amax", "amin", "any", "all", "max", "min") and t.numel() == 0:
        form = "()" if p.chance(0.5) else form
    if name == "logsumexp" and form == "()":
        form = "(dim)"
    if name in ("max", "min") and form != "()":
        keep = ", keepdim=True" if "keepdim" in form else ""
        return f"{p.new()} = {a}.{name}({p.dim(t)}{keep}).values"
    if form == "()" or name == "norm" and form == "(dim)":
        return f"{p.new()} = {p.choice(('torch.{0}({1})', '{1}.{0}()')).format(name, a)}"
    dim = (
        p.dims(t)
        if p.chance(0.4) and name in ("sum", "mean", "amax", "amin", "norm", "var", "logsumexp") and t.dim()
        else p.dim(t)
    )
    keep = ", keepdim=True" if "keepdim" in form and name != "count_nonzero" else ""
    return f"{p.new()} = {a}.{name}({'dim=' if name in ('norm', 'std', 'var') else ''}{dim}{keep})"


def scanned(p):
    a = p.tensor(lambda t: t.dim() > 0)
    if a is None or p.exact and big(p[a]):
        return None
    t = p[a]
    names = [
        "cumsum({d})",
        "sort(dim={d}, stable=True).values",
        "argsort(dim={d}, stable=True)",
        "flip({d})",
        "roll(1, {d})",
        "argmax({d})",
        "argmin({d})",
        "cummax({d}).values" if not t.is_complex() else "flip({d})",
        "diff(dim={d})",
        "repeat_interleave(2, {d})",
        "topk(1, {d}).values",
        "tril()",
        "unique()",
        "nonzero()",
        "sort(dim={d}, descending=True, stable=True).values",
    ]
    if not p.exact:
        names += [
            "cumprod({d})",
            "softmax({d})",
            "log_softmax({d})",
            "logcumsumexp({d})",
            "median({d}).values",
            "softmax({d})",
        ]
    form = p.choice(names)
    if (
        t.is_floating_point()
        and not p.exact
        and ("arg" in form or "unique" in form or "nonzero" in form)
        and p.chance(0.8)
    ):
        return None
    return f"{p.new()} = {a}.{form.format(d=p.dim(t))}"


def joined(p):
    a = p.tensor(lambda t: t.dim() > 0)
    if a is None:
        return None
    shape = p[a].shape
    d = p.rng.randrange(len(shape))
    if p.chance(0.4):
        b = p.tensor(lambda t: t.shape == shape)
        name = p.choice(("stack", "stack", "cat", "vstack", "hstack", "dstack"))
        place = f", {p.dim(p[a])}" if name in ("stack", "cat") else ""
        return f"{p.new()} = torch.{name}([{a}, {b}]{place})"
    b = p.tensor(
        lambda t: t.dim() == len(shape) and all(i == d or m == n for i, (m, n) in enumerate(zip(shape, t.shape)))
    )
    return f"{p.new()} = torch.cat(({a}, {b}), {d})"


def shuffled(p):
    a = p.tensor(lambda t: t.dim() > 0 and t.numel() > 0)
    if a is None:
        return None
    t = p[a]
    d = p.rng.randrange(t.dim())
    n = t.shape[d]
    index = [p.rng.randrange(n) for _ in range(p.choice((1, 2, 3)))]
    forms = [
        f"{a}.index_select({d}, torch.tensor({index}))",
        f"torch.take({a}, torch.tensor({[i % t.numel() for i in index]}))",
        f"{a}.repeat({', '.join(str(p.choice((1, 2))) for _ in range(t.dim() + p.choice((0, 1))))})",
        f"torch.tile({a}, (2,))",
        f"{a}.masked_select({a} > 0)",
        f"{a}.index_add({d}, torch.tensor({index}), {a}.index_select({d}, torch.tensor({index})))",
        f"F.pad({a}, ({p.choice((0, 1, 2))}, {p.choice((0, 1, -1))}))",
        f"torch.meshgrid({a}.flatten()[:2], {a}.flatten()[:3], indexing='ij')[0]",
        f"{a}.gather({d}, ({a} > 0).long().clamp(max={n - 1}))",
        f"torch.outer({a}.flatten()[:3], {a}.flatten()[:2])",
        f"{a}.scatter({d}, torch.zeros_like({a}, dtype=torch.int64).narrow({d}, 0, 1), {p.number(t.dtype)})",
        f"{a}.scatter_add({d}, ({a} > 0).long().clamp(max={n - 1}), {a})",
    ]
    if p.exact and big(t):
        forms = forms[:4]
    return f"{p.new()} = {p.choice(forms)}"


def product(p):
    same = lambda t: t.dtype in FLOATS or t.dtype in COMPLEX or t.dtype == torch.int64
    a = p.tensor(lambda t: t.dim() > 0 and same(t))
    if a is None or p.exact and big(p[a], 60):
        return None
    t = p[a]
    inner = t.shape[-1]

    def fits(o):
        if p.exact and big(o, 60) or o.dtype != t.dtype:
            return False
        if not o.dim() or (o.shape[-2] if o.dim() > 1 else o.shape[0]) != inner:
            return False
        return all(x == y or x == 1 or y == 1 for x, y in zip(tuple(t.shape)[-3::-1], tuple(o.shape)[-3::-1]))

    b = p.tensor(fits)
    if b is None:
        return f"{p.new()} = {a} @ {a}.mT" if t.dim() > 1 else f"{p.new()} = torch.dot({a}, {a})"
    forms = [f"{a} @ {b}", f"torch.matmul({a}, {b})"]
    if t.dim() == 2 and p[b].dim() == 2:
        forms += [
            f"torch.mm({a}, {b})",
            f"torch.einsum('ij,jk->ki', {a}, {b})",
            f"torch.addmm({p.choice((a, b))}[:1, :1], {a}, {b})",
            f"F.linear({a}, {b}.t())",
        ]
    if t.dim() == 3 and p[b].dim() == 3:
        forms += [f"torch.bmm({a}, {b})", f"torch.einsum('bij,bjk->bik', {a}, {b})"]
    return f"{p.new()} = {p.choice(forms)}"


def layer(p):
    a = p.tensor(lambda t: t.dtype in FLOATS and t.dim() > 1 and t.numel() > 0)
    if a is None:
        return None
    t = p[a]
    n = t.shape[-1]
    forms = [
        f"F.layer_norm({a}, ({n},))",
        f"F.gelu({a})",
        f"F.softplus({a})",
        f"F.leaky_relu({a}, 0.1)",
        f"F.mse_loss({a}, {a}.detach() + 1)",
        f"F.dropout({a}, 0.5)",
        f"F.normalize({a}, dim=-1)",
        f"F.silu({a})",
        f"F.elu({a})",
        f"F.hardtanh({a})",
        f"F.one_hot({a}.detach().long().abs() % 3, 3)",
        f"F.embedding(torch.tensor([0, 1, 0]), {a})" if t.dim() == 2 and t.shape[0] > 1 else f"F.relu({a})",
        f"F.smooth_l1_loss({a}, {a}.detach() * 0)",
        f"F.cross_entropy({a}, torch.zeros({t.shape[0]}, dtype=torch.int64))" if t.dim() == 2 else f"F.logsigmoid({a})",
    ]
    if t.dim() == 3:
        forms += [
            f"F.max_pool1d({a}, {min(2, n)})",
            f"F.conv1d({a}, {a}[:1, :, :1])",
            f"F.avg_pool1d({a}, {min(2, n)})",
            f"F.batch_norm({a}, None, None, training=True)",
        ]
    if t.dim() == 4:
        forms += [
            f"F.conv2d({a}, {a}[:1, :, :1, :1], padding=1)",
            f"F.max_pool2d({a}, 1, padding=0)",
            f"F.adaptive_avg_pool2d({a}, 1)",
            f"F.interpolate({a}, scale_factor=2)",
        ]
    return f"{p.new()} = {p.choice(forms)}"


def number(p):
    """Values leave the tensor."""
    a = p.tensor()
    if a is None:
        return None
    forms = [
        f"{a}.tolist()",
        f"{a}.shape",
        f"len({a})",
        f"{a}.stride()" if 0 not in p[a].shape and 1 not in p[a].shape else f"{a}.size()",
        f"{a}.dim()",
        f"[r.shape for r in {a}]",
        f"{a}.is_contiguous()",
        f"bool(({a} == {a}).all())",
    ]
    if p[a].numel() == 1:
        forms += [f"{a}.item()", f"bool({a})", f"float({a})"]
    if p.exact:
        forms += [f"repr({a})", f"str({a})", f"int({a}.sum())"]
    return f"{p.new()} = {p.choice(forms)}"


MAKERS = [
    (unary, 9, True),
    (binary, 14, True),
    (called_binary, 3, True),
    (scaled, 5, True),
    (reduced, 8, True),
    (scanned, 5, True),
    (joined, 5, True),
    (shuffled, 5, True),
    (product, 6, True),
    (layer, 4, False),
    (number, 2, True),
]
