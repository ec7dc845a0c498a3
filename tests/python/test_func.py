"""torch.func: derivatives as functions of functions, modules as functions, vmap; torch.autograd.functional in full."""

import warnings

from graphs import error, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


def numbers(torch, *shape):
    n = 1
    for s in shape:
        n *= s
    return torch.linspace(0.5, 2.0, n).reshape(shape)


# ---- torch.func ----


@case
def grad(torch):
    x, f = numbers(torch, 3), torch.func
    cube = lambda a: (a**3).sum()  # noqa: E731
    return [
        f.grad(cube)(x),
        f.grad(f.grad(lambda a: a**3))(torch.tensor(2.0)),
        f.grad(lambda a, b: (a * b).sum(), argnums=1)(x, x),
        f.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, 2 * x),
        f.grad(lambda a, b: (a * b).sum(), argnums=-1)(x, x),
        f.grad(lambda a: (cube(a), {"aux": a * 2}), has_aux=True)(x),
        f.grad_and_value(cube)(x),
        f.grad_and_value(lambda a: (cube(a), a * 2), has_aux=True)(x),
        f.grad(lambda d: (d["a"] * d["b"]).sum())({"a": x, "b": x}),
        f.grad(lambda a, k=1: (a * k).sum())(x, k=5),
        f.grad(lambda a: torch.tensor(3.0))(x),
        f.grad(lambda a: a.detach().sum())(x),
        f.grad(cube)(x.detach().requires_grad_()).requires_grad,
    ]


@case
def grad_errors(torch):
    x, f = numbers(torch, 3), torch.func
    return [
        error(lambda: f.grad(lambda a: a)(x)),
        error(lambda: f.grad(lambda a: 3.0)(x)),
        error(lambda: f.grad(lambda a: (a.sum(), a.sum()))(x)),
        error(lambda: f.grad(lambda a: a.sum(), has_aux=True)(x)),
        error(lambda: f.grad(lambda a: (a.sum(), 3), has_aux=True)(x)),
        error(lambda: f.grad(lambda a: a.sum(), argnums=3)(x)),
        error(lambda: f.grad(lambda a: a.sum(), argnums="0")(x)),
        error(lambda: f.grad(lambda a: a.sum(), argnums=())(x)),
        error(lambda: f.grad(lambda a: a.sum())(torch.tensor([1, 2]))),
        error(lambda: f.grad(lambda a: (a * 1j).sum())(x)),
        error(lambda: f.grad(lambda a: 2.0)(3.0)),
    ]


@case
def grad_and_no_grad(torch):
    x, f = numbers(torch, 3), torch.func
    with torch.no_grad():
        inside = f.grad(lambda a: (a**2).sum())(x)

    def part(a):
        with torch.no_grad():
            b = a**2
        return (a * b).sum()

    return [inside, f.grad(part)(x), f.grad(f.grad(lambda a: part(a.expand(3))))(torch.tensor(2.0))]


@case
def vjp(torch):
    x, f = numbers(torch, 3), torch.func
    out, back = f.vjp(lambda a: a**2, x)
    two, back2 = f.vjp(lambda a, b: (a * b, a + b), x, x)
    val, back3, aux = f.vjp(lambda a: (a**2, a * 7), x, has_aux=True)
    tree, back4 = f.vjp(lambda d: {"y": d["a"] * 2}, {"a": x})
    return [
        out,
        back(torch.ones(3)),
        two,
        back2((torch.ones(3), x)),
        val,
        back3(x),
        aux,
        tree,
        back4({"y": torch.ones(3)}),
        error(lambda: back((torch.ones(3), x))),
        error(lambda: back(torch.ones(2))),
        error(lambda: back(3)),
        error(lambda: f.vjp(lambda a: 3, x)),
        error(lambda: f.vjp(lambda a: (a, 3), x)),
    ]


