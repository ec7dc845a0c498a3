"""Writing in place while gradients are recorded: through views of every kind, on leaves, after hooks, with out=."""

import warnings

from graphs import error, graph, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


def show(y, *xs):
    """The graph of y, its value, and the gradients of weights * y."""
    out = [graph(y), y.detach().clone(), y._version]
    flat = y * y.conj() if y.is_complex() else y * y
    total = flat.real.sum() if flat.is_complex() else flat.sum()
    total.backward()
    return out + [x.grad for x in xs]


def complex_base(torch):
    x = leaf(torch, 3, dtype=torch.complex64)
    return x, x * 2


@case
def write_through_real(torch):
    x, y = complex_base(torch)
    y.real.mul_(3)
    return show(y, x)


@case
def write_through_imag(torch):
    x, y = complex_base(torch)
    v = y.imag
    v.add_(1)
    return [graph(v), show(y, x)]


@case
def write_through_view_as_real(torch):
    x, y = complex_base(torch)
    torch.view_as_real(y).mul_(torch.tensor([2.0, 5.0]))
    return show(y, x)


@case
def write_through_part_of_view_as_real(torch):
    x, y = complex_base(torch)
    v = torch.view_as_real(y)[1:, 0]
    v.exp_()
    return [graph(v), v.detach(), show(y, x)]


@case
def write_through_view_as_complex(torch):
    x = leaf(torch, 3, 2)
    y = x * 2
    torch.view_as_complex(y).mul_(1 + 2j)
    return show(y, x)


@case
def write_through_conj(torch):
    x, y = complex_base(torch)
    v = y.conj()
    v.mul_(2 + 1j)
    return [graph(v), show(y, x)]


@case
def assign_real(torch):
    x, y = complex_base(torch)
    w = leaf(torch, 3)
    y.real = w
    return show(y, x, w)


@case
def assign_imag(torch):
    x, y = complex_base(torch)
    w = leaf(torch, 3)
    y.imag = w * w
    return show(y, x, w)


@case
def real_of_leaf(torch):
    x = leaf(torch, 3, dtype=torch.complex64)
    return error(lambda: x.real.mul_(2))


@case
def other_views_after_write_through_real(torch):
    x, y = complex_base(torch)
    a, b, c = y.imag, torch.view_as_real(y), y[1:]
    y.real.mul_(3)
    out = [graph(a), graph(b), graph(c)]
    (a.sum() + (b * b).sum() + (c * c.conj()).real.sum()).backward()
    return out + [x.grad]


@case
def view_as_another_type(torch):
    x = leaf(torch, 4)
    y = x * 2
    return error(lambda: graph(y.view(torch.int32)))


