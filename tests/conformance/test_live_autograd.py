"""What autograd promises beyond values: node names, identity, versions, hooks, graphs kept and freed, errors."""

import pytest

from both import assert_same


def name(t):
    return type(t.grad_fn).__name__


NAMES = {
    "sum": lambda lib, x: x.sum(),
    "sum dim": lambda lib, x: x.sum(0),
    "mean": lambda lib, x: x.mean(),
    "mean dim": lambda lib, x: x.mean(1),
    "max": lambda lib, x: x.max(),
    "max dim": lambda lib, x: x.max(0).values,
    "min dim": lambda lib, x: x.min(0).values,
    "amax": lambda lib, x: x.amax(0),
    "clamp": lambda lib, x: x.clamp(0, 1),
    "clamp min": lambda lib, x: x.clamp(min=0),
    "clamp tensors": lambda lib, x: x.clamp(lib.zeros(3), lib.ones(3)),
    "pow": lambda lib, x: x**2,
    "pow number": lambda lib, x: 2**x,
    "pow tensor": lambda lib, x: x.abs() ** x,
    "dot": lambda lib, x: x[0] @ x[1],
    "mv": lambda lib, x: x @ x[0],
    "vm": lambda lib, x: x[:, 0] @ x,
    "mm": lambda lib, x: x @ x,
    "bmm": lambda lib, x: x.expand(2, 3, 3) @ x.expand(2, 3, 3),
    "3d 2d": lambda lib, x: lib.ones(2, 3, 3) @ x,
    "linear": lambda lib, x: lib.nn.functional.linear(x, x),
    "linear bias": lambda lib, x: lib.nn.functional.linear(x, x, x[0]),
    "linear 3d": lambda lib, x: lib.nn.functional.linear(x.expand(2, 3, 3), x, x[0]),
    "cross_entropy": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 1, 2])),
    "reshape view": lambda lib, x: x.reshape(9),
    "reshape copy": lambda lib, x: x.t().reshape(9),
    "view": lambda lib, x: x.view(9),
    "to": lambda lib, x: x.to(lib.float64),
    "norm": lambda lib, x: x.norm(),
    "norm 1": lambda lib, x: x.norm(p=1),
    "norm dim": lambda lib, x: x.norm(dim=1),
    "chunk": lambda lib, x: x.chunk(3)[1],
    "split": lambda lib, x: x.split([1, 2])[1],
    "unbind": lambda lib, x: x.unbind()[0],
    "t": lambda lib, x: x.t(),
    "transpose": lambda lib, x: x.transpose(0, 1),
    "permute": lambda lib, x: x.permute(1, 0),
    "mT": lambda lib, x: x.mT,
    "flatten": lambda lib, x: x.flatten(),
    "squeeze": lambda lib, x: x[None].squeeze(),
    "squeeze dim": lambda lib, x: x[None].squeeze(0),
    "expand": lambda lib, x: x.expand(2, 3, 3),
    "select": lambda lib, x: x[0],
    "slice": lambda lib, x: x[1:],
    "index": lambda lib, x: x[[0, 1]],
    "mask": lambda lib, x: x[x > 0],
    "take": lambda lib, x: x.take(lib.tensor([0, 1])),
    "gather": lambda lib, x: x.gather(0, lib.zeros(1, 3, dtype=lib.int64)),
    "scatter": lambda lib, x: x.scatter(0, lib.zeros(1, 3, dtype=lib.int64), 1.0),
    "index_select": lambda lib, x: x.index_select(0, lib.tensor([0])),
    "masked_fill": lambda lib, x: x.masked_fill(x > 0, 1),
    "where": lambda lib, x: lib.where(x > 0, x, 1.0),
    "cat": lambda lib, x: lib.cat([x, x]),
    "stack": lambda lib, x: lib.stack([x, x]),
    "add number": lambda lib, x: x + 1,
    "rsub": lambda lib, x: 1 - x,
    "rdiv": lambda lib, x: 1 / x,
    "neg": lambda lib, x: -x,
    "abs": lambda lib, x: abs(x),
    "std": lambda lib, x: x.std(),
    "var dim": lambda lib, x: x.var(1),
    "prod": lambda lib, x: x.prod(),
    "prod dim": lambda lib, x: x.prod(0),
    "cumsum": lambda lib, x: x.cumsum(0),
    "cumprod": lambda lib, x: x.cumprod(0),
    "logsumexp": lambda lib, x: x.logsumexp(0),
    "softmax": lambda lib, x: x.softmax(0),
    "log_softmax": lambda lib, x: x.log_softmax(0),
    "sort": lambda lib, x: x.sort().values,
    "topk": lambda lib, x: x.topk(2).values,
    "median": lambda lib, x: x.median(),
    "kthvalue": lambda lib, x: x.kthvalue(1).values,
    "relu": lambda lib, x: x.relu(),
    "gelu": lambda lib, x: lib.nn.functional.gelu(x),
    "silu": lambda lib, x: lib.nn.functional.silu(x),
    "leaky": lambda lib, x: lib.nn.functional.leaky_relu(x),
    "dropout": lambda lib, x: lib.nn.functional.dropout(x),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (3,)),
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True),
    "conv1d": lambda lib, x: lib.nn.functional.conv1d(x[None], x[:, :, None]),
    "max_pool": lambda lib, x: lib.nn.functional.max_pool2d(x[None], 2),
    "avg_pool": lambda lib, x: lib.nn.functional.avg_pool2d(x[None], 2),
    "embedding": lambda lib, x: lib.nn.functional.embedding(lib.tensor([0, 1]), x),
    "mse": lambda lib, x: lib.nn.functional.mse_loss(x, x.detach() + 1),
    "bce": lambda lib, x: lib.nn.functional.binary_cross_entropy_with_logits(x, lib.ones(3, 3)),
    "einsum": lambda lib, x: lib.einsum("ij,jk->ik", x, x),
    "matmul add": lambda lib, x: lib.addmm(x, x, x),
    "outer": lambda lib, x: lib.outer(x[0], x[0]),
    "tril": lambda lib, x: x.tril(),
    "diag": lambda lib, x: x.diag(),
    "flip": lambda lib, x: x.flip(0),
    "roll": lambda lib, x: x.roll(1),
    "repeat": lambda lib, x: x.repeat(2, 1),
    "pad": lambda lib, x: lib.nn.functional.pad(x, (1, 1)),
    "clone": lambda lib, x: x.clone(),
    "contiguous": lambda lib, x: x.t().contiguous(),
    "unfold": lambda lib, x: x.unfold(0, 2, 1),
    "as_strided": lambda lib, x: x.as_strided((2,), (1,)),
    "lerp": lambda lib, x: lib.lerp(x, x, 0.5),
    "addcmul": lambda lib, x: lib.addcmul(x, x, x),
    "sdpa": lambda lib, x: lib.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None]),
    "float": lambda lib, x: x.double().float(),
    "setitem": lambda lib, x: write(x.clone()),
    "inplace": lambda lib, x: x.clone().mul_(2).add_(1),
    "fill": lambda lib, x: x.clone().fill_(0),
    "zero": lambda lib, x: x.clone().zero_(),
    "copy": lambda lib, x: lib.zeros(3, 3).copy_(x),
    "detach": lambda lib, x: x.detach().requires_grad_() * 1,
    "real": lambda lib, x: lib.complex(x, x).real,
    "hypot": lambda lib, x: lib.hypot(x, x),
}


