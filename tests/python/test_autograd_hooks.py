"""Hooks on tensors, after accumulation, on nodes, on several gradients at once."""

import warnings

from graphs import error, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


# ---- tensors ----


@case
def order_on_leaf(torch):
    x, seen = leaf(torch), []
    x.register_hook(lambda g: seen.append(1))
    x.register_hook(lambda g: seen.append(2) or g * 10)
    x.register_hook(lambda g: seen.append(g.clone()))
    x.register_post_accumulate_grad_hook(lambda p: seen.append(["post", p is x, p.grad.clone()]))
    (x * 2).sum().backward()
    return [seen, x.grad]


@case
def order_on_non_leaf(torch):
    x, seen = leaf(torch), []
    y = x * 2
    y.register_hook(lambda g: seen.append(1))
    y.retain_grad()
    y.register_hook(lambda g: seen.append(2) or g * 10)
    y.grad_fn.register_prehook(lambda gs: seen.append(["pre", gs[0].clone(), y.grad is None]))
    y.grad_fn.register_hook(lambda gi, go: seen.append(["node", [i if i is None else i.clone() for i in gi], go[0].clone()]))
    y.register_hook(lambda g: seen.append(3))
    y.sum().backward()
    return [seen, x.grad, y.grad]


@case
def removal(torch):
    x, seen = leaf(torch), []
    a = x.register_hook(lambda g: seen.append("a"))
    b = x.register_hook(lambda g: seen.append("b"))
    (x * 2).sum().backward()
    a.remove()
    (x * 2).sum().backward()
    a.remove()
    b.remove()
    (x * 2).sum().backward()
    with x.register_hook(lambda g: seen.append("c")):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    return [seen, type(a).__name__, b.id - a.id]


@case
def removal_during_backward(torch):
    x, seen = leaf(torch), []
    handles = []

    def once(g):
        seen.append("once")
        handles[0].remove()

    handles.append(x.register_hook(once))
    x.register_hook(lambda g: seen.append("other"))
    for _ in range(2):
        (x * 2).sum().backward()
    return seen


@case
def what_hooks_may_return(torch):
    out = []
    for value in (
        lambda g: 3,
        lambda g: g[:2],
        lambda g: g.double(),
        lambda g: (g,),
        lambda g: g.to(torch.int64),
        lambda g: g.reshape(1, 3),
        lambda g: [],
        lambda g: False,
    ):
        x = leaf(torch)
        y = x * 2
        y.register_hook(value)
        out.append(error(lambda: y.sum().backward()))
        out.append(x.grad)
    return out


@case
def hook_names_in_errors(torch):
    class Callable:
        def __call__(self, g):
            return g[:1]

    def named(g):
        return g[:1]

    out = []
    for hook in (named, Callable(), lambda g: g[:1]):
        x = leaf(torch)
        x.register_hook(hook)
        out.append(str(error(lambda: x.sum().backward())).split("0x")[0])
    return out


@case
def hook_that_is_no_function(torch):
    x = leaf(torch)
    x.register_hook(3)
    return error(lambda: x.sum().backward())


@case
def hook_that_raises(torch):
    x = leaf(torch)
    x.register_hook(lambda g: 1 / 0)
    return [error(lambda: (x * 2).sum().backward()), x.grad]


@case
def hook_on_several_uses(torch):
    x, seen = leaf(torch), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.clone()))
    (y.sum() + (y * y).sum()).backward()
    return seen


@case
def hook_on_grad_call(torch):
    x, seen = leaf(torch), []
    y = x * 2
    x.register_hook(lambda g: seen.append("x") or g * 3)
    y.register_hook(lambda g: seen.append("y") or g * 5)
    y.grad_fn.register_prehook(lambda gs: seen.append("pre") or (gs[0] * 7,))
    z = y.sum()
    first = torch.autograd.grad(z, [x, y], retain_graph=True)
    second = torch.autograd.grad(z, y, retain_graph=True)
    z.backward(inputs=[y])
    return [seen, first, second, x.grad]


@case
def hook_on_one_of_several_outputs(torch):
    x, seen = leaf(torch, 4), []
    a, b = (x * 2).split(2)
    b.register_hook(lambda g: seen.append(g.clone()) or g * 2)
    a.sum().backward(retain_graph=True)
    (a.sum() + b.sum()).backward()
    return [seen, x.grad]


@case
def hook_that_uses_autograd(torch):
    x, seen = leaf(torch), []

    def inner(g):
        w = leaf(torch)
        with torch.enable_grad():
            (w * w).sum().backward()
        seen.append([torch.is_grad_enabled(), w.grad])

    x.register_hook(inner)
    (x * 2).sum().backward()
    (g,) = torch.autograd.grad((x * 2).sum(), x, create_graph=True)
    return [seen, x.grad, g]


