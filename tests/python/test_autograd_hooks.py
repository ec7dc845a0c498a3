"""Hooks: on tensors, after accumulation, on nodes, on modules, on what the graph saves, on several gradients at once."""

import warnings

from graphs import error, graph, leaf
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


# ---- what the graph saves ----


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


# ---- modules ----


def net(torch):
    torch.manual_seed(0)
    m = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    with torch.no_grad():
        for i, p in enumerate(m.parameters()):
            p.copy_(torch.linspace(-1, 1 + i, p.numel()).reshape(p.shape))
    return m


@case
def module_hooks(torch):
    m, seen = net(torch), []
    x = leaf(torch, 2, 3)
    m[0].register_forward_pre_hook(lambda mod, args: seen.append(["pre", type(mod).__name__, len(args)]))
    m[0].register_forward_hook(lambda mod, args, out: seen.append(["forward", list(out.shape)]) or out * 2)
    m[0].register_full_backward_pre_hook(lambda mod, go: seen.append(["backward pre", go[0].clone()]))
    m[0].register_full_backward_hook(lambda mod, gi, go: seen.append(["backward", gi[0].clone(), go[0].clone()]))
    y = m(x)
    y.sum().backward()
    return [seen, x.grad, graph(y), [p.grad for p in m.parameters()]]


@case
def module_hooks_replace(torch):
    m = net(torch)
    x = leaf(torch, 2, 3)
    a = m[0].register_forward_pre_hook(lambda mod, args: (args[0] * 2,))
    b = m[2].register_forward_pre_hook(lambda mod, args: args[0] + 1)
    c = m[0].register_full_backward_hook(lambda mod, gi, go: (gi[0] * 100,))
    d = m[2].register_full_backward_pre_hook(lambda mod, go: (go[0] * 3,))
    m(x).sum().backward()
    first = x.grad.clone()
    for h in (a, b, c, d):
        h.remove()
    m(x).sum().backward()
    return [first, x.grad]


@case
def module_hooks_with_keywords(torch):
    class M(torch.nn.Module):
        def forward(self, x, scale=1):
            return x * scale

    m, seen = M(), []
    m.register_forward_pre_hook(lambda mod, args, kw: seen.append(sorted(kw)) or (args, {"scale": 5}), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, kw, out: seen.append(kw["scale"]) or out + 1, with_kwargs=True)
    m.register_forward_hook(lambda mod, args, out: seen.append("first"), prepend=True)
    return [m(torch.ones(2), scale=3), seen]


@case
def module_hook_errors(torch):
    m = net(torch)
    x = leaf(torch, 2, 3)
    h = m[0].register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    out = [error(lambda: m(x).sum().backward())]
    h.remove()
    h = m[0].register_full_backward_hook(lambda mod, gi, go: 3)
    out.append(error(lambda: m(x).sum().backward()))
    h.remove()
    h = m[0].register_full_backward_pre_hook(lambda mod, go: 3)
    out.append(error(lambda: m(x).sum().backward()))
    h.remove()
    h = m[0].register_forward_pre_hook(lambda mod, args, kw: 3, with_kwargs=True)
    out.append(error(lambda: m(x)))
    h.remove()
    m[0].register_backward_hook(lambda mod, gi, go: None)
    out.append(error(lambda: m[0].register_full_backward_hook(lambda mod, gi, go: None)))
    return out


@case
def module_always_call(torch):
    class M(torch.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    m, seen = M(), []
    m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    m.register_forward_hook(lambda mod, args, out: seen.append("never"))
    return [error(lambda: m(torch.ones(1))), seen]


@case
def module_backward_hook_without_input_gradient(torch):
    m, seen = net(torch), []
    m[0].register_full_backward_hook(lambda mod, gi, go: seen.append([gi, go[0].clone()]))
    m(torch.ones(2, 3)).sum().backward()
    return seen


@case
def module_backward_hook_and_in_place(torch):
    m = torch.nn.Linear(3, 2)
    m.register_full_backward_hook(lambda mod, gi, go: None)
    y = m(leaf(torch, 1, 3))
    return error(lambda: y.mul_(2))


@case
def global_module_hooks(torch):
    m, seen = net(torch), []
    M = torch.nn.modules.module
    handles = [
        M.register_module_forward_pre_hook(lambda mod, args: seen.append(["pre", type(mod).__name__])),
        M.register_module_forward_hook(lambda mod, args, out: seen.append(["forward", type(mod).__name__])),
        M.register_module_full_backward_hook(lambda mod, gi, go: seen.append(["backward", type(mod).__name__])),
        M.register_module_full_backward_pre_hook(lambda mod, go: seen.append(["backward pre", type(mod).__name__])),
    ]
    m(leaf(torch, 2, 3)).sum().backward()
    for h in handles:
        h.remove()
    m(leaf(torch, 2, 3)).sum().backward()
    return seen


@case
def state_hooks(torch):
    m, seen = net(torch), []
    m.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(["pre", prefix, keep]))
    m.register_state_dict_post_hook(lambda mod, state, prefix, meta: seen.append(["post", sorted(state), prefix]))
    m.register_load_state_dict_pre_hook(lambda mod, state, prefix, *rest: seen.append(["load pre", prefix, len(rest)]))
    m.register_load_state_dict_post_hook(lambda mod, keys: seen.append(["load post", keys.missing_keys]))
    state = m.state_dict()
    del state["0.bias"]
    m.load_state_dict(state, strict=False)
    return seen


test_hooks = recorded_test(__file__, CASES)
