"""Steps of autograd: backward passes, gradients of gradients, hooks, grad modes, leaves that come and go."""


def needs(p, wanted=None):
    return p.tensor(lambda t: t.requires_grad and (wanted is None or wanted(t)))


def leaf(p):
    return needs(p, lambda t: t.is_leaf)


def result(p):
    return needs(p, lambda t: not t.is_leaf) or needs(p)


def scalar_of(p, a):
    t = p[a]
    if t.numel() == 1 and not t.is_complex() and p.chance(0.7):
        return a
    if t.is_complex():
        return f"({a} * {a}.conj()).real.sum()" if p.chance(0.5) else f"{a}.abs().sum()"
    forms = [f"{a}.sum()", f"{a}.sum()", f"({a} * {a}).sum()", f"({a} * 2).sum()"]
    if not p.exact:
        forms += [f"{a}.mean()", f"{a}.tanh().sum()"]
    return p.choice(forms)


def backward(p):
    a = result(p)
    if a is None:
        return None
    words = p.choice(("", "", "", "retain_graph=True", "retain_graph=True", "create_graph=True"))
    if p.chance(0.25):
        gradient = p.choice(
            (
                f"torch.ones_like({a})",
                f"torch.full_like({a}, 2)",
                f"{a}.detach().clone()",
                f"torch.ones_like({a}).expand_as({a})",
            )
        )
        return f"{a}.backward({gradient}{', ' + words if words else ''})"
    if p.chance(0.1):
        b = leaf(p)
        return f"{scalar_of(p, a)}.backward(inputs=[{b}])"
    if p.chance(0.04):
        return f"{a}.backward({words})"
    return f"{scalar_of(p, a)}.backward({words})"


def several(p):
    a, b = result(p), result(p)
    if a is None:
        return None
    return f"torch.autograd.backward([{scalar_of(p, a)}, {scalar_of(p, b)}]{p.choice(('', ', retain_graph=True'))})"


def grad(p):
    a, x = result(p), needs(p)
    y = needs(p)
    if a is None:
        return None
    words = p.choice(("", "", ", retain_graph=True", ", create_graph=True", ", create_graph=True"))
    if p.chance(0.6):
        words += ", allow_unused=True"
    if p.chance(0.1):
        words += ", materialize_grads=True"
    if p.chance(0.5) and x != y:
        names = p.new(), p.new()
        return f"{names[0]}, {names[1]} = torch.autograd.grad({scalar_of(p, a)}, [{x}, {y}]{words})"
    return f"{p.new()} = torch.autograd.grad({scalar_of(p, a)}, {x}{words})[0]"


def twice(p):
    x = leaf(p)
    if x is None or p[x].is_complex():
        return None
    f = (
        p.choice((f"({x} ** 3).sum()", f"({x} * {x} * {x}).sum()"))
        if p.exact
        else p.choice(
            (
                f"{x}.sin().sum()",
                f"({x} ** 3).mean()",
                f"{x}.exp().sum()",
                f"({x}.tanh() * {x}).sum()",
                f"({x} @ {x}.mT).sum()" if p[x].dim() > 1 else f"({x} * {x}).sum()",
                f"torch.softmax({x}, -1).square().sum()" if p[x].dim() else f"{x}.cos()",
            )
        )
    )
    first, second = p.new(), p.new()
    again = p.choice(("", ", create_graph=True"))
    return (
        f"{first}, = torch.autograd.grad({f}, {x}, create_graph=True)\n"
        f"{second}, = torch.autograd.grad(({first} * {first}).sum(), {x}{again})"
    )


def gradient_of(p):
    """What happens to .grad between passes."""
    a = p.tensor(lambda t: t.is_leaf and t.requires_grad and t.grad is not None) or leaf(p)
    if a is None:
        return None
    forms = [
        f"{a}.grad = None",
        f"{a}.grad.zero_()",
        f"{a}.grad.mul_(2)",
        f"{p.new()} = {a}.grad",
        f"{a}.grad = torch.ones_like({a})",
        f"{p.new()} = {a}.grad.clone()",
        f"{a}.grad += 1",
        f"with torch.no_grad():\n    {a} -= {a}.grad",
        f"{a}.data.sub_({a}.grad)",
        f"with torch.no_grad():\n    {a}.add_({a}.grad, alpha=-1)",
    ]
    return p.choice(forms)


def hook(p):
    a = needs(p)
    if a is None:
        return None
    bodies = ("g * 2", "g + 1", "log.append(tuple(g.shape))", "log.append(g.sum().item())", "g.clone()", "-g", "None")
    body = p.choice(bodies[:3] + bodies[4:] if p[a].is_complex() else bodies)
    kind = p.choice(("register_hook", "register_hook", "register_hook", "post", "node", "pre"))
    if kind == "post":
        seen = p.choice(("t.grad.shape", "t.grad.sum().item()", "t.requires_grad", f"t is {a}"))
        seen = "t.shape" if p[a].is_complex() else seen
        return f"{a}.register_post_accumulate_grad_hook(lambda t: log.append({seen}))"
    if kind == "node" and not p[a].is_leaf:
        return f"{a}.grad_fn.register_hook(lambda gi, go: log.append(len(gi)))"
    if kind == "pre" and not p[a].is_leaf:
        return f"{a}.grad_fn.register_prehook(lambda go: {p.choice(('None', '(go[0] * 2,) + tuple(go[1:])'))})"
    if p.chance(0.25):
        return (
            f"handle = {a}.register_hook(lambda g: {body})\n{scalar_of(p, a)}.backward()\nhandle.remove()\ndel handle"
        )
    return f"{a}.register_hook(lambda g: {body})"


