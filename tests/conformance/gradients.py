"""Cells of autograd: gradients, gradients of gradients, and the nodes' names."""

import itertools

import hwaro
import torch

from carry import NotCarried, difference, error_of, flat_tensors, to_hwaro
from allowances import SCALE, WRONG_GRADIENT
from cells import Cell, call, call_text, parts_of, samples
from translate import translate


def differentiable(values):
    return [t for t in flat_tensors(values) if t.requires_grad]


def weights_for(results):
    """Gradients to start from: not all alike, so that a transposed or misplaced one shows."""
    out = []
    for t in results:
        real = torch.linspace(0.5, 1.5, t.numel(), dtype=torch.float64).reshape(t.shape)
        out.append((torch.complex(real, 1 - real) if t.is_complex() else real).to(t.dtype))
    return out


def compared(got, expected, scale):
    """The first gradient that differs; an absent one may be zeros (PyTorch is not uniform there)."""
    for i, (a, b) in enumerate(zip(got, expected)):
        if a is None and b is None:
            continue
        if a is None:
            if not vanishes([b]):
                return f"no gradient for input {i}"
            continue
        if b is None:
            continue
        found = difference(a, b, f"gradient[{i}]", scale=scale)
        if found:
            return found
    return None


def node_names(result):
    """Names of the node of a result and of the nodes before it."""
    node = result.grad_fn
    if node is None:
        return None, None
    return type(node).__name__, [n and type(n).__name__ for n, _ in node.next_functions]


def both_sides(entry, function, sample):
    """(theirs, their inputs, ours, our inputs): differentiable results and inputs, or an exception of either side."""
    storages = {}
    ours_in = tuple(to_hwaro(v, storages) for v in parts_of(sample))
    process = sample.output_process_fn_grad
    ours_process = translate(process) or (lambda x: x)
    theirs = differentiable(process(call(entry.op, parts_of(sample))))
    if not theirs:
        return None
    ours = differentiable(ours_process(call(function, ours_in)))
    return theirs, differentiable(list(parts_of(sample))), ours, differentiable(list(ours_in))


def vanishes(grads):
    return all(g is None or not g.numel() or g.abs().max() == 0 for g in grads)


def second_order(grads, inputs, library, weights):
    """Gradients of first gradients, for those that depend on anything."""
    grads = [g for g in grads if g is not None and g.requires_grad]
    if not grads:
        return None
    return library.autograd.grad(grads, inputs, weights(grads), allow_unused=True)


def run_gradients(entry, function, dtype=torch.float64, names=("gradient", "grad_fn", "graph"), second=None, limit=40):
    if not entry.supports_autograd or dtype not in entry.dtypes:
        return {name: "none: no gradient" for name in names}
    cells = {name: Cell() for name in names}
    first = cells[names[0]]
    scale = SCALE.get(entry.name, 1)
    for sample in samples(entry, dtype, limit, grad=True):
        text = call_text(sample)
        try:
            error, _ = error_of(lambda sample=sample: call(entry.op, parts_of(sample)))
            if error:
                continue
            error, sides = error_of(lambda sample=sample: both_sides(entry, function, sample))
            if error and error[0] == "NotCarried":
                raise NotCarried(error[1])
            if error:
                first.add(": ".join(error), text)
                continue
            if sides is None:
                continue
            theirs, inputs, ours, ours_inputs = sides
            if len(ours) != len(theirs):
                first.add(f"{len(ours)} differentiable results instead of {len(theirs)}", text)
                continue
            if "grad_fn" in cells:
                pairs = [(node_names(a), node_names(b)) for a, b in zip(ours, theirs)]
                cells["grad_fn"].add(next((f"{a[0]} instead of {b[0]}" for a, b in pairs if a[0] != b[0]), None), text)
                cells["graph"].add(next((f"{a} instead of {b}" for a, b in pairs if a != b), None), text)
            weights = weights_for(theirs)
            expected_error, expected = error_of(
                lambda: torch.autograd.grad(theirs, inputs, weights, allow_unused=True, create_graph=bool(second))
            )
            if expected_error:
                continue
            if entry.name in WRONG_GRADIENT:
                expected = by_differences(entry, sample, inputs, weights)
            got_error, got = error_of(
                lambda: hwaro.autograd.grad(
                    ours, ours_inputs, to_hwaro(weights), allow_unused=True, create_graph=bool(second)
                )
            )
            if got_error:
                first.add(": ".join(got_error), text)
                continue
            if not second:
                first.add(compared(got, expected, scale), text)
                continue
            expected_error, expected = error_of(lambda: second_order(expected, inputs, torch, weights_for))
            if expected_error or expected is None:
                continue
            got_error, got = error_of(
                lambda: second_order(got, ours_inputs, hwaro, lambda g: to_hwaro(weights_for(g_like(g))))
            )
            if got_error or got is None:  # a gradient that depends on nothing may say so by zeros or by no node
                first.add(
                    ": ".join(got_error) if got_error else None if vanishes(expected) else "no second gradient", text
                )
                continue
            first.add(compared(got, expected, 10 * scale), text)
        except NotCarried as reason:
            first.skip(f"{reason} is not carried")
    return cells


def by_differences(entry, sample, inputs, weights):
    """Gradients of a linear operator with real coefficients: how its results change with each element."""

    def results():
        return differentiable_or_all(sample.output_process_fn_grad(call(entry.op, parts_of(sample))))

    grads = []
    with torch.no_grad():
        before = results()
        for t in inputs:
            grad = torch.zeros_like(t)
            for place in itertools.product(*map(range, t.shape)):
                t[place] += 1
                grad[place] = sum(((a - b) * w).sum() for a, b, w in zip(results(), before, weights))
                t[place] -= 1
            grads.append(grad)
    return grads


def differentiable_or_all(values):
    return [t for t in flat_tensors(values) if t.is_floating_point() or t.is_complex()]


def g_like(ours):
    """PyTorch tensors of the same shapes and types as Hwaro's, for weights."""
    return [torch.empty(tuple(t.shape), dtype=getattr(torch, str(t.dtype).removeprefix("torch."))) for t in ours]


def run_complex(entry, function):
    return run_gradients(entry, function, torch.complex128, ("complex_gradient",), limit=12)


def run_second(entry, function):
    if not entry.supports_gradgrad:
        return {"second": "none: no second gradient"}
    return run_gradients(entry, function, torch.float64, ("second",), second=True, limit=6)
