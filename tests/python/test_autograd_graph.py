"""The graph: what a second backward finds, walking over nodes, saved tensors, leaves."""

from graphs import error, graph, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


TWICE = """
x * 2
2 * x
x * x
x * y
x + 2
x + y
x - y
x / 2
x / y
x ** 2
x ** 2.5
2 ** x
x ** y
-x
abs(x)
x.exp()
x.log()
x.sqrt()
x.sin()
x.tanh()
x.sigmoid()
x.relu()
x.square()
x.reciprocal()
x.floor()
x.sign()
x.clamp(0, 1)
x.clamp(min=0)
x.clone()
x.detach() * 2 + x
x.sum()
x.sum(0)
x.mean()
x.mean(0)
x.var()
x.std(0)
x.max()
x.max(0).values
x.amax(0)
x.min()
x.prod()
x.prod(0)
x.cumsum(0)
x.cumprod(0)
x.logsumexp(0)
x.softmax(0)
x.log_softmax(0)
x.norm()
x.norm(1)
x @ y
x.dot(y)
m @ m
m @ x
m.t()
m.reshape(9)
m.view(9)
m.T.reshape(9)
m[0]
m[:, 1]
m[1:]
m[[0, 1]]
m[m > 1]
m.diagonal()
m.trace()
m.triu()
m.expand(2, 3, 3)
m.unsqueeze(0)
m.permute(1, 0)
m.repeat(2, 1)
m.flip(0)
m.roll(1)
m.sort().values
m.topk(2).values
m.gather(0, i)
m.scatter(0, i, 1.0)
m.scatter_add(0, i, m[:1])
m.index_select(0, j)
m.masked_fill(m > 1, 0)
m.take(j)
m.unbind()[0]
m.split(1)[0]
m.chunk(2)[0]
lib.cat([x, y])
lib.stack([x, y])
lib.where(x > 1, x, y)
lib.where(x > 1, x, 0.0)
lib.maximum(x, y)
lib.lerp(x, y, 0.3)
lib.lerp(x, y, y)
lib.addcmul(x, x, y)
lib.addcdiv(x, x, y)
lib.addmm(m, m, m)
lib.outer(x, y)
lib.einsum("i,j->ij", x, y)
lib.cdist(m, m)
lib.cross(x, y, dim=0)
lib.atan2(x, y)
lib.hypot(x, y)
lib.fmod(x, 2)
lib.remainder(x, y)
lib.xlogy(x, y)
lib.complex(x, y)
lib.polar(x, y)
F.pad(m[None], (1, 1), mode="reflect")
F.pad(m[None], (1, 1), mode="replicate")
F.avg_pool1d(m[None], 2)
F.avg_pool2d(m[None], 2)
F.adaptive_avg_pool1d(m[None], 2)
F.adaptive_avg_pool2d(m[None], 2)
x.to(lib.float64)
x.double().float()
x.nan_to_num()
x.masked_select(x > 1)
F.relu(x)
F.gelu(x)
F.silu(x)
F.elu(x)
F.leaky_relu(x)
F.softplus(x)
F.hardtanh(x)
F.threshold(x, 1, 0)
F.dropout(x, 0.0)
F.dropout(x, 0.5)
F.linear(m, m, x)
F.layer_norm(m, (3,))
F.batch_norm(m, None, None, training=True)
F.mse_loss(x, y)
F.l1_loss(x, y)
F.smooth_l1_loss(x, y)
F.cross_entropy(m, k)
F.nll_loss(m, k)
F.binary_cross_entropy_with_logits(x, y)
F.kl_div(x, y)
F.embedding(j, m)
F.pad(m, (1, 1))
F.conv1d(m[None], m[:, :, None])
F.max_pool1d(m[None], 2)
F.interpolate(m[None], scale_factor=2)
F.normalize(m)
F.cosine_similarity(m, m)
F.scaled_dot_product_attention(m[None], m[None], m[None])
x.real
lib.complex(x, y).abs()
lib.complex(x, y).angle()
x.as_strided((2,), (1,))
x.unfold(0, 2, 1)
m.cummax(0).values
m.median()
m.median(0).values
m.kthvalue(1).values
m.mode().values
m.renorm(2, 0, 1.0)
m.index_add(0, j, m[:2])
m.put(j, x[:2])
lib.logaddexp(x, y)
lib.special.erf(x)
x.erfinv()
x.lgamma()
lib.sinc(x)
lib.heaviside(x.detach(), y.detach()) * x
lib.copysign(x, y)
lib.ldexp(x, y)
lib.diff(x)
lib.kron(m, m)
""".strip().splitlines()