def write(t):
    t[0] = 5
    return t


@pytest.mark.parametrize("case", NAMES)
def test_names_of_nodes(case):
    def program(lib):
        x = (lib.arange(9.0) - 3.5).reshape(3, 3).requires_grad_()
        lib.manual_seed(0)
        out = NAMES[case](lib, x)
        seen, nodes = [], [out.grad_fn]
        while nodes:  # the whole graph, in the order of next_functions
            node = nodes.pop(0)
            seen.append(node and [type(node).__name__, node.name(), [k for _, k in node.next_functions]])
            nodes += [n for n, _ in node.next_functions] if node else []
        out.sum().backward()
        return [seen, x.grad]

    assert_same(program)


def leaf(lib, *shape):
    return lib.ones(shape or (3,)).requires_grad_()


def identity(lib):
    x = leaf(lib)
    (x * 2).sum().backward()
    grad = x.grad
    grad.mark = 7
    same = x.grad is grad
    (x * 2).sum().backward()
    return [same, x.grad is grad, x.grad.mark, x.grad, x.is_leaf, (x * 2).is_leaf, x.grad_fn is None, x.output_nr]


def grads_are_apart(lib):
    a, b = leaf(lib), leaf(lib)
    g = lib.full((3,), 2.0)
    (a + b).backward(g)
    g.fill_(9)
    a.grad.fill_(5)
    c = leaf(lib, 3, 4)
    c.sum().backward()
    return [b.grad, c.grad.stride(), a.grad]