def retained(p):
    a = result(p)
    return a and f"{a}.retain_grad()"


def switched(p):
    a = p.tensor()
    if a is None:
        return None
    t = p[a]
    real = t.is_floating_point() or t.is_complex()
    forms = [
        f"{a}.requires_grad_({p.choice(('', 'False'))})" if real or p.chance(0.1) else None,
        f"{p.new()} = {a}.detach()",
        f"{a}.detach_()" if not (t.is_inference() or t.retains_grad) else None,
        f"{a}.requires_grad = {p.choice(('True', 'False'))}" if real else None,
        f"{p.new()} = {a}.detach().requires_grad_()" if real else None,
        f"{p.new()} = {a}.detach().clone().requires_grad_()" if real else None,
    ]
    return p.choice(forms)


def under_mode(p):
    a = p.tensor(lambda t: t.is_floating_point()) or p.tensor()
    b = a and p.fitting(p[a])
    if b is None:
        return None
    mode = p.choice(
        (
            "no_grad()",
            "no_grad()",
            "inference_mode()",
            "inference_mode()",
            "enable_grad()",
            "set_grad_enabled(False)",
            "inference_mode(False)",
        )
    )
    body = p.choice(
        (
            f"{a} + {b}",
            f"{a}.view(-1)",
            f"{a}[:1]" if p[a].dim() else f"{a}.clone()",
            f"{a}.clone()",
            f"{a}.detach()",
            "torch.zeros(3)",
            f"{a}.unsqueeze(0)",
            f"{a}.t()" if p[a].dim() < 3 else f"{a}.mT",
            f"torch.ones_like({a})",
        )
    )
    nested = p.chance(0.15)
    inside = ("no_grad", "inference_mode") if "inference" in mode else ("enable_grad", "no_grad", "inference_mode")
    inner = f"    with torch.{p.choice(inside)}():\n        {p.new()} = {body}" if nested else f"    {p.new()} = {body}"
    return f"with torch.{mode}:\n{inner}"


FUNCTION = """class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.k = k
        ctx.save_for_backward(x)
        return x * k

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        log.append(tuple(x.shape))
        return g * ctx.k, None"""

IN_PLACE = """class AddOne(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    @staticmethod
    def backward(ctx, g):
        return g * 1"""


def function(p):
    a = p.tensor(lambda t: t.requires_grad)
    if a is None:
        return None
    if p.chance(0.3) and not p[a].is_leaf:
        define = "" if "AddOne" in p.env else IN_PLACE + "\n"
        return f"{define}{p.new()} = AddOne.apply({a})"
    define = "" if "Scale" in p.env else FUNCTION + "\n"
    return f"{define}{p.new()} = Scale.apply({a}, 2)"


def saved_hooks(p):
    a = needs(p, lambda t: t.is_floating_point())
    if a is None:
        return None
    name = p.new()
    pack = p.choice(
        (
            "lambda t: t",
            "lambda t: (log.append(t.numel()), t.detach().clone())[1]",
            "lambda t: t.numpy() if not t.requires_grad else t.detach()",
        )
    )
    unpack = "lambda t: t" if "numpy" not in pack else "lambda t: torch.as_tensor(t)"
    head = f"with torch.autograd.graph.saved_tensors_hooks({pack}, {unpack}):"
    return f"{head}\n    {name} = {a} * {a}\n{name}.sum().backward()"


def graph(p):
    a = result(p)
    if a is None:
        return None
    forms = [f"{a}.output_nr", f"{a}.is_leaf", f"{a}._base is None", f"{a}._is_view()"]
    if not p.derived:  # which nodes compute a derivative is nobody's business
        forms += [f"[n and (type(n).__name__, i) for n, i in {a}.grad_fn.next_functions]", f"{a}.grad_fn.name()"]
    return f"{p.new()} = {p.choice(forms)}"


def checkpoint(p):
    a = needs(p, lambda t: t.is_floating_point())
    if a is None:
        return None
    body = p.choice(("v * v", "v * 2 + 1", "v.sum() * v"))
    return f"{p.new()} = torch.utils.checkpoint.checkpoint(lambda v: {body}, {a}, use_reentrant=False)"


MAKERS = [
    (backward, 16, True),
    (several, 2, True),
    (grad, 8, True),
    (twice, 3, True),
    (gradient_of, 7, True),
    (hook, 6, True),
    (retained, 4, True),
    (switched, 5, True),
    (under_mode, 6, True),
    (function, 3, True),
    (saved_hooks, 1, True),
    (graph, 2, True),
    (checkpoint, 1, False),
]
