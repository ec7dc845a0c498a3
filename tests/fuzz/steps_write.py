"""Steps that write in place: through views, with broadcasting, by index and mask, with out=, behind autograd's back."""

import torch

from picker import COMPLEX, tangled
from steps_math import big


def guarded(p, a, line):
    """The write as it is, or under no_grad, or through .data or detach(): what leaves need."""
    if p.chance(0.85):
        return line
    return f"with torch.{p.choice(('no_grad', 'no_grad', 'inference_mode'))}():\n    {line}"


def arithmetic(p):
    a = p.target()
    if a is None:
        return None
    t = p[a]
    b = p.fitting_into(t) if p.chance(0.6) else p.number(t.dtype)
    if b is None:
        return None
    op = p.choice(("+=", "-=", "*=", "+=") if p.exact else ("+=", "-=", "*=", "/=", "+=", "*="))
    if p.exact and op == "*=" and (big(t) or b in p.env and big(p[b])):
        op = "-="
    if p.chance(0.5):
        return guarded(p, a, f"{a} {op} {b}")
    name = {"+=": "add_", "-=": "sub_", "*=": "mul_", "/=": "div_"}[op]
    alpha = ", alpha=2" if name in ("add_", "sub_") and b in p.env and p.chance(0.3) else ""
    return guarded(p, a, f"{a}.{name}({b}{alpha})")


def plain(p):
    a = p.target()
    if a is None:
        return None
    names = [
        "zero_()",
        "neg_()",
        "abs_()",
        "relu_()",
        f"fill_({p.number(p[a].dtype)})",
        "clamp_(-1, 1)",
        "clamp_(min=0)",
        "sign_()",
        "round_()",
    ]
    if not p.exact:
        names += [
            "sigmoid_()",
            "tanh_()",
            "sin_()",
            "sqrt_()",
            "exp_()",
            "uniform_()",
            "normal_()",
            "bernoulli_(0.5)",
            "random_(5)",
            "exponential_()",
            "reciprocal_()",
            "pow_(2)",
            "cumsum_(0)" if p[a].dtype != torch.bool else "zero_()",
            "floor_()",
            "log_()",
            "square_()",
        ]
    return guarded(p, a, f"{a}.{p.choice(names)}")


def through_view(p):
    """A write through a view that lives only for the write, or stays as a variable."""
    a = p.target()
    if a is None:
        return None
    t = p[a]
    views = [
        f"{a}.view(-1)",
        f"{a}[{p.index(t, advanced=False)}]",
        f"{a}.detach()",
        f"{a}.data",
        f"{a}.unsqueeze(0)",
        f"{a}.view_as({a})",
    ]
    if t.dim() > 1:
        views += [
            f"{a}.t()" if t.dim() == 2 else f"{a}.mT",
            f"{a}.diagonal()",
            f"{a}.transpose(0, -1)",
            f"{a}.flatten()",
        ]
    if t.dim():
        views += [
            f"{a}.narrow(0, 0, 1)",
            f"{a}.select(0, 0)",
            f"{a}.unbind()[0]",
            f"{a}.split(1)[0]",
            f"{a}.chunk(2)[0]",
        ]
    if t.dim() and not t.requires_grad:
        views += [f"{a}.expand(2, *{a}.shape)"]
    if t.dtype in COMPLEX:
        views += [
            f"{a}.real",
            f"{a}.imag" if not t.is_conj() else f"{a}.real",
            f"torch.view_as_real({a})",
            f"{a}.conj()",
        ]
    write = p.choice(
        (f"add_({p.number(t.dtype)})", f"mul_({p.number(t.dtype)})", "zero_()", f"fill_({p.number(t.dtype)})", "neg_()")
    )
    if p.exact and write.startswith("mul") and big(t):
        write = "zero_()"
    view = p.choice(views)
    if p.chance(0.5):
        name = p.new()
        return f"{name} = {view}\n" + guarded(p, name, f"{name}.{write}")
    return guarded(p, a, f"{view}.{write}")


def assigned(p):
    a = p.target()
    if a is None:
        return None
    t = p[a]
    index = p.index(t, repeats=False)
    try:
        part = eval(f"t[{index}]", {"t": t.detach(), "torch": torch})
        real = t.is_floating_point() or t.is_complex()
        value = p.fitting_into(part, lambda o: real or not o.requires_grad) if p.chance(0.5) else p.number(t.dtype)
        if value in p.env and (p[value].requires_grad and not real or tangled(t, p[value])):
            value = "1"
    except Exception:
        value = p.number(t.dtype)
    if value is None:
        value = "1"
    op = p.choice(("=", "=", "=", "+=", "*="))
    if p.exact and op == "*=":
        op = "="
    return guarded(p, a, f"{a}[{index}] {op} {value}")


def mask_assigned(p):
    a = p.target()
    if a is None:
        return None
    n = p.number(p[a].dtype)
    return guarded(
        p,
        a,
        p.choice(
            (
                f"{a}[{a} > 0] = {n}",
                f"{a}.masked_fill_({a} <= 0, {n})",
                f"{a}[{a} != 0] += {n}",
                f"{a}[~({a} > 0)] = {n}",
                f"{a}.masked_scatter_({a} > 0, torch.arange({p[a].numel()}).to({a}.dtype))",
            )
        ),
    )


def copied(p):
    a = p.target()
    b = a and p.fitting_into(p[a])
    if b is None or p[b].requires_grad and not (p[a].is_floating_point() or p[a].is_complex()):
        return None  # PyTorch makes an integer tensor require grad
    return guarded(p, a, f"{a}.copy_({b})")


