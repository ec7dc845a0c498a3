"""Hooks on what the graph saves, and writes to what it saved."""

from graphs import error, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


@case
def saved_tensors_hooks(torch):
    x, seen = leaf(torch), []

    def pack(t):
        seen.append(["pack", t.requires_grad, t.grad_fn is None, torch.is_grad_enabled(), list(t.shape)])
        return t.detach().numpy().copy()

    def unpack(a):
        seen.append(["unpack", torch.is_grad_enabled()])
        return torch.from_numpy(a)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * x).exp()
    z = y * y
    z.sum().backward()
    return [seen, x.grad]


@case
def double_backward_through_saved_hooks(torch):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):
        y = (x * x).exp()
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    return [g, h]


@case
def nested_saved_hooks(torch):
    x, seen = leaf(torch), []
    hooks = torch.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: seen.append("outer") or t, lambda t: t):
        with hooks(lambda t: seen.append("inner") or t, lambda t: t):
            a = x * x
        b = a * a
    b.sum().backward()
    return [seen, x.grad]


@case
def saved_hooks_that_go_wrong(torch):
    x = leaf(torch)
    hooks = torch.autograd.graph.saved_tensors_hooks

    def run(pack, unpack):
        with hooks(pack, unpack):
            y = (x * x).sum()
        y.backward()

    return [
        error(lambda: run(lambda t: t.add_(1), lambda t: t)),
        error(lambda: run(lambda t: 3, lambda t: 3)),
        error(lambda: run(lambda t: 1 / 0, lambda t: t)),
        error(lambda: run(lambda t: t, lambda t: 1 / 0)),
    ]


@case
def saving_on_the_cpu(torch):
    x = leaf(torch)
    with torch.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    y.sum().backward()
    return x.grad


@case
def disabled_saved_hooks(torch):
    x = leaf(torch)
    hooks = torch.autograd.graph.saved_tensors_hooks
    out = []
    with torch.autograd.graph.disable_saved_tensors_hooks("not here"):

        def enter():
            with hooks(lambda t: t, lambda t: t):
                pass

        out.append(error(enter))
        (x * x).sum().backward()

    def disable():
        with hooks(lambda t: t, lambda t: t):
            with torch.autograd.graph.disable_saved_tensors_hooks("not here either"):
                pass

    out.append(error(disable))
    enter()
    return out + [x.grad]


@case
def hooks_of_one_saved_tensor(torch):
    x, seen = leaf(torch), []
    y = x * x
    y.grad_fn._raw_saved_self.register_hooks(lambda t: seen.append("pack") or t * 1, lambda t: seen.append("unpack") or t)
    out = [error(lambda: y.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t))]
    raw = y.grad_fn._raw_saved_self
    y.sum().backward()
    return out + [seen, x.grad, error(lambda: raw.register_hooks(lambda t: t, lambda t: t)), type(raw).__name__]


@case
def mutation_of_saved_tensors(torch):
    x = leaf(torch)
    out = []
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        a = x * 2
        b = a.sin()
        a.sin_()
        a.mul_(3)
        (a * b).sum().backward()
        out.append(x.grad.clone())
    c = x * 2
    d = c.sin()
    c.sin_()
    return out + [error(lambda: d.sum().backward())]


@case
def mutation_outside_of_the_mode(torch):
    x = leaf(torch)
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as ctx:
        a = x * 2
        b = a.sin()
        a.mul_(2)
    ctx.clear()
    return error(lambda: b.sum().backward())


test_saved_hooks = recorded_test(__file__, CASES)