def changed_in_place(lib):
    x = leaf(lib)
    y = x * 2
    z = y * y
    y.add_(1)
    z.sum().backward()


def changed_deep(lib):
    x = leaf(lib)
    y = x.exp()
    y[0] = 3
    y.sum().backward()


def freed(lib):
    x = leaf(lib)
    y = (x * x).sum()
    y.backward()
    y.backward()


def retained(lib):
    x = leaf(lib)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def second_order(lib):
    x = lib.linspace(0.5, 2, 4).requires_grad_()
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = lib.autograd.grad(h.sum(), x)
    return [g.detach(), name(g), h.detach(), k]


def hooks(lib):
    x, seen = leaf(lib), []
    y = x * 3
    handle = y.register_hook(lambda g: seen.append(["y", g.clone()]))
    x.register_hook(lambda g: g * 10)
    y.retain_grad()
    x.register_post_accumulate_grad_hook(lambda p: seen.append(["after", p.grad.clone()]))
    y.sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    return [seen, x.grad, y.grad, y.retains_grad]


def node_hooks(lib):
    x, seen = leaf(lib), []
    y = (x * 2).exp()
    y.grad_fn.register_hook(lambda gi, go: seen.append([gi[0].clone(), go[0].clone()]))
    y.grad_fn.register_prehook(lambda go: seen.append([go[0].clone()]))
    y.sum().backward()
    return [seen, x.grad]


def modes(lib):
    x = leaf(lib)
    out = []
    with lib.no_grad():
        a = x * 2
        out.append([a.requires_grad, lib.is_grad_enabled()])
        with lib.enable_grad():
            out.append((x * 2).requires_grad)
    with lib.inference_mode():
        b = x * 2
        out.append([b.requires_grad, b.is_inference()])
    with lib.set_grad_enabled(False):
        out.append((x * 2).requires_grad)
    return [out, lib.is_grad_enabled(), lib.no_grad()(lambda: (x * 2).requires_grad)()]


def custom(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            ctx.save_for_backward(x)
            ctx.n = n
            return x**3 * n

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g * ctx.n, None

    x = lib.linspace(1, 2, 3).requires_grad_()
    y = Cube.apply(x, 2)
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x)
    return [y.detach(), name(y), g.detach(), h]


def views_written(lib):
    x = leaf(lib, 3, 3)
    y = x * 2
    y[0].mul_(3)
    v = y[:, 1]
    v += 1
    y.t()[2] = 0
    (y * y).sum().backward()
    return [y.detach(), x.grad, name(y), name(v), v._base is y, y._version, v._version]


def unused_and_zero(lib):
    x, y = leaf(lib), leaf(lib)
    z = (x * 2).sum()
    return [
        lib.autograd.grad(z, [x, y], allow_unused=True, retain_graph=True)[1] is None,
        lib.autograd.grad(z, [x, y], materialize_grads=True)[1],
    ]


def complex_gradients(lib):
    z = lib.tensor([1 + 2j, -0.5j, 3.0 + 0j]).requires_grad_()
    out = (z * z.conj()).real.sum() + (z**2).abs().sum() + z.imag.exp().sum()
    out.backward()
    return z.grad


def deep_graph(lib):
    x = leaf(lib)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.sum().backward()
    del y
    return x.grad


def accumulated(lib):
    x = leaf(lib, 2, 3)
    x.grad = lib.full((2, 3), 5.0)
    grad = x.grad
    (x * 2).sum().backward()
    (x.t() * 2).sum().backward()
    x.grad.zero_()
    return [grad is x.grad, grad]