@case
def what_a_second_backward_finds(torch):
    out = []
    for text in TWICE:
        x, y = leaf(torch), (leaf(torch) + 0.25).detach().requires_grad_()
        m = leaf(torch, 3, 3)
        names = {
            "lib": torch,
            "F": torch.nn.functional,
            "x": x,
            "y": y,
            "m": m,
            "i": torch.tensor([[0, 1, 2]]),
            "j": torch.tensor([0, 1]),
            "k": torch.tensor([0, 1, 2]),
        }
        try:
            r = eval(text, names)
        except Exception as e:
            out.append([text, type(e).__name__])
            continue
        if not r.requires_grad:
            out.append([text, "constant"])
            continue
        g = torch.ones_like(r)
        node = r.grad_fn
        name = node and node.name()
        r.backward(g)
        out.append([text, name, isinstance(error(lambda: r.backward(g)), list)])
    return out


@case
def text_of_a_second_backward(torch):
    x = leaf(torch)
    y = (x * x).sum()
    y.backward()
    return error(lambda: y.backward())


@case
def part_of_a_freed_graph(torch):
    x = leaf(torch)
    a = x * x
    b, c = a.sum(), a.exp().sum()
    b.backward()
    return [error(lambda: c.backward()), x.grad]


@case
def saved_tensors_of_nodes(torch):
    x, y, m = leaf(torch), leaf(torch) * 2, leaf(torch, 3, 3)
    out = []
    for r in (
        x * y,
        x / y,
        x.exp(),
        x**2,
        x**y,
        m @ m,
        x.sigmoid(),
        x.relu(),
        m.softmax(0),
        x.sin(),
        x.dot(y),
        torch.where(x > 1, x, y),
        x.sum(),
        m.mv(x),
        m.max(0).values,
        torch.addmm(m, m, m),
        x.prod(),
        x.std(),
        x.norm(),
        torch.nn.functional.gelu(x),
    ):
        node = r.grad_fn
        names = sorted(n for n in dir(node) if n.startswith("_saved_") and isinstance(getattr(node, n), torch.Tensor))
        out.append([node.name(), [[n, getattr(node, n).detach()] for n in names]])
    return out


@case
def saved_tensors_after_release(torch):
    x = leaf(torch)
    y = x * x
    node = y.grad_fn
    same = node._saved_self is x
    y.sum().backward()
    return [same, error(lambda: node._saved_self)]


@case
def saved_result_has_its_history(torch):
    x = leaf(torch)
    y = x.exp()
    r = y.grad_fn._saved_result
    return [r is y, r.grad_fn is y.grad_fn, r.requires_grad, torch.equal(r, y)]


@case
def nodes_are_objects(torch):
    x = leaf(torch)
    y = (x * 2).exp()
    node = y.grad_fn
    node.metadata["a"] = 1
    n = node.next_functions[0][0]
    return [
        node.metadata,
        y.grad_fn.metadata,
        node is y.grad_fn,
        n.next_functions[0][0].variable is x,
        isinstance(node, torch.autograd.graph.Node),
        type(node).__name__,
        str(node).split(" at ")[0],
        node.name(),
        error(lambda: setattr(node, "other", 3))[0],  # the text is Python's, longer from 3.13 on
        {node: 1}[y.grad_fn],
        n.next_functions[1],
        error(lambda: node.no_such_thing),
        [a for a in dir(node) if not a.startswith("_")],
    ]


@case
def nodes_outlive_tensors(torch):
    x = leaf(torch)
    node = (x * 2).exp().grad_fn
    return [graph(node), node.next_functions[0][0].name()]


@case
def gradient_edges(torch):
    x = leaf(torch, 4)
    y = x * 2
    a, b = y.split(2)
    E = torch.autograd.graph.get_gradient_edge
    out = [E(x).node.name(), E(b).output_nr, E(y).node is y.grad_fn, E(y)._fields]
    z = (b * b).sum()
    out.append(torch.autograd.grad(z, [E(y), E(x)], retain_graph=True))
    torch.autograd.backward(E(z), inputs=E(x), retain_graph=True)
    out.append(x.grad)
    out.append(error(lambda: torch.autograd.backward([E(y)], [torch.ones(4)])))
    return out + [x.grad, error(lambda: E(torch.ones(2)))]


