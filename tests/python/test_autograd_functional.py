"""autograd.grad and backward, autograd.functional, torch.func, graph hooks and grad modes; results from PyTorch."""

from shown import expression_cases, shown
from recorded import recorded_test


def names(torch):
    return {
        "x": torch.tensor([1.0, 2.0, 3.0], requires_grad=True),
        "y": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "A": torch.autograd,
        "Fn": torch.autograd.functional,
        "f": torch.func,
        "ones": torch.ones,
    }


CASES = expression_cases(
    """
A.backward([])
A.backward([(x * 2).sum()], inputs=[])
A.backward([x * 2], [3.0])
A.backward([ones(1)])
A.backward([x * 2])
A.grad(x * 2, x, ones(2))
A.grad(x * 2, x, 2.0)
A.grad((x * 2).sum(), ones(2, requires_grad=True))
A.grad((x * 2).sum(), ones(2))
A.grad((x * 2).sum(), [])
A.grad((x * 2).sum(), [3])
A.grad([3], x)
A.grad((x * 2).sum(), [x, ones(2, requires_grad=True)], materialize_grads=True)
A.grad((x * 2).sum(), [x, ones(2, requires_grad=True)], allow_unused=True)
A.grad((x * 2).sum(), [x], materialize_grads=True, allow_unused=False)
A.grad((x * 2).sum(), [x], only_inputs=False)
A.grad(x * 2, x, torch.eye(3), is_grads_batched=True)
A.grad(A.grad((x ** 3).sum(), x, create_graph=True)[0].sum(), x)
A.grad((x ** 3).sum(), x, create_graph=True)[0].requires_grad
(x * 2).sum().backward(3)
A.Variable(ones(1), requires_grad=True)
isinstance(x, A.Variable)
Fn.jacobian(lambda a: a ** 2, x)
Fn.jacobian(lambda a, b: (a.sum() * b, a * 2), (x, y))
Fn.jacobian(lambda a: a ** 3, x, create_graph=True).requires_grad
Fn.hessian(lambda a: (a ** 3).sum(), x)
Fn.hessian(lambda a, b: (a ** 3).sum() * b.sum(), (x, y))
Fn.vjp(lambda a: a ** 2, x, ones(3))
Fn.vjp(lambda a: a ** 2, x)
Fn.vjp(lambda a: (a ** 2).sum(), x)
Fn.vjp(lambda a: a ** 2, x, ones(2))
Fn.jvp(lambda a: a ** 2, x, ones(3))
Fn.hvp(lambda a: (a ** 3).sum(), x, ones(3))
Fn.vhp(lambda a: (a ** 3).sum(), x, ones(3))
Fn.hvp(lambda a: a ** 3, x, ones(3))
Fn.jacobian(lambda a: 3, x)
Fn.jacobian(lambda a: a, 3)
Fn.jacobian(lambda a: ones(1), x)
Fn.jacobian(lambda a: ones(1), x, strict=True)
f.grad(lambda a: (a ** 2).sum())(x.detach())
f.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x.detach(), x.detach())
f.grad(lambda a: ((a ** 2).sum(), a * 2), has_aux=True)(x.detach())
f.grad(f.grad(lambda a: a.sin()))(torch.tensor(1.0))
f.grad_and_value(lambda a: (a ** 2).sum())(x.detach())
f.grad(lambda a: a ** 2)(x.detach())
f.grad(lambda a: 3)(x.detach())
f.jacrev(lambda a: a ** 2)(x.detach())
f.jacfwd(lambda a: a ** 2)(x.detach())
f.hessian(lambda a: (a ** 3).sum())(x.detach())
f.vmap(torch.dot)(y, y)
f.vmap(lambda a, b: a * b, in_dims=(0, None), out_dims=1)(y, torch.tensor([1.0, 2.0]))
f.vmap(f.grad(lambda a: (a ** 2).sum()))(y)
f.vmap(lambda d: d["a"].sum(), in_dims=({"a": 0},))({"a": y})
A.graph.get_gradient_edge(x).output_nr
isinstance((x * 2).grad_fn, A.graph.Node)
[type(q.grad_fn).__name__ for q in (x.sum(), x.mean(), x.max(), x[0], x.view(3), x + 1, x * x, x / 2, x - 1, -x, x ** 2, x.exp(), x @ x)]
[fn[0].name() for fn in (x * ones(3, requires_grad=True)).grad_fn.next_functions]
x.add_(1)
x.view(3).add_(1)
(x * 2).requires_grad_(False)
ones(1, dtype=torch.int64).requires_grad_()
ones(1, dtype=torch.int64, requires_grad=True)
torch.inference_mode()(lambda: ones(2).is_inference())()
torch.no_grad()(lambda: torch.is_grad_enabled())()
torch.set_grad_enabled(True)
""",
    names,
)


def graph_hooks(torch):
    log = []
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: (log.append("pack"), t)[1], lambda t: (log.append("unpack"), t)[1]
    ):
        z = (x * x).sum()
    z.backward()
    return log, x.grad