def saved_tensor_hooks(lib):
    x, seen = leaf(lib), []
    with lib.autograd.graph.saved_tensors_hooks(
        lambda t: seen.append("pack") or t * 1, lambda t: seen.append("unpack") or t
    ):
        y = (x * x).exp()
    y.sum().backward()
    return [seen, x.grad]


def attributes(lib):
    x = leaf(lib)
    y = x * 2
    z = y[1:]
    return [
        z._is_view(),
        z._base is y,
        y._base is None,
        x._version,
        z.grad_fn.next_functions[0][0] is y.grad_fn,
        y.grad_fn is y.grad_fn,
        z.retains_grad,
        x.requires_grad,
        x.detach().requires_grad,
        x.detach()._is_view(),
        x.data.requires_grad,
    ]


PROGRAMS = [
    identity,
    grads_are_apart,
    changed_in_place,
    changed_deep,
    freed,
    retained,
    second_order,
    hooks,
    node_hooks,
    modes,
    custom,
    views_written,
    unused_and_zero,
    complex_gradients,
    deep_graph,
    accumulated,
    saved_tensor_hooks,
    attributes,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_semantics(program):
    assert_same(program)


ERRORS = {
    "leaf in place": lambda lib: leaf(lib).add_(1),
    "view of leaf": lambda lib: leaf(lib)[0].add_(1),
    "set item of leaf": lambda lib: write(leaf(lib)),
    "not a scalar": lambda lib: leaf(lib).mul(2).backward(),
    "no graph": lambda lib: lib.ones(1).backward(),
    "shape of gradient": lambda lib: leaf(lib).mul(2).backward(lib.ones(2)),
    "expanded": lambda lib: lib.ones(1).expand(3).add_(1),
    "integers": lambda lib: lib.ones(2, dtype=lib.int64).requires_grad_(),
    "made of integers": lambda lib: lib.tensor([1, 2], requires_grad=True),
    "not a leaf": lambda lib: leaf(lib).mul(2).requires_grad_(False),
    "numpy": lambda lib: leaf(lib).numpy(),
    "unused": lambda lib: lib.autograd.grad(leaf(lib).sum(), leaf(lib)),
    "grad of other shape": lambda lib: setattr(leaf(lib), "grad", lib.ones(2)),
    "grad of other type": lambda lib: setattr(leaf(lib), "grad", lib.ones(3, dtype=lib.float64)),
    "grad not a tensor": lambda lib: setattr(leaf(lib), "grad", 3),
    "multi view": lambda lib: leaf(lib).mul(1).unbind()[0].add_(1),
    "split view": lambda lib: leaf(lib).mul(1).split(1)[0].mul_(2),
    "detach_ view": lambda lib: leaf(lib).mul(1)[0].detach_(),
    "deepcopy": lambda lib: __import__("copy").deepcopy(leaf(lib) * 2),
    "inference": lambda lib: made_in_inference(lib) * leaf(lib),
    "hook on constant": lambda lib: lib.ones(2).register_hook(lambda g: g),
    "retain on constant": lambda lib: lib.ones(2).retain_grad(),
    "out with grad": lambda lib: lib.add(leaf(lib), 1, out=leaf(lib)),
    "no_grad view": lambda lib: no_grad_view(lib).add_(1),
    "wrong hook": lambda lib: wrong_hook(lib),
    "function count": lambda lib: wrong_function(lib),
    "nan": lambda lib: bool(leaf(lib)),
    "grad outputs": lambda lib: lib.autograd.grad([leaf(lib) * 2], [leaf(lib)]),
    "strings": lambda lib: lib.autograd.backward("a"),
}


def made_in_inference(lib):
    with lib.inference_mode():
        return lib.ones(3)


def no_grad_view(lib):
    with lib.no_grad():
        return leaf(lib)[:]


def wrong_hook(lib):
    x = leaf(lib)
    x.register_hook(lambda g: g[:2])
    x.sum().backward()


def wrong_function(lib):
    class One(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, g):
            return g

    One.apply(leaf(lib), leaf(lib)).sum().backward()


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    assert_same(lambda lib: ERRORS[case](lib) and None)