@case
def double_backward_through_real(torch):
    x, y = complex_base(torch)
    y.real.mul_(y.imag)
    (g,) = torch.autograd.grad((y * y.conj()).real.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad((g * g.conj()).real.sum(), x)
    return [g, h]


@case
def write_through_slice(torch):
    x = leaf(torch, 3, 3)
    y = x * 2
    y[1:, ::2].mul_(3)
    return show(y, x)


@case
def write_through_transposed(torch):
    x = leaf(torch, 2, 3)
    y = x * 2
    v = y.t()[1]
    v.exp_()
    return [graph(v), show(y, x)]


@case
def write_through_chain_of_views(torch):
    x = leaf(torch, 2, 6)
    y = x * 2
    v = y.view(2, 3, 2).permute(1, 0, 2)[1].unsqueeze(0)
    v.mul_(v.detach() * 2)
    return [graph(v), v._base is y, show(y, x)]


@case
def write_through_diagonal(torch):
    x = leaf(torch, 3, 3)
    y = x * 2
    y.diagonal().fill_(7)
    return show(y, x)


@case
def write_through_expanded(torch):
    x = leaf(torch, 1, 3)
    y = x * 2
    return error(lambda: y.expand(2, 3).add_(1))


@case
def write_through_unfold(torch):
    x = leaf(torch, 6)
    y = x * 2
    y.unfold(0, 2, 2)[1].mul_(5)
    return show(y, x)


@case
def write_through_as_strided(torch):
    x = leaf(torch, 6)
    y = x * 2
    y.as_strided((2, 2), (3, 1), 1).mul_(5)
    return show(y, x)


@case
def write_twice_through_two_views(torch):
    x = leaf(torch, 3, 3)
    y = x * 2
    a, b = y[0], y[:, 0]
    a.mul_(2)
    b.mul_(3)
    a.add_(b)
    return [graph(a), graph(b), show(y, x)]


@case
def write_to_base_then_read_view(torch):
    x = leaf(torch, 4)
    y = x * 2
    v = y[1:]
    before = v.grad_fn.name()
    y.mul_(3)
    after = [v.grad_fn.name(), graph(v)]
    (v * v).sum().backward()
    return [before, after, x.grad]


@case
def write_of_tracked_values_to_untracked(torch):
    x = leaf(torch, 2)
    y = torch.zeros(4)
    y[1:3] = x
    return show(y, x)


@case
def write_of_leaves_that_are_views(torch):
    out = []
    for write in (
        lambda y, x: y.copy_(x),
        lambda y, x: y.__setitem__(0, x[0]),
        lambda y, x: y.index_copy_(0, torch.tensor([0, 1]), x),
        lambda y, x: y.masked_scatter_(y == 0, x),
        lambda y, x: y.index_put_((torch.tensor([0, 1]),), x),
    ):
        x = torch.arange(4.0).reshape(2, 2).requires_grad_()
        y = torch.zeros(2, 2)
        write(y, x)
        out.append(show(y, x))
    return out


@case
def write_of_tracked_values_through_view(torch):
    x = leaf(torch, 2)
    y = torch.zeros(2, 2)
    v = y[0]
    v.copy_(x * 3)
    return [graph(v), v.requires_grad, y.requires_grad, show(y, x)]


@case
def untracked_view_of_base_that_becomes_tracked(torch):
    x = leaf(torch, 2)
    y = torch.zeros(2, 2)
    v, w = y[0], y[1]
    v.add_(x)
    return [w.requires_grad, w.grad_fn and w.grad_fn.name(), y.requires_grad, v.is_leaf]


@case
def view_of_detached(torch):
    x = leaf(torch, 3)
    y = (x * 2).detach()
    y[0].mul_(2)
    return [y.requires_grad, y]


@case
def detached_shares_version(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = y * y
    y.detach().zero_()
    return [y._version, error(lambda: z.sum().backward())]


@case
def data_does_not(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = y * y
    y.data.zero_()
    z.sum().backward()
    return [y._version, x.grad]


@case
def leaf_in_place(torch):
    x = leaf(torch)
    return [error(lambda: x.add_(1)), error(lambda: x.zero_()), error(lambda: x.exp_()), error(lambda: x.fill_(1))]


@case
def leaf_in_no_grad(torch):
    x = leaf(torch)
    with torch.no_grad():
        x.add_(1)
        x[0] = 5
    return [x, x._version, x.is_leaf]


@case
def view_of_leaf_in_place(torch):
    x = leaf(torch, 2, 2)
    return [error(lambda: x[0].add_(1)), error(lambda: x.view(4).mul_(2)), error(lambda: x.t().zero_())]


@case
def view_of_leaf_made_in_no_grad(torch):
    x = leaf(torch, 2, 2)
    with torch.no_grad():
        v = x[0]
    return [v.requires_grad, error(lambda: v.add_(1))]


@case
def view_made_in_no_grad_of_non_leaf(torch):
    x = leaf(torch, 2, 2)
    y = x * 2
    with torch.no_grad():
        v = y[0]
        w = y.unbind()[0]
    return [
        v.requires_grad,
        error(lambda: v.add_(1)),
        error(lambda: w.mul_(2)),
        error(lambda: v.copy_(leaf(torch, 2))),
        error(lambda: setattr(v, "requires_grad", True)),
    ]


@case
def view_made_in_inference_mode(torch):
    x = leaf(torch, 2, 2)
    y = x * 2
    with torch.inference_mode():
        v = y[0]
    return [v.is_inference(), error(lambda: v.add_(1))]


@case
def multi_output_views(torch):
    x = leaf(torch, 4)
    y = x * 2
    return [
        error(lambda: y.unbind()[1].add_(1)),
        error(lambda: y.split(2)[1].add_(1)),
        error(lambda: y.chunk(2)[1].add_(1)),
        error(lambda: y.split([1, 3])[1].add_(1)),
        error(lambda: y.view(2, 2).unbind(1)[1].add_(1)),
        error(lambda: y.tensor_split(2)[1].add_(1).grad_fn.name()),
        error(lambda: y.view(2, 2).hsplit(2)[1].add_(1).grad_fn.name()),
    ]


@case
def multi_output_view_of_leaf(torch):
    x = leaf(torch, 4)
    return [error(lambda: x.unbind()[1].add_(1)), error(lambda: x.split(2)[1].zero_())]


@case
def multi_output_views_of_untracked(torch):
    y = torch.zeros(4)
    a, b = y.split(2)
    a.add_(1)
    return [y, error(lambda: b.add_(leaf(torch, 2)))]


@case
def views_of_multi_output_views(torch):
    x = leaf(torch, 4)
    y = x * 2
    v = y.split(2)[1][0]
    return error(lambda: v.add_(1))


@case
def base_in_place_after_multi_output_views(torch):
    x = leaf(torch, 4)
    y = x * 2
    a, b = y.split(2)
    y.mul_(2)
    return error(lambda: a.grad_fn.name())


@case
def in_place_after_hook(torch):
    x, seen = leaf(torch), []
    y = x * 2
    y.register_hook(lambda g: seen.append(["before", g.clone()]))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(["after", g.clone()]))
    y.sum().backward()
    return [seen, x.grad]


@case
def in_place_after_retain_grad(torch):
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    return [y.grad, x.grad, y.retains_grad]


@case
def in_place_twice_after_retain_grad(torch):
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.retain_grad()
    y.add_(1)
    (y * y).sum().backward()
    return [y.grad, x.grad]


@case
def in_place_on_view_after_retain_grad_of_both(torch):
    x = leaf(torch, 3)
    y = x * 2
    v = y[1:]
    y.retain_grad()
    v.retain_grad()
    v.mul_(3)
    (y * y).sum().backward()
    return [y.grad, v.grad, x.grad]


@case
def in_place_on_view_after_hooks_of_both(torch):
    x, seen = leaf(torch, 3), []
    y = x * 2
    v = y[1:]
    y.register_hook(lambda g: seen.append(["y", g.clone()]))
    v.register_hook(lambda g: seen.append(["v", g.clone()]))
    v.mul_(3)
    y.register_hook(lambda g: seen.append(["y after", g.clone()]))
    v.register_hook(lambda g: seen.append(["v after", g.clone()]))
    ((y * y).sum() + v.sum()).backward()
    return [seen, x.grad]


@case
def in_place_on_base_after_retain_grad_of_view(torch):
    x = leaf(torch, 3)
    y = x * 2
    v = y[1:]
    v.retain_grad()
    y.mul_(3)
    (v * v).sum().backward()
    return [v.grad, x.grad]


@case
def hook_on_leaf_that_becomes_non_leaf(torch):
    x, seen = torch.zeros(3), []
    x.requires_grad_()
    x.register_hook(lambda g: seen.append(g.clone()))
    w = leaf(torch)
    error_ = error(lambda: x.add_(w))
    return [error_, len(seen)]


@case
def requires_grad_after_views(torch):
    base = torch.zeros(2, 2)
    v = base[0]
    base.requires_grad_()
    return [v.requires_grad, v.is_leaf, error(lambda: v.add_(1)), base[1].requires_grad]


@case
def requires_grad_of_view(torch):
    base = torch.zeros(2, 2)
    v = base[0]
    v.requires_grad_()
    return [v.is_leaf, base.requires_grad, error(lambda: v.add_(1)), error(lambda: base.add_(1).requires_grad)]


@case
def detach_in_place(torch):
    x = leaf(torch)
    y = x * 2
    y.detach_()
    z = (x * 2)[1:]
    return [y.requires_grad, y.is_leaf, error(lambda: z.detach_())]


@case
def set_item_with_mask_and_index(torch):
    x, w = leaf(torch, 3, 3), leaf(torch, 2)
    y = x * 2
    y[y > 2] = 0
    y[[0, 1], [1, 2]] = w
    y[..., 2] = w.sum()
    return show(y, x, w)


@case
def in_place_changes_saved_result(torch):
    x = leaf(torch)
    out = []
    for f in ("exp", "sigmoid", "tanh", "sqrt", "relu", "softmax", "log", "sin", "neg", "abs"):
        y = getattr(x * 1, f)(*((0,) if f == "softmax" else ()))
        y.add_(1)
        out.append([f, error(lambda y=y: y.sum().backward())])
    return out


@case
def in_place_changes_saved_operand(torch):
    x = leaf(torch)
    out = []
    for f in ("exp", "sin", "mul", "div", "pow", "cumsum", "prod", "norm", "std", "logsumexp", "sum", "relu", "gelu"):
        y = x * 1
        arguments = {"mul": (y,), "div": (y,), "pow": (2,), "cumsum": (0,), "logsumexp": (0,)}.get(f, ())
        z = (torch.nn.functional if f == "gelu" else torch).__getattribute__(f)(y, *arguments)
        y.add_(1)
        out.append([f, error(lambda z=z: z.sum().backward())])
    return out


@case
def in_place_relu_and_friends(torch):
    x = leaf(torch)
    y = torch.nn.functional.relu(x * 2, inplace=True)
    z = torch.nn.functional.leaky_relu(x * 2, inplace=True)
    w = torch.nn.functional.dropout(x * 2, 0.0, inplace=True)
    u = torch.nn.functional.elu(x * 2, inplace=True)
    (y + z + w + u).sum().backward()
    return [graph(y), graph(z), graph(u), x.grad]


@case
def in_place_with_itself(torch):
    x = leaf(torch)
    y = x * 2
    y.mul_(y)
    return error(lambda: show(y, x))


@case
def in_place_of_other_type(torch):
    x = leaf(torch)
    y = torch.zeros(3, dtype=torch.float64)
    y.add_(x)
    z = x * 1
    z.mul_(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    return [graph(y), graph(z), show(y, x), error(lambda: z.mul_(1j))]


@case
def in_place_that_broadcasts(torch):
    x = leaf(torch)
    y = torch.zeros(2, 3)
    y += x
    return [show(y, x), error(lambda: (x * 1).add_(torch.zeros(2, 3)))]


@case
def swapping_data(torch):
    x = leaf(torch)
    y = x * x
    x.data = torch.zeros(3)
    y.sum().backward()
    return [x.grad, x, error(lambda: setattr(x, "data", torch.zeros(2, dtype=torch.int64)))]


@case
def resize_and_set(torch):
    x = leaf(torch)
    y = x * 2
    return [error(lambda: y.resize_(4)), error(lambda: x.resize_(4)), error(lambda: y.set_(torch.zeros(2)))]


@case
def out_that_requires_grad(torch):
    x, y = leaf(torch), torch.zeros(3)
    z = torch.zeros(3, requires_grad=True)
    return [
        error(lambda: torch.add(x, 1, out=y)),
        error(lambda: torch.add(y, 1, out=z)),
        error(lambda: torch.add(y, 1, out=x * 2)),
        error(lambda: torch.max(x, 0, out=(torch.tensor(0.0), torch.tensor(0)))),
        error(lambda: torch.matmul(x, x, out=torch.zeros(()))),
        error(lambda: torch.cat([x, x], out=torch.zeros(6))),
        error(lambda: torch.mm(x[None], x[:, None], out=torch.zeros(1, 1))),
    ]


@case
def out_in_no_grad(torch):
    x, y = leaf(torch), leaf(torch)
    with torch.no_grad():
        torch.add(x, 1, out=y)
    return [y, y._version, y.requires_grad]


@case
def out_pairs(torch):
    x = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    out = []
    for name, arguments in [
        ("max", (1,)),
        ("min", (0,)),
        ("sort", (1,)),
        ("topk", (2,)),
        ("median", (1,)),
        ("mode", (1,)),
        ("kthvalue", (1, 1)),
        ("cummax", (1,)),
        ("cummin", (0,)),
        ("nanmedian", (1,)),
        ("aminmax", ()),
    ]:
        f = getattr(torch, name)
        first, second = f(x, *arguments)
        dtype, shape = second.dtype, first.shape

        def into(a, b, f=f, arguments=arguments):
            return error(lambda: f(x, *arguments, out=(a, b)))

        a, b = torch.empty(0), torch.empty(0, dtype=dtype)
        r = into(a, b)
        out.append([name, r[0] is a, r[1] is b, a, b, type(r).__name__, a._version])
        a = torch.zeros(shape[::-1]).t() if len(shape) == 2 else torch.zeros(2 * shape[0])[::2] if shape else a
        into(a, b)
        out.append([torch.equal(a, first), a.stride()])
        if name not in ("median", "nanmedian"):
            out.append(into(torch.zeros(shape, dtype=torch.float64), b))
        out.append([error(lambda: f(x, *arguments, out=(b,))), f(x, *arguments, out=None)[0]])
        out.append(into(torch.zeros(shape, requires_grad=True), b))
    return out


@case
def out_pairs_are_resized_with_a_warning(torch):
    x = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    out = []
    for f in (torch.max, torch.sort, torch.cummax):
        a, b = torch.zeros(7), torch.zeros((), dtype=torch.int64)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            f(x, 1, out=(a, b))
        out.append([a, b, [str(w.message).split(" (Triggered")[0] for w in caught]])
    return out


@case
def out_pairs_that_alias(torch):
    x = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    i = torch.zeros(2, dtype=torch.int64)
    row = x[:, 0]
    torch.max(x, 1, out=(row, i))
    y = torch.tensor([3.0, 1.0, 2.0])
    j = torch.zeros(3, dtype=torch.int64)
    torch.sort(y, out=(y, j))
    return [x, i, y, j]


@case
def out_of_tracked_operands(torch):
    x = leaf(torch)
    return [
        error(lambda: torch.sort(x, out=(torch.zeros(3), torch.zeros(3, dtype=torch.int64)))),
        error(lambda: torch.max(x.detach(), 0, out=(x.sum(), torch.tensor(0)))),
        error(lambda: torch.matmul(x.detach(), x.detach(), out=x.sum())),
        error(lambda: torch.topk(x.detach(), 1, out=torch.zeros(2))),
        error(lambda: torch.cat([x.detach()], out=(torch.zeros(3),))),
    ]


test_inplace = recorded_test(__file__, CASES)