@case
def jvp(torch):
    x, f = numbers(torch, 3), torch.func
    return [
        f.jvp(lambda a: a**2, (x,), (torch.ones(3),)),
        f.jvp(lambda a, b: (a * b, a + b), (x, x), (x, torch.ones(3))),
        f.jvp(lambda a: (a**2, a * 7), (x,), (x,), has_aux=True),
        f.jvp(lambda a: torch.ones(2), (x,), (x,)),
        error(lambda: f.jvp(lambda a: a, x, (x,))),
        error(lambda: f.jvp(lambda a: a, (x,), x)),
        error(lambda: f.jvp(lambda a: a, (x,), (x, x))),
        error(lambda: f.jvp(lambda a: a, (), ())),
        error(lambda: f.jvp(lambda a: a, (3,), (3,))),
    ]


@case
def jacobians(torch):
    x, y, f = numbers(torch, 3), numbers(torch, 2), torch.func
    outer = lambda a, b: torch.outer(a, b)  # noqa: E731
    return [
        f.jacrev(torch.sin)(x),
        f.jacfwd(torch.sin)(x),
        f.jacrev(outer)(x, y),
        f.jacrev(outer, argnums=1)(x, y),
        f.jacrev(outer, argnums=(0, 1))(x, y),
        f.jacfwd(outer, argnums=(0, 1))(x, y),
        f.jacrev(lambda a: (a * 2, {"k": a.sum()}))(x),
        f.jacrev(lambda a: (a * 2, a), has_aux=True)(x),
        f.jacfwd(lambda a: (a * 2, a), has_aux=True)(x),
        f.jacrev(torch.sin, chunk_size=1)(x),
        f.hessian(lambda a: (a**3).sum())(x),
        f.hessian(lambda a, b: (a.sum() * b**2).sum(), argnums=(0, 1))(x, y),
        f.jacrev(f.jacrev(torch.sin))(x),
        f.jacfwd(f.jacrev(lambda a: a.prod()))(x),
        error(lambda: f.jacrev(lambda a: 3)(x)),
        error(lambda: f.jacrev(torch.sin)(3)),
        error(lambda: f.jacrev(torch.sin, chunk_size=0)(x)),
        error(lambda: f.jacrev(torch.sin, argnums=2)(x)),
        error(lambda: f.jacfwd(torch.sin, argnums="a")(x)),
    ]


@case
def functional_call(torch):
    torch.manual_seed(0)
    m, f = torch.nn.Linear(3, 1), torch.func
    x = numbers(torch, 2, 3)
    params = {"weight": numbers(torch, 1, 3), "bias": torch.zeros(1)}
    loss = lambda p: f.functional_call(m, p, (x,)).sum()  # noqa: E731
    bn = torch.nn.BatchNorm1d(3)
    return [
        f.functional_call(m, params, (x,)),
        f.functional_call(m, params, x),
        f.functional_call(m, (params, {}), (x,)),
        f.functional_call(m, {"bias": torch.ones(1), "weight": params["weight"]}, args=(), kwargs={"input": x}),
        f.grad(loss)(params),
        m.weight is not params["weight"],
        error(lambda: f.functional_call(m, {"wrong": x}, (x,))),
        error(lambda: f.functional_call(m, {"weight": params["weight"]}, (x,), strict=True)),
        error(lambda: f.functional_call(m, {**params, "more": x}, (x,), strict=True)),
        error(lambda: f.functional_call(m, 3, (x,))),
        error(lambda: f.functional_call(m, ({"weight": x}, {"weight": x}), (x,))),
        f.functional_call(bn, {"running_mean": torch.ones(3)}, (x,)).shape == (2, 3),
    ]


@case
def tied_weights(torch):
    class M(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.ones(2))
            self.b = self.a

        def forward(self, x):
            return self.a * x + self.b

    m, f = M(), torch.func
    x, w = torch.ones(2), torch.full((2,), 3.0)
    return [
        f.functional_call(m, {"a": w}, (x,)),
        f.functional_call(m, {"a": w}, (x,), tie_weights=False),
        f.functional_call(m, {"a": w, "b": x}, (x,), tie_weights=False),
        error(lambda: f.functional_call(m, {"a": w, "b": x}, (x,))),
    ]


