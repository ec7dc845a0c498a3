"""Hooks on modules, on their state, and for all modules."""

from graphs import error, graph, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


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


test_module_hooks = recorded_test(__file__, CASES)
