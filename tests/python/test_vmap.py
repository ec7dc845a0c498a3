"""vmap: rules of every kind of operator, levels, derivatives per example, random numbers, PyTorch's errors."""

import functools
import warnings

from graphs import error
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


def numbers(torch, *shape):
    n = 1
    for s in shape:
        n *= s
    return ((torch.arange(n) * 37 % 23).float() / 7 - 1.4).reshape(shape)


RULES = """
a + b
a * 2 - b
b - a
2 ** a
a.exp().sin()
a @ b.t()
a @ v
v @ a.t()
a.mv(v)
v.dot(v)
torch.outer(v, v)
a.sum()
a.sum(0)
a.sum(-1, keepdim=True)
a.sum((0, 1))
a.mean(dim=1)
a.std()
a.var(0)
a.max()
a.max(0)
a.max(1).indices
a.min(-1).values
torch.max(a, b)
a.argmax()
a.argmax(1)
a.amax((0, 1))
a.prod()
a.prod(1)
a.any()
a.logsumexp(1)
a.norm()
a.median()
a.softmax(-1)
a.log_softmax(0)
a.cumsum(1)
a.sort(0)
a.topk(2, 1).values
a.kthvalue(1, 0).values
a.reshape(-1)
a.view(4, 3)
a.flatten()
a.flatten(0, 1)
a.unflatten(1, (2, 2))
a.t()
a.T
a.mT
a.transpose(0, 1)
a.permute(1, 0)
a.movedim(0, 1)
a.unsqueeze(0)
a.unsqueeze(-1)
a[None].squeeze()
a[None].squeeze(0)
a.expand(2, 3, 4)
a.repeat(2, 1)
a.flip(0)
a.roll(1, 0)
a.diagonal()
a.tril()
a.select(1, 2)
a.narrow(1, 1, 2)
a.unbind(1)[2]
a.split(2, 1)[1]
a.chunk(2, 0)[1]
a.unfold(1, 2, 1)
torch.cat([a, b], 1)
torch.cat([a, w])
torch.stack([a, w], -1)
torch.where(a > 0, a, b)
torch.where(a > 0, a, 0.0)
a.clamp(0, 1)
a.masked_fill(a > 0, 3.0)
a[0]
a[1, 2]
a[:, 1:3]
a[..., None]
a[-1, ::2]
a[i]
a[:, i]
a[i, i]
a[j]
a[[0, 2], [1, 3]]
a.gather(1, k)
a.index_select(0, i)
a.take_along_dim(k, 1)
a.scatter(1, k, 9.0)
torch.einsum("ij,kj->ik", a, b)
torch.einsum("ij,j", a, v)
torch.einsum("ij,kj->ik", a, w)
torch.matmul(a, w.t())
torch.addmm(w @ w.t(), a, b.t())
torch.bmm(a[None], b.t()[None])
F.linear(a, w)
F.linear(a, b, b[:, 0])
F.relu(a)
F.gelu(a)
F.layer_norm(a, (4,))
F.layer_norm(a, (4,), v, v)
F.cross_entropy(a, i3)
F.mse_loss(a, b)
F.embedding(i, w)
F.embedding(i, a)
F.embedding(j, w)
F.conv1d(a[None], w[:, None].expand(3, 3, 4)[..., :2])
F.conv1d(w[None], a[:, None].expand(3, 3, 4)[..., :2])
F.conv1d(a, b[None, :, :2])
F.max_pool1d(a, 2)
F.max_pool1d(a[None], 2)
F.avg_pool2d(a[None, None], 2)
F.pad(a, (1, 1))
F.normalize(a)
F.interpolate(a[None], scale_factor=2)
F.scaled_dot_product_attention(a[None], b[None], a[None])
a.to(torch.float64)
a.double().sum()
a.detach()
a.clone()
a.contiguous()
a.new_zeros(2)
torch.zeros_like(a)
torch.ones(2)
a.shape[0] * v
v * s
w + s
s
s.sum()
s.reshape(1)
s[None]
torch.trapezoid(a)
torch.cdist(a, b)
torch.logaddexp(a, b)
torch.histc(a, 4, -2, 2)
torch.searchsorted(v.sort().values, v)
torch.tensor_split(a, 2, 1)[1]
a.is_floating_point() and a
len(a) * v
(a == b).float()
a.int().float()
a.add_(1)
a.clone().mul_(b)
a.zero_()
a.copy_(w)
torch.complex(v, v).abs()
torch.view_as_real(torch.complex(v, v))
""".strip().splitlines()


@case
def rules(torch):
    out = []
    for text in RULES:
        a, b, v, s = numbers(torch, 2, 3, 4), numbers(torch, 2, 3, 4) * 0.5, numbers(torch, 2, 4), numbers(torch, 2)
        names = {"torch": torch, "F": torch.nn.functional, "w": numbers(torch, 3, 4)}
        names["i"], names["i3"] = torch.tensor([0, 2]), torch.tensor([0, 3, 1])
        names["k"] = torch.tensor([[0, 1], [3, 2], [1, 1]])
        code = compile(text, text, "eval")

        def f(a, b, v, s, j, names=names, code=code):
            return eval(code, {**names, "a": a, "b": b, "v": v, "s": s, "j": j})

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out.append([text, error(lambda: torch.vmap(f)(a, b, v, s, torch.tensor([2, 0])))])
    return out