@case
def leaves(torch):
    x = leaf(torch)
    c = torch.ones(3)
    with torch.no_grad():
        n = x * 2
    d = x.detach()
    return [
        [t.is_leaf for t in (x, c, x * 2, n, d, c * 2, c.requires_grad_() * 1, x.data, x.to(torch.float32), x.clone())],
        [t.requires_grad for t in (x, n, d, x.data, x > 1, x.argmax(), x.round())],
        error(lambda: setattr(x * 2, "requires_grad", False)),
        error(lambda: (x * 2).requires_grad_(False)),
        (x * 2).requires_grad_().is_leaf,
        error(lambda: torch.tensor([1]).requires_grad_()),
        error(lambda: setattr(torch.tensor([1]), "requires_grad", True)),
        error(lambda: torch.ones(2, dtype=torch.int32, requires_grad=True)),
        error(lambda: setattr(x, "requires_grad", 3)),
    ]


@case
def intermediate_nodes(torch):
    x, y, z = leaf(torch, 3), leaf(torch, 2, 3), leaf(torch, 3, dtype=torch.float64)
    c = leaf(torch, 3, dtype=torch.complex64)
    h = leaf(torch, 3, dtype=torch.float16)
    i = torch.tensor([1, 2, 3])
    F = torch.nn.functional
    return [
        graph(t)
        for t in (
            x + y,
            x * y,
            x * z,
            x + z,
            x + c,
            h * x,
            x + i,
            i * x,
            x.sum(dtype=torch.float64),
            h.sum(),
            x.mean(dtype=torch.float64),
            x.softmax(0, dtype=torch.float64),
            x.to(z),
            x.double(),
            x.half().float(),
            x.type(torch.float64),
            x.to(torch.complex64),
            torch.cat([x, z]),
            torch.stack([x, x]),
            torch.where(x > 1, x, z),
            torch.add(x, y, alpha=2),
            torch.sub(x, y, alpha=2),
            x - y * 2,
            torch.maximum(x, y),
            torch.atan2(x, y),
            x.expand_as(y),
            torch.broadcast_tensors(x, y)[0],
            y.sum_to_size(3),
            y.flatten(),
            y.t().flatten(),
            y.t().contiguous(),
            y.contiguous(),
            y.t().reshape(-1),
            y.t().reshape(3, 1, 2),
            y[:, :2].reshape(2, 2),
            y.unflatten(1, (3, 1)),
            y.view_as(y),
            y.reshape_as(y),
            y.T,
            y.mT,
            y.swapaxes(0, 1),
            y.movedim(0, 1),
            y[0][1],
            y[..., None],
            y[0, 1],
            y[:, [0, 1]],
            y[torch.tensor([True, False])],
            y.narrow(0, 0, 1),
            y.select(0, 1),
            y @ x,
            x @ y.t(),
            y[None] @ y.t(),
            y.matmul(y.t()[None]),
            F.linear(y, y),
            F.linear(y, y, x[:2]),
            F.linear(y[None], y, x[:2]),
            torch.einsum("ij->ji", y),
            torch.outer(x, x),
            torch.inner(x, x),
            x.std(),
            x.var(0, keepdim=True),
            x.norm(),
            y.norm(dim=1),
            F.normalize(y),
            F.pairwise_distance(y, y),
            F.softplus(x),
            F.softmin(x, 0),
            F.gumbel_softmax(y),
            F.glu(leaf(torch, 4)),
            F.cross_entropy(y, torch.tensor([0, 1])),
            F.cross_entropy(y, y.softmax(1).detach()),
            F.mse_loss(x, z),
            F.l1_loss(x, x * 2),
            F.nll_loss(F.log_softmax(y, 1), torch.tensor([0, 1])),
            F.interpolate(y[None], scale_factor=2),
            F.one_hot(i).float() @ leaf(torch, 4),
            x.repeat_interleave(2),
            x.tile(2),
            torch.meshgrid(x, x, indexing="ij")[0],
            torch.block_diag(y, y),
            torch.vstack([x, x]),
            torch.hstack([x, x]),
            torch.dstack([x, x]),
            torch.column_stack([x, x]),
            torch.diag(x),
            torch.diag_embed(x),
            y.diagonal(),
            x.clip(0, 1),
            x.square(),
            torch.rsub(x, 1),
            abs(c),
            c.real,
            c.imag * 2,
            c.conj() * c,
            c.angle(),
            c.abs() ** 2,
            torch.view_as_real(c),
            torch.complex(x, x),
        )
    ]


test_graph = recorded_test(__file__, CASES)