def hooks_that_are_off(torch):
    def use():
        with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
            with torch.autograd.graph.save_on_cpu():
                pass

    return shown(use)


def hook_on_several_gradients(torch):
    log, a, b = [], torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    handle = torch.autograd.graph.register_multi_grad_hook(
        (a, b), lambda grads: log.append([g.tolist() for g in grads])
    )
    (a * b * 3).sum().backward()
    (a * b).sum().backward()
    handle.remove()
    (a * b).sum().backward()
    return log


def edges_stand_for_tensors(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    edge = torch.autograd.graph.get_gradient_edge(y)
    return torch.autograd.grad((y * y).sum(), edge, retain_graph=True), torch.autograd.grad(edge, x, torch.ones(3))


def mutation_of_saved_tensors(torch):
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        a = torch.ones(2, requires_grad=True)
        b = a.clone()
        c = b * b
        b.mul_(5)
        c.sum().backward()
    return a.grad


def version_counts(torch):
    t = torch.ones(2)
    torch.autograd.graph.increment_version(t)
    t.add_(1)
    return t._version, t.data._version


def hooks_change_gradients(torch):
    seen, a = [], torch.ones(2, requires_grad=True)
    handle = a.register_hook(lambda g: g * 10)
    a.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (a * 2).sum().backward()
    handle.remove()
    (a * 2).sum().backward()
    b = a * 3
    b.retain_grad()
    b.sum().backward()
    return seen, b.grad


def node_hooks(torch):
    log, a = [], torch.ones(2, requires_grad=True)
    b = a * 3
    b.grad_fn.register_prehook(lambda grads: log.append(["pre", grads[0].tolist()]))
    b.grad_fn.register_hook(lambda ins, outs: log.append(["post", ins[0].tolist(), outs[0].tolist()]))
    b.sum().backward()
    return log


def modes_in_generators(torch):
    @torch.no_grad()
    def numbers():
        yield torch.is_grad_enabled()
        yield torch.is_grad_enabled()

    return [(inside, torch.is_grad_enabled()) for inside in numbers()]


def modes_nest(torch):
    out = []
    with torch.no_grad():
        with torch.enable_grad():
            out.append(torch.is_grad_enabled())
        out.append(torch.is_grad_enabled())
        with torch.set_grad_enabled(True):
            out.append(torch.is_grad_enabled())
    return out + [torch.is_grad_enabled()]


def inference_tensors(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        a = torch.ones(2)
    return shown(lambda: (a * x).sum()), shown(lambda: a.add_(1)), a.is_inference(), a.clone().is_inference()


def functional_call(torch):
    layer = torch.nn.Linear(2, 2)
    with torch.no_grad():
        for p in layer.parameters():
            p.fill_(0.5)
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    params = {k: v.detach() for k, v in layer.named_parameters()}
    grads = torch.func.grad(lambda p: torch.func.functional_call(layer, p, (y,)).sum())(params)
    return torch.func.functional_call(layer, {"weight": torch.ones(2, 2)}, (y,)), grads, layer.weight


def vjp_and_jvp(torch):
    x = torch.tensor([1.0, 2.0, 3.0])
    out, pull = torch.func.vjp(lambda a: a**2, x)
    return out, pull(torch.ones(3)), torch.func.jvp(lambda a: a**2, (x,), (torch.ones(3),))


def ensemble(torch):
    models = [torch.nn.Linear(2, 1) for _ in range(3)]
    params, buffers = torch.func.stack_module_state(models)
    base = models[0]
    return torch.func.vmap(lambda p, b, x: torch.func.functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))(
        params, buffers, torch.ones(4, 2)
    )


CASES.update(
    (f.__name__, f)
    for f in (
        graph_hooks,
        hooks_that_are_off,
        hook_on_several_gradients,
        edges_stand_for_tensors,
        mutation_of_saved_tensors,
        version_counts,
        hooks_change_gradients,
        node_hooks,
        modes_in_generators,
        modes_nest,
        inference_tensors,
        functional_call,
        vjp_and_jvp,
        ensemble,
    )
)
test_case = recorded_test(__file__, CASES)


def test_anomaly_warns_with_the_place_of_the_call():
    import warnings
    import hwaro as torch
    import pytest

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output."):
            with torch.autograd.detect_anomaly():
                a = torch.zeros(1, requires_grad=True)
                (a.sqrt() * 0).sum().backward()
    texts = [str(w.message) for w in caught]
    assert any("Error detected in SqrtBackward0" in t and "a.sqrt()" in t for t in texts)
    assert torch.is_anomaly_enabled() is False


def test_retained_gradients_of_tensors_that_are_gone():
    import hwaro as torch

    x = torch.ones(1000, requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = y.sum()
    del y
    spare = [torch.zeros(1000) for _ in range(8)]  # takes the memory that has become free
    z.backward()
    assert x.grad.tolist() == [2.0] * 1000 and all(s.sum() == 0 and s.grad is None for s in spare)
