"""Anomaly mode, inference mode and the other modes, copies of tracked tensors, arguments of backward, .grad."""

import copy
import pickle
import warnings

from graphs import error, leaf
from recorded import recorded_test

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", " ")] = f
    return f


def warned(f):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = error(f)
    return [result, [[type(w.message).__name__, "\n".join(
        line for line in str(w.message).splitlines() if not line.startswith("  File")
    ).split(" (Triggered")[0]] for w in caught if "anomaly" not in str(w.message).lower()]]


@case
def anomaly_mode(torch):
    def run(check_nan=True):
        x = torch.zeros(2, requires_grad=True)
        with torch.autograd.detect_anomaly(check_nan=check_nan):
            y = (x * 0) / (x * 0)
            y.sum().backward()
        return x.grad

    A = torch.autograd
    out = [str(warned(run)[0]), warned(lambda: run(False))[0]]
    before = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    with A.set_detect_anomaly(True, check_nan=False):
        inside = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    A.set_detect_anomaly(True)
    on = torch.is_anomaly_enabled()
    A.set_detect_anomaly(False)
    return out + [before, inside, on, torch.is_anomaly_enabled()]


@case
def anomaly_mode_says_where(torch):
    def where_it_was_made(x):
        return torch.sqrt(x - 1)

    def run():
        x = torch.zeros(2, requires_grad=True)
        with torch.autograd.set_detect_anomaly(True):
            where_it_was_made(x).sum().backward()

    result, seen = warned(run)
    text = seen[0][1]
    return [result, len(seen), seen[0][0], text.splitlines()[0], "return torch.sqrt(x - 1)" in text]


@case
def anomaly_mode_and_version(torch):
    x = leaf(torch)
    with torch.autograd.set_detect_anomaly(True):
        y = x.exp()
        y.add_(1)
        result, seen = warned(lambda: y.sum().backward())
    return [result, len(seen)]


@case
def anomaly_mode_without_forward(torch):
    x = torch.zeros(2, requires_grad=True)
    y = torch.sqrt(x - 1).sum()
    with torch.autograd.set_detect_anomaly(True):
        return warned(lambda: y.backward())


@case
def deepcopy(torch):
    x = leaf(torch)
    x.grad = torch.ones(3)
    y = copy.deepcopy(x)
    p = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    q = copy.deepcopy(p)
    base = torch.arange(6.0)
    a, b = copy.deepcopy([base[:3], base[1:]])
    a.zero_()
    m = torch.nn.Linear(2, 2)
    n = copy.deepcopy(m)
    same = copy.deepcopy([x, x])
    return [
        y is x,
        y.grad,
        y.grad is x.grad,
        y.requires_grad,
        y.is_leaf,
        type(q).__name__,
        q.requires_grad,
        b,
        torch.equal(m.weight, n.weight),
        n.weight is m.weight,
        same[0] is same[1],
        error(lambda: copy.deepcopy(x * 2)),
        copy.deepcopy((x * 2).detach()),
        copy.deepcopy(base.t()).stride(),
        copy.deepcopy(torch.ones(2, 3).t()).stride(),
        copy.copy(x) is x,
        copy.copy(x).requires_grad,
    ]


