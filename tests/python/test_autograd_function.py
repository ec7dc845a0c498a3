"""autograd.Function: what forward and backward may do, and what is said otherwise; recorded from PyTorch."""

from shown import shown
from recorded import recorded_test


def function(torch, forward, backward):
    return type(
        "Made", (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    )


def leaf(torch):
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


def double(ctx, x):
    return x * 2


def scale(torch):
    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k=2):
            ctx.k = k
            ctx.save_for_backward(x)
            return x * k

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    return Scale


def square(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    return Square


def names_and_attributes(torch):
    out = scale(torch).apply(leaf(torch))
    fn = out.grad_fn
    return (
        repr(out),
        type(fn).__name__,
        fn.name(),
        fn.k,
        repr(fn.saved_tensors),
        fn.needs_input_grad,
        len(fn.next_functions),
    )


def gradient(torch):
    x = leaf(torch)
    scale(torch).apply(x, 5).sum().backward()
    return x.grad


def keyword_arguments(torch):
    return repr(scale(torch).apply(leaf(torch), k=3))


def double_backward(torch):
    x = leaf(torch)
    (g,) = torch.autograd.grad(square(torch).apply(x).sum(), x, create_graph=True)
    return g, torch.autograd.grad(g.sum(), x)


def second_backward_without_graph(torch):
    out = square(torch).apply(leaf(torch) * 1).sum()
    out.backward()
    return shown(out.backward)


def changed_saved_tensor(torch):
    w = torch.ones(3, requires_grad=True).exp()
    out = square(torch).apply(w)
    w.add_(1)
    return shown(lambda: out.sum().backward())[:150]


def saved_output(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = leaf(torch)
    y = Exp.apply(x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return g, torch.autograd.grad(g.sum(), x), type(y.grad_fn).__name__


def setup_context(torch):
    class Setup(torch.autograd.Function):
        @staticmethod
        def forward(x, k=3):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    x = leaf(torch)
    Setup.apply(x).sum().backward()
    return x.grad


def once_differentiable(torch):
    from importlib import import_module

    once = import_module(torch.__name__ + ".autograd.function").once_differentiable

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = leaf(torch)
    weight = torch.ones(3, requires_grad=True)
    (g,) = torch.autograd.grad((Once.apply(x) * weight).sum(), x, create_graph=True)
    return g.detach(), shown(lambda: g.sum().backward())


def several_outputs(torch):
    seen = []

    def backward(ctx, g, h):
        seen.append([None if t is None else t.tolist() for t in (g, h)])
        return g * 2

    x = leaf(torch)
    function(torch, lambda ctx, x: (x * 2, x * 3), backward).apply(x)[0].sum().backward()

    def unmaterialized(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    function(torch, unmaterialized, backward).apply(x)[0].sum().backward()
    return seen, x.grad


def not_differentiable(torch):
    def forward(ctx, x):
        a, b = x * 2, x * 3
        ctx.mark_non_differentiable(b)
        return a, b

    a, b = function(torch, forward, lambda ctx, g, h: g * 2).apply(leaf(torch))
    return a.requires_grad, b.requires_grad


def in_place(torch):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = leaf(torch)
    y = x * 1
    out = function(torch, forward, lambda ctx, g: g * 2).apply(y)
    out.sum().backward()
    return (
        out is y,
        type(y.grad_fn).__name__,
        y._version,
        x.grad,
        shown(lambda: function(torch, forward, lambda ctx, g: g).apply(leaf(torch))),
    )


def dirty_but_not_returned(torch):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x + 1

    return shown(lambda: function(torch, forward, lambda ctx, g: g).apply(leaf(torch) * 1))


def input_returned(torch):
    make = function(torch, lambda ctx, x: x, lambda ctx, g: g * 7)
    x = leaf(torch)
    out = make.apply(x)
    out.sum().backward()
    plain = torch.ones(2)
    return out is x, repr(out), x.grad, make.apply(plain) is plain


def other_results(torch):
    x = leaf(torch)
    return [
        shown(lambda: function(torch, f, lambda ctx, *g: g[0]).apply(x))
        for f in (lambda ctx, x: 3, lambda ctx, x: (x * 2, 3), lambda ctx, x: None)
    ]


def under_no_grad(torch):
    with torch.no_grad():
        return square(torch).apply(leaf(torch)).requires_grad


def mistakes(torch):
    x = leaf(torch)

    def backward(f, forward=double, args=(x,)):
        return shown(lambda: function(torch, forward, f).apply(*args).sum().backward())

    two = lambda ctx, x, k: x * 2  # noqa: E731
    return [
        backward(lambda ctx, g: (g, g)),
        backward(lambda ctx, g: (g, None)),
        backward(lambda ctx, g: torch.ones(2)),
        backward(lambda ctx, g: g.double()),
        backward(lambda ctx, g: 3),
        backward(lambda ctx, g: (g, g), two, (x, 3)),
        backward(lambda ctx, g: (g,), two, (x, x)),
        backward(lambda ctx, g: None),
        shown(lambda: function(torch, lambda ctx, x: (ctx.save_for_backward(3), x * 2)[1], lambda ctx, g: g).apply(x)),
        shown(lambda: type("Empty", (torch.autograd.Function,), {}).apply(x)),
        shown(
            lambda: type("Half", (torch.autograd.Function,), {"forward": staticmethod(double)})
            .apply(x)
            .sum()
            .backward()
        ),
        shown(lambda: square(torch)()(x)),
    ]


def error_in_backward(torch):
    def fail(ctx, g):
        raise KeyError("mine")

    return shown(lambda: function(torch, double, fail).apply(leaf(torch)).sum().backward())


CASES = {
    f.__name__: f
    for f in (
        names_and_attributes,
        gradient,
        keyword_arguments,
        double_backward,
        second_backward_without_graph,
        changed_saved_tensor,
        saved_output,
        setup_context,
        once_differentiable,
        several_outputs,
        not_differentiable,
        in_place,
        dirty_but_not_returned,
        input_returned,
        other_results,
        under_no_grad,
        mistakes,
        error_in_backward,
    )
}
test_case = recorded_test(__file__, CASES)


def test_the_graph_goes_with_its_last_reference():
    import gc
    import weakref
    import hwaro as torch

    class Marked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            ctx.save_for_backward(x, y)
            ctx.marker = Marker()
            refs.append(weakref.ref(ctx.marker))
            return y

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Marker:
        pass

    refs = []
    out = Marked.apply(torch.ones(2, requires_grad=True))
    assert refs[0]() is not None
    del out
    gc.collect()
    assert refs[0]() is None