@case
def stack_module_state(torch):
    torch.manual_seed(0)
    f = torch.func
    models = [torch.nn.Linear(3, 2) for _ in range(4)]
    params, buffers = f.stack_module_state(models)
    x = numbers(torch, 5, 3)
    out = torch.vmap(lambda p, b: f.functional_call(models[0], (p, b), (x,)))(params, buffers)
    each = torch.stack([m(x) for m in models])
    models[1].eval()
    return [
        {k: list(v.shape) for k, v in params.items()},
        buffers,
        params["weight"].requires_grad,
        params["weight"].is_leaf,
        torch.allclose(out, each),
        error(lambda: f.stack_module_state([])),
        error(lambda: f.stack_module_state(models)),
        error(lambda: f.stack_module_state([models[0], torch.nn.ReLU()])),
    ]


# ---- torch.autograd.functional ----


@case
def functional_values(torch):
    x, y, F = numbers(torch, 3), numbers(torch, 2), torch.autograd.functional
    two = lambda a, b: (a.sum() * b, a * 2)  # noqa: E731
    cube = lambda a: (a**3).sum()  # noqa: E731
    both = lambda a, b: (a**2).sum() * b.sum()  # noqa: E731
    out = []
    for vectorize in (False, True):
        out += [
            F.jacobian(torch.sin, x, vectorize=vectorize),
            F.jacobian(two, (x, y), vectorize=vectorize),
            F.hessian(cube, x, vectorize=vectorize),
            F.hessian(both, (x, y), vectorize=vectorize),
            F.jacobian(lambda a: a.sum(), x, vectorize=vectorize),
            F.jacobian(lambda a: torch.ones(2), x, vectorize=vectorize),
        ]
    return out + [
        F.jacobian(torch.sin, x, vectorize=True, strategy="forward-mode"),
        F.jacobian(two, (x, y), vectorize=True, strategy="forward-mode"),
        F.hessian(cube, x, vectorize=True, outer_jacobian_strategy="forward-mode"),
        F.vjp(two, (x, y), (torch.ones(2), torch.ones(3))),
        F.jvp(two, (x, y), (torch.ones(3), torch.ones(2))),
        F.vhp(cube, x, torch.ones(3)),
        F.hvp(cube, x, torch.ones(3)),
        F.vhp(both, (x, y), (torch.ones(3), torch.ones(2))),
        F.hvp(both, (x, y), (torch.ones(3), torch.ones(2))),
        F.vjp(cube, x),
        F.jvp(lambda a: a * x, torch.tensor(2.0)),
    ]


@case
def functional_create_graph(torch):
    x, F = leaf(torch), torch.autograd.functional
    out = []
    cube = lambda a: (a**3).sum()  # noqa: E731
    for call in (
        lambda g: F.jacobian(torch.sin, x, create_graph=g),
        lambda g: F.hessian(cube, x, create_graph=g),
        lambda g: F.vjp(cube, x, create_graph=g)[1],
        lambda g: F.jvp(torch.sin, x, torch.ones(3), create_graph=g)[1],
        lambda g: F.vhp(cube, x, torch.ones(3), create_graph=g)[1],
        lambda g: F.hvp(cube, x, torch.ones(3), create_graph=g)[1],
    ):
        a, b = call(False), call(True)
        out.append([a.requires_grad, b.requires_grad, torch.autograd.grad(b.sum(), x)])
    return out