@case
def hook_under_create_graph(torch):
    x, seen = leaf(torch), []
    y = x * x
    y.register_hook(lambda g: seen.append(g.requires_grad) or g * x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    return [seen, g, h]


@case
def hooks_want_gradients(torch):
    x = torch.ones(3)
    return [
        error(lambda: x.register_hook(lambda g: g)),
        error(lambda: x.retain_grad()),
        error(lambda: x.register_post_accumulate_grad_hook(lambda p: p)),
        error(lambda: (leaf(torch) * 2).register_post_accumulate_grad_hook(lambda p: p)),
    ]


@case
def post_accumulate(torch):
    x, seen = leaf(torch), []

    def step(p):
        seen.append(p.grad.clone())
        with torch.no_grad():
            p.sub_(p.grad)
        p.grad = None

    h = x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    (x * x).sum().backward()
    h.remove()
    (x * 2).sum().backward()
    return [seen, x, x.grad]


@case
def what_post_accumulate_returns_is_ignored(torch):
    x = leaf(torch)
    x.register_post_accumulate_grad_hook(lambda p: p)
    return error(lambda: (x * 2).sum().backward())


@case
def retain_grad_rules(torch):
    x = leaf(torch)
    y = x * 2
    out = [x.retains_grad, y.retains_grad]
    x.retain_grad()
    y.retain_grad()
    y.retain_grad()
    out += [x.retains_grad, y.retains_grad]
    y.sum().backward(retain_graph=True)
    out.append(y.grad.clone())
    y.sum().backward()
    return out + [y.grad, y.grad.requires_grad, x.grad]


@case
def grad_of_non_leaf(torch):
    x = leaf(torch)
    y = x * 2
    y.sum().backward()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grad = y.grad
    return [grad, [str(w.message).split(" (Triggered")[0] for w in caught]]


@case
def retain_grad_of_hooked(torch):
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return [y.grad, x.grad]


# ---- nodes ----


@case
def node_hook_replaces(torch):
    x = leaf(torch)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10, None))
    y.sum().backward()
    return x.grad


@case
def node_hook_of_wrong_count(torch):
    x = leaf(torch)
    out = []
    for value in (lambda gi, go: (gi[0],), lambda gi, go: 3, lambda gi, go: gi[0], lambda gi, go: ()):
        y = x * 2
        y.grad_fn.register_hook(value)
        out.append(error(lambda: y.sum().backward()))
    for value in (lambda go: (go[0], go[0]), lambda go: 3, lambda go: go[0] * 2, lambda go: ()):
        y = x * 2
        y.grad_fn.register_prehook(value)
        out.append(error(lambda: y.sum().backward()))
    return out + [x.grad]


@case
def node_hooks_and_removal(torch):
    x, seen = leaf(torch), []
    y = x * 2
    a = y.grad_fn.register_hook(lambda gi, go: seen.append("a"))
    b = y.grad_fn.register_prehook(lambda go: seen.append("b"))
    y.grad_fn.register_hook(lambda gi, go: seen.append("c"))
    y.sum().backward(retain_graph=True)
    a.remove()
    b.remove()
    y.sum().backward()
    return [seen, type(a).__name__]


@case
def hook_on_accumulate_grad(torch):
    x, seen = leaf(torch), []
    y = x * 2
    acc = y.grad_fn.next_functions[0][0]
    acc.register_prehook(lambda gs: seen.append("pre") or (gs[0] * 3,))
    acc.register_hook(lambda gi, go: seen.append(["post", gi, go[0].clone(), x.grad is not None]))
    x.register_hook(lambda g: seen.append("tensor") or g + 1)
    y.sum().backward(retain_graph=True)
    torch.autograd.grad(y.sum(), x)
    return [seen, x.grad, acc.variable is x]


@case
def node_hook_sees_none(torch):
    x, seen = leaf(torch, 4), []
    a, b = (x * 2).split(2)
    a.grad_fn.register_prehook(lambda go: seen.append([g if g is None else g.clone() for g in go]))
    b.sum().backward()
    return [seen, x.grad]


# ---- several gradients at once ----


@case
def multi_grad_hook(torch):
    x, seen = leaf(torch), []
    a, b, c = x * 2, x * 3, x * 4
    h = torch.autograd.graph.register_multi_grad_hook((a, b, c), lambda gs: seen.append([g is not None for g in gs]))
    (a + b).sum().backward(retain_graph=True)
    (a + b + c).sum().backward(retain_graph=True)
    c.sum().backward(retain_graph=True)
    h.remove()
    (a + b + c).sum().backward()
    return seen


@case
def multi_grad_hook_any(torch):
    x, seen = leaf(torch), []
    a, b = x * 2, x * 3
    torch.autograd.graph.register_multi_grad_hook((a, b), lambda g: seen.append(g.clone()), mode="any")
    (a + b * 2).sum().backward(retain_graph=True)
    a.sum().backward()
    return [
        seen,
        error(lambda: torch.autograd.graph.register_multi_grad_hook((a, b), lambda g: g, mode="none")),
        error(lambda: torch.autograd.graph.register_multi_grad_hook((torch.ones(1),), lambda g: g)),
    ]


test_hooks = recorded_test(__file__, CASES)