@case
def pickling(torch):
    x = leaf(torch)
    x.grad = torch.ones(3)
    x.mark = 5
    out = []
    for value in (x, x.detach(), torch.nn.Parameter(torch.ones(2)), torch.ones(2, 3).t(), torch.tensor(3, dtype=torch.int8)):
        y = pickle.loads(pickle.dumps(value))
        out.append([type(y).__name__, y, y.requires_grad, y.grad, y.stride(), getattr(y, "mark", None)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = pickle.loads(pickle.dumps(x * 2))
    out.append([y.requires_grad, y.is_leaf])
    m = pickle.loads(pickle.dumps(torch.nn.Linear(2, 1)))
    return out + [type(m).__name__, m.weight.requires_grad, pickle.loads(pickle.dumps(torch.float32)) is torch.float32]


@case
def inference_mode(torch):
    x = leaf(torch)
    with torch.inference_mode():
        a = torch.ones(3)
        b = x * 2
        c = a[1:]
        d = x[1:]
        e = a.add_(1)
        nested = []
        with torch.inference_mode(False):
            nested += [torch.is_inference_mode_enabled(), torch.is_grad_enabled(), (x * 2).requires_grad]
        inside = [torch.is_inference_mode_enabled(), torch.is_grad_enabled()]
    return [
        inside,
        nested,
        [t.is_inference() for t in (a, b, c, d, e, x)],
        error(lambda: a.add_(1)),
        error(lambda: a * x),
        error(lambda: (a + x).is_inference()),
        (a * 2).is_inference(),
        a.clone().is_inference(),
        error(lambda: a.requires_grad_()),
        error(lambda: a._version),
        error(lambda: torch.add(torch.zeros(3), 1, out=a)),
        error(lambda: a[0].mul_(2)),
        torch.inference_mode()(lambda: torch.ones(1).is_inference())(),
        torch.inference_mode(lambda: torch.ones(1).is_inference())(),
        torch.inference_mode(mode=False)(lambda: torch.ones(1).is_inference())(),
    ]


@case
def modes_as_decorators(torch):
    out = []

    @torch.no_grad()
    def plain():
        return torch.is_grad_enabled()

    @torch.no_grad
    def bare():
        return torch.is_grad_enabled()

    @torch.no_grad()
    def generator():
        got = yield torch.is_grad_enabled()
        out.append([got, torch.is_grad_enabled()])
        try:
            yield torch.is_grad_enabled()
        except ValueError:
            yield ["caught", torch.is_grad_enabled()]
        return "end"

    @torch.enable_grad()
    def enabled():
        return torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def off():
        return torch.is_grad_enabled()

    out += [plain(), bare(), off(), torch.is_grad_enabled()]
    with torch.no_grad():
        out += [enabled(), torch.is_grad_enabled()]
    g = generator()
    out += [next(g), torch.is_grad_enabled(), g.send("sent"), torch.is_grad_enabled(), g.throw(ValueError())]
    try:
        next(g)
    except StopIteration as e:
        out.append(e.value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        @torch.no_grad()
        class C:
            def __init__(self):
                self.inside = torch.is_grad_enabled()

    out += [C().inside, [type(w.message).__name__ for w in caught], plain.__name__]
    torch.set_grad_enabled(False)
    out.append(torch.is_grad_enabled())
    torch.set_grad_enabled(True)
    with torch.set_grad_enabled(False):
        out.append(torch.is_grad_enabled())

    def failing():
        with torch.no_grad():
            raise ValueError

    error(failing)
    out.append(torch.is_grad_enabled())
    with torch.autograd.set_multithreading_enabled(False):
        x = leaf(torch)
        (x * x).sum().backward()
    return out + [x.grad, error(lambda: torch.set_grad_enabled(3))]


@case
def backward_arguments(torch):
    x, y = leaf(torch), leaf(torch)
    A = torch.autograd
    ones = torch.ones(3)
    return [
        error(lambda: A.backward(x * 2)),
        error(lambda: A.backward([x * 2, (y * 2).sum()], [ones])),
        error(lambda: A.backward([x * 2, (y * 2).sum()], [ones, None])),
        error(lambda: A.backward([x * 2], [None])),
        error(lambda: A.backward([x * 2], ones)),
        error(lambda: A.backward(x * 2, [ones, ones])),
        error(lambda: A.backward([x * 2, y * 2], ones)),
        error(lambda: A.backward(x * 2, torch.ones(2))),
        error(lambda: A.backward(x * 2, torch.ones(3, dtype=torch.float64))),
        error(lambda: A.backward(x * 2, torch.ones(3, dtype=torch.complex64))),
        error(lambda: A.backward(x * 2, torch.ones(3, dtype=torch.int64))),
        error(lambda: A.backward(ones)),
        error(lambda: A.backward(3)),
        error(lambda: A.backward(None)),
        error(lambda: A.backward([])),
        error(lambda: A.backward((x * 2).sum(), inputs=[])),
        error(lambda: A.backward((x * 2).sum(), inputs=[ones])),
        error(lambda: A.backward((x * 2).sum(), inputs=3)),
        error(lambda: (x * 2).backward("a")),
        error(lambda: (x * 2).sum().backward(inputs=x)),
        error(lambda: (x * 2).sum().backward(retain_graph=3)),
        error(lambda: (x * 2).sum().backward(nothing=3)),
        error(lambda: A.grad(x * 2, x)),
        error(lambda: A.grad((x * 2).sum(), ones)),
        error(lambda: A.grad((x * 2).sum(), y)),
        error(lambda: A.grad((x * 2).sum(), [x, y], allow_unused=True)),
        error(lambda: A.grad((x * 2).sum(), x, ones)),
        error(lambda: A.grad([(x * 2).sum()], x, [None])),
        error(lambda: A.grad([(x * 2).sum(), (x * 3).sum()], x, [None])),
        error(lambda: A.grad((x * 2).sum(), {"a": x})),
        error(lambda: A.grad("ab", x)),
        error(lambda: A.grad(x, x, ones)),
        error(lambda: A.grad(x.sum(), [x, x])),
        error(lambda: (x * 2).sum().double().backward(torch.ones((), dtype=torch.float32))),
        error(lambda: leaf(torch, 1, dtype=torch.complex64).mul(2).backward()),
        error(lambda: torch.zeros(0, requires_grad=True).mul(1).backward()),
        x.grad,
        y.grad,
    ]


@case
def grad_of_grad_attribute(torch):
    x = leaf(torch)
    y = (x**3).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y.backward(create_graph=True)
    g = x.grad
    out = [g.requires_grad]
    x.grad = None
    g.sum().backward()
    return out + [x.grad]


@case
def grad_attribute(torch):
    x = leaf(torch, 2, 3)
    x.grad = torch.ones(2, 3)
    same = x.grad is x.grad
    (x * 2).sum().backward()
    out = [same, x.grad]
    del x.grad
    out.append(x.grad)
    return out + [
        error(lambda: setattr(x, "grad", torch.ones(2))),
        error(lambda: setattr(x, "grad", torch.ones(2, 3, dtype=torch.float64))),
        error(lambda: setattr(x, "grad", 3)),
        error(lambda: setattr(x, "grad", x)),
        error(lambda: setattr(x, "grad", torch.ones(2, 3, device="meta"))),
    ]


@case
def layout_of_grad(torch):
    x = leaf(torch, 2, 3).detach().t().requires_grad_()
    (x * 2).sum().backward()
    first = x.grad.stride()
    y = leaf(torch, 2, 3)
    (y.t() * torch.ones(3, 2)).sum().backward()
    z = leaf(torch, 1, 2, 3, 3).detach().to(memory_format=torch.channels_last).requires_grad_()
    (z * 2).sum().backward()
    return [first, y.grad.stride(), z.grad.stride()]


test_modes = recorded_test(__file__, CASES)