@case
def functional_errors(torch):
    x, F = numbers(torch, 3), torch.autograd.functional
    zero = lambda a: torch.ones(3)  # noqa: E731
    linear = lambda a: (a * 2).sum()  # noqa: E731
    out = []
    for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"):
        f = getattr(F, name)
        v = () if name in ("jacobian", "hessian") else (torch.ones(3),)
        out += [
            name,
            error(lambda: f(lambda a: 3, x, *v)),
            error(lambda: f(lambda a: (a.sum(), 3), x, *v)),
            error(lambda: f(linear, 3, *v)),
            error(lambda: f(linear, (x, 3), *v)),
            error(lambda: f(linear, [x], *v)),
            error(lambda: f(zero, x, *v, strict=True)),
            error(lambda: f(zero, x, *v)),
            error(lambda: f(linear, x, *v, strict=True)),
            error(lambda: f(linear, x, *v, strict=True, create_graph=True)),
            error(lambda: f(lambda a: a * 2, x, *v)),
            error(lambda: f(lambda a: (a.sum(), a.sum()), x, *v)),
            error(lambda: f(lambda a, b: (a * 2).sum(), (x, x), *((x, x),) if v else (), strict=True)),
        ]
        if v:
            out += [
                error(lambda: f(linear, x, torch.ones(2))),
                error(lambda: f(linear, x, (torch.ones(3), torch.ones(3)))),
                error(lambda: f(linear, (x, x), torch.ones(3))),
                error(lambda: f(lambda a: a * 2, x)),
                error(lambda: f(linear, x, 3)),
            ]
    return out + [
        error(lambda: F.jacobian(linear, x, strategy="sideways")),
        error(lambda: F.jacobian(linear, x, strategy="forward-mode")),
        error(lambda: F.jacobian(linear, x, vectorize=True, strict=True)),
        error(lambda: F.jacobian(linear, x, vectorize=True, strategy="forward-mode", create_graph=True)),
        error(lambda: F.hessian(linear, x, vectorize=True, strict=True)),
        error(lambda: F.hessian(linear, x, outer_jacobian_strategy="sideways")),
    ]


# ---- checkpoints ----


@case
def checkpoint(torch):
    from importlib import import_module

    C = import_module(torch.__name__ + ".utils.checkpoint")
    out = []
    for reentrant in (False, True):
        x, runs = leaf(torch), []

        def f(a, k=2):
            runs.append(torch.is_grad_enabled())
            return (a * k).exp() * a

        y = C.checkpoint(f, x, use_reentrant=reentrant)
        y.sum().backward()
        out.append([runs, y.detach(), x.grad, y.grad_fn.name()])
        if not reentrant:
            y = C.checkpoint(f, x, k=3, use_reentrant=False)
            (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            out.append([g.detach(), torch.autograd.grad(g.sum(), x)])
            y = C.checkpoint(f, x, use_reentrant=False)
            y.sum().backward(retain_graph=True)
            out.append(error(lambda: y.sum().backward()))
        else:
            out.append(error(lambda: C.checkpoint(f, x, k=3, use_reentrant=True)))
            y = C.checkpoint(f, x * 1, use_reentrant=True)
            out.append(error(lambda: torch.autograd.grad(y.sum(), x)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            C.checkpoint(f, torch.ones(2), use_reentrant=reentrant)
        out.append([str(w.message) for w in caught])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error(lambda: C.checkpoint(f, leaf(torch)))
    out.append([str(w.message) for w in caught])
    torch.manual_seed(3)
    x = leaf(torch, 8)
    for reentrant in (False, True):
        y = C.checkpoint(lambda a: torch.nn.functional.dropout(a * a, 0.5), x, use_reentrant=reentrant)
        (g,) = torch.autograd.grad(y.sum(), x) if not reentrant else (y.sum().backward(), x.grad)[1:]
        out.append([y.detach(), g, torch.equal(g != 0, y != 0)])
    m = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for p in m.parameters():
            p.fill_(0.5)
    z = leaf(torch, 2, 3)
    C.checkpoint_sequential(m, 2, z, use_reentrant=False).sum().backward()
    out.append([z.grad, [p.grad for p in m.parameters()]])
    count = [0]

    def changing(a):
        count[0] += 1
        return (a * a).sin() if count[0] == 1 else a * a

    out.append(str(error(lambda: C.checkpoint(changing, leaf(torch), use_reentrant=False).sum().backward()))[:200])
    return out


test_func = recorded_test(__file__, CASES)