@case
def dimensions(torch):
    x, y = numbers(torch, 2, 3), numbers(torch, 3, 2)
    V = torch.vmap
    return [
        V(torch.sum, in_dims=1)(x),
        V(torch.add, in_dims=(0, 1))(x, y),
        V(torch.add, in_dims=(-1, -2))(x, y),
        V(torch.mul, in_dims=(0, None))(x, y[:, 0]),
        V(lambda a: a * 2, out_dims=1)(x),
        V(lambda a: a * 2, out_dims=-1)(x),
        V(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(x),
        V(lambda a: (a, torch.ones(2)), out_dims=(0, None))(x),
        V(lambda d: d["a"] + d["b"][0], in_dims=({"a": 0, "b": None},))({"a": x, "b": [y[:, 0]]}),
        V(lambda t: {"s": t[0] + t[1]}, in_dims=((0, None),))((x, y[:, 0])),
        V(lambda a, k: a * k, in_dims=(0, None))(x, 3),
        V(lambda a, *, k: a * k)(x, k=x),
        V(lambda a: a.sum(), chunk_size=1)(x),
        V(lambda a: (a, a.sum()), out_dims=(1, 0), chunk_size=2)(y),
        V(lambda a: a)(torch.zeros(0, 3)).shape,
        V(lambda a: [a, (a * 2,)])(x),
        V(functools.partial(torch.add, alpha=2))(x, x),
    ]


@case
def levels(torch):
    x, y = numbers(torch, 2, 3), numbers(torch, 4, 3)
    V = torch.vmap
    pairs = V(lambda a: V(lambda b: (a - b).abs().sum())(y))
    return [
        V(V(lambda a: a * 2))(x),
        V(V(torch.sin, in_dims=0), in_dims=1)(x),
        pairs(x),
        V(V(torch.mul, in_dims=(None, 0)), in_dims=(0, None))(x[:, 0], y[:, 0]),
        V(lambda a: V(lambda b: torch.outer(a, b), out_dims=2)(y))(x).shape,
        V(lambda a: V(torch.dot, in_dims=(None, 0))(a, y))(x),
        V(V(V(torch.exp)))(numbers(torch, 2, 2, 2)),
        V(lambda a: V(lambda b: torch.ones(2) * a[0], in_dims=0)(y))(x).shape,
    ]


@case
def derivatives_per_example(torch):
    x, y, w = numbers(torch, 5, 3), numbers(torch, 5), numbers(torch, 3)
    f, V = torch.func, torch.vmap
    loss = lambda w, x, y: (w @ x - y) ** 2  # noqa: E731
    return [
        V(f.grad(loss), in_dims=(None, 0, 0))(w, x, y),
        V(f.grad_and_value(loss), in_dims=(None, 0, 0))(w, x, y),
        V(f.grad(lambda a: (a**3).sum()))(x),
        V(f.grad(f.grad(lambda a: a**3)))(y),
        V(f.jacrev(torch.sin))(x),
        V(f.hessian(lambda a: (a**3).sum()))(x),
        V(lambda a: f.vjp(torch.sin, a)[1](a)[0])(x),
        V(lambda a, t: f.jvp(torch.sin, (a,), (t,))[1])(x, x * 2),
        V(f.vjp(torch.sin, w)[1])(torch.eye(3)),
        V(lambda t: f.jvp(torch.sin, (w,), (t,))[1])(torch.eye(3)),
        f.grad(lambda w: V(loss, in_dims=(None, 0, 0))(w, x, y).sum())(w),
        f.jacrev(lambda w: V(torch.dot, in_dims=(None, 0))(w, x))(w),
        V(lambda a: f.grad(lambda b: (a * b).sum())(w))(x),
        V(V(f.grad(lambda a: a**2)))(x),
        V(f.grad(lambda p, a: (p["k"] * a).sum()), in_dims=(None, 0))({"k": w}, x),
    ]


@case
def through_the_graph(torch):
    x = numbers(torch, 4, 3).requires_grad_()
    w = numbers(torch, 3).requires_grad_()
    y = torch.vmap(lambda a: (a * w).sin().sum())(x)
    y.sum().backward()
    return [y.requires_grad, x.grad, w.grad]


@case
def models(torch):
    torch.manual_seed(0)
    f, x = torch.func, numbers(torch, 6, 3)
    target = torch.tensor([0, 1, 0, 1, 1, 0])
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    params = dict(model.named_parameters())

    def loss(p, a, t):
        return torch.nn.functional.cross_entropy(f.functional_call(model, p, (a[None],)), t[None])

    each = torch.vmap(f.grad(loss), in_dims=(None, 0, 0))(params, x, target)
    one = [f.grad(loss)(params, a, t) for a, t in zip(x, target)]
    conv = torch.nn.Conv2d(1, 2, 2)
    stacked, _ = f.stack_module_state([conv, torch.nn.Conv2d(1, 2, 2)])
    image = numbers(torch, 3, 1, 4, 4)
    both = torch.vmap(lambda p, a: f.functional_call(conv, p, (a,)), in_dims=(0, None))(stacked, image)
    return [
        all(torch.allclose(each[k][n], one[n][k], atol=1e-5) for k in each for n in range(6)),
        {k: list(v.shape) for k, v in each.items()},
        torch.allclose(both[0], conv(image), atol=1e-5),
        list(both.shape),
    ]


@case
def random_numbers(torch):
    x = numbers(torch, 3, 4)
    V = torch.vmap

    def rows(f, randomness):
        torch.manual_seed(0)
        y = V(f, randomness=randomness)(x)
        return [list(y.shape), torch.equal(y[0], y[1])]

    names = {
        "rand": lambda a: torch.rand(4) + 0 * a,
        "randn": lambda a: torch.randn(2, 2) + 0 * a[0],
        "randint": lambda a: torch.randint(100000, (4,)) + 0 * a,
        "randperm": lambda a: torch.randperm(50) + 0 * a[0],
        "rand_like": lambda a: torch.rand_like(a),
        "bernoulli": lambda a: torch.bernoulli((a * 0 + 0.5).expand(50, 4)),
        "dropout": lambda a: torch.nn.functional.dropout((a * 0 + 1).expand(50, 4)),
        "no dropout": lambda a: torch.nn.functional.dropout(a * 0, training=False),
    }
    out = []
    for name, f in names.items():
        out.append([name] + [error(lambda: rows(f, r)) for r in ("error", "same", "different")])
    return out


@case
def errors(torch):
    x, V = numbers(torch, 2, 3), torch.vmap
    named = lambda a: a  # noqa: E731
    return [
        error(lambda: V(lambda a: a.item())(x)),
        error(lambda: V(lambda a: a if a.sum() > 1 else -a)(x)),
        error(lambda: V(lambda a: float(a.sum()))(x)),
        error(lambda: V(lambda a: a.tolist())(x)),
        error(lambda: V(lambda a: torch.nonzero(a))(x)),
        error(lambda: V(lambda a: a.unique())(x)),
        error(lambda: V(lambda a: a[a > 1])(x)),
        error(lambda: V(lambda a: a.data)(x)),
        error(lambda: V(lambda a: 3)(x)),
        error(lambda: V(lambda a: (a, 3))(x)),
        error(lambda: V(named, in_dims=2)(x)),
        error(lambda: V(named, in_dims=(0, 0))(x)),
        error(lambda: V(named, in_dims="a")(x)),
        error(lambda: V(named, in_dims=None)(x)),
        error(lambda: V(named, in_dims={"a": 0})(x)),
        error(lambda: V(named, out_dims=2)(x)),
        error(lambda: V(lambda a: (a, a), out_dims=(0,))(x)),
        error(lambda: V(named, out_dims="a")(x)),
        error(lambda: V(named, out_dims=None)(x)),
        error(lambda: V(lambda a, b: a + b)(x, torch.ones(3))),
        error(lambda: V(named)()),
        error(lambda: V(named)(3)),
        error(lambda: V(named)(torch.ones(()))),
        error(lambda: V(named, chunk_size=0)(x)),
        error(lambda: V(named, randomness="x")(x)),
        error(lambda: V(lambda a, b: a.copy_(b), in_dims=(None, 0))(torch.zeros(3), x)),
        error(lambda: V(lambda a: a.sum().backward())(x)),
        error(lambda: V(lambda a: a.sum(2))(x)),
        error(lambda: V(functools.partial(lambda k, a: 3, 1))(x)),
        repr(V(lambda a: (print_ := repr(a)) and a)(x)),
    ]


@case
def what_a_function_sees(torch):
    seen = []

    def look(a):
        seen.append([repr(a), a.shape, a.dim(), a.dtype, a.numel(), len(a), isinstance(a, torch.Tensor), a.requires_grad])
        seen.append([a.stride(), a.is_contiguous(), str(a.device), a.ndim, a.size(0), a.size(), a.element_size()])
        return a

    torch.vmap(look)(numbers(torch, 2, 3))
    return seen


@case
def functions_with_rules(torch):
    x, seen = numbers(torch, 2, 3), []

    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class New(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Generated(New):
        generate_vmap_rule = True

    class Own(New):
        @staticmethod
        def vmap(info, in_dims, x):
            seen.append([info, in_dims, list(x.shape)])
            return Own.apply(x), in_dims[0]

    class Both(Own):
        generate_vmap_rule = True

    out = []
    for cls in (Old, New, Generated, Own, Both):
        out.append(error(lambda: torch.vmap(cls.apply)(x)))
        out.append(error(lambda: torch.vmap(torch.func.grad(lambda a: cls.apply(a).sum()))(x)))
    return [out, str(seen)]


test_vmap = recorded_test(__file__, CASES)