def exported(p, t):
    """Whether others look at a tensor's memory who do not hold it: PyTorch frees it where t gets another."""
    begin, size = t.untyped_storage().data_ptr(), t.untyped_storage().nbytes()
    places = [p[n].__array_interface__["data"][0] for n in p.arrays()]
    places += [p[n].untyped_storage().data_ptr() for n in p.tensors() if p[n] is not t]
    return any(begin <= place < begin + max(size, 1) for place in places)


def given_memory(p):
    """A leaf that nobody else looks at gets the memory of another tensor, and keeps its own count of writes."""

    a = p.tensor(lambda t: t.is_leaf and not (t._is_view() or t.is_inference() or t.is_conj()) and not exported(p, t))
    b = a and p.tensor(
        lambda t: t.dtype == p[a].dtype and t.shape == p[a].shape and not (t.is_inference() or t.is_conj())
    )
    if b is None:
        return None
    forms = [f"{a}.data = {b}", f"{a}.data = {b}.detach().clone()", f"{a}.data = {b}.data"]
    if not p[a].requires_grad:
        forms += [f"{a}.set_({b}.detach())", f"{a}.set_({b}.detach().clone())"]
    return p.choice(forms)


def by_index(p):
    a = p.target(lambda t: t.dim() > 0 and t.numel() > 0)
    if a is None:
        return None
    t = p[a]
    d = p.rng.randrange(t.dim())
    n = t.shape[d]
    index = p.rng.sample(range(n), p.rng.randrange(1, n + 1))
    rows = f"{a}.detach().index_select({d}, torch.tensor({index}))"
    v = p.number(t.dtype)
    places = [p.rng.randrange(t.shape[0]) for _ in range(3)]
    forms = [
        f"index_fill_({d}, torch.tensor({index}), {v})",
        f"index_copy_({d}, torch.tensor({index}), {rows})",
        f"index_add_({d}, torch.tensor({index}), {rows})",
        f"scatter_({d}, torch.zeros_like({a}, dtype=torch.int64).narrow({d}, 0, 1), {v})",
        f"put_(torch.tensor({[i for i in index]}), torch.tensor({[0] * len(index)}, dtype={t.dtype}))",
        f"index_put_((torch.tensor({places}),), torch.tensor({v}, dtype={t.dtype}), accumulate=True)",
        f"scatter_add_({d}, torch.zeros_like({a}, dtype=torch.int64), {a}.detach())",
    ]
    if t.dim() == 2:
        forms += [f"fill_diagonal_({v})", "tril_()", "triu_(1)"]
    if p.exact and big(t):
        forms = forms[:2]
    return guarded(p, a, f"{a}.{p.choice(forms)}")


def reshaped(p):
    """Metadata changed in place."""
    a = p.target()
    if a is None:
        return None
    t = p[a]
    forms = [f"unsqueeze_({p.dim(t)})", "squeeze_()", "squeeze_()"]
    if t.dim() == 2:
        forms += ["t_()", "t_()"]
    if t.dim() > 1:
        forms += [f"transpose_({p.dim(t)}, {p.dim(t)})", "swapaxes_(0, 1)"]
    return guarded(p, a, f"{a}.{p.choice(forms)}")


def with_out(p):
    a = p.tensor()
    b = a and p.fitting(p[a])
    if b is None:
        return None

    def apart(t):
        shared = any(
            t is not o and t.untyped_storage().data_ptr() == o.untyped_storage().data_ptr() for o in (p[a], p[b])
        )
        return not t.requires_grad and not shared and t.untyped_storage().resizable()


    try:
        shape = torch.broadcast_shapes(p[a].shape, p[b].shape)
        c = p.target(lambda t: apart(t) and (t.shape == shape or p.chance(0.1) and not exported(p, t)))
    except RuntimeError:
        c = p.target(lambda t: apart(t) and not exported(p, t))
    if c is None:
        return None
    if p.exact and (big(p[a]) or big(p[b])):
        return f"torch.maximum({a}, {b}, out={c})"
    return f"torch.{p.choice(('add', 'mul', 'sub', 'maximum', 'lt', 'add'))}({a}, {b}, out={c})"


def fused(p):
    a = p.target()
    b = a and p.fitting_into(p[a])
    c = b and p.fitting_into(p[a])
    if c is None or p.exact and (big(p[a]) or big(p[b]) or big(p[c])):
        return None
    forms = [f"addcmul_({b}, {c})", f"add_({b}).sub_({c})", f"mul_({b}).add_({c})"]
    if not p.exact:
        forms += [f"lerp_({b}, 0.5)", f"addcdiv_({b}, {c})", f"atan2_({b})"]
    return guarded(p, a, f"{a}.{p.choice(forms)}")


def over_rows(p):
    a = p.target(lambda t: 0 < t.dim() and t.shape[0] < 6)
    write = "add_(1)" if p.exact else p.choice(("add_(1)", "mul_(2)", "zero_()", "neg_()"))
    return a and f"for row in {a}:\n    row.{write}"


MAKERS = [
    (arithmetic, 9, True),
    (plain, 5, True),
    (through_view, 9, True),
    (assigned, 9, True),
    (mask_assigned, 3, True),
    (copied, 4, True),
    (by_index, 4, True),
    (reshaped, 2, True),
    (with_out, 2, True),
    (fused, 2, True),
    (over_rows, 1, True),
    (given_memory, 2, True),
]
