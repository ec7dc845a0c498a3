"""Where Hwaro differs from PyTorch on purpose, each with its reason. A finding that one of these covers is counted."""

import re

import numpy as np
import torch

from program import attempt, run

VERSION = "one of the variables needed for gradient computation has been modified by an inplace operation"


def errors(found, ours, theirs):
    """Whether a difference is one of errors with these beginnings of text (None: no error)."""
    pairs = ((found.ours, ours), (found.theirs, theirs))
    return found.category == "error" and all(
        error is None if text is None else error is not None and error[1].startswith(text) for error, text in pairs
    )


def looked_at(found, steps):
    """Whether PyTorch does what Hwaro does once somebody has asked each variable for its grad_fn after each step."""

    def look(env, step, new):
        for value in list(env.values()):
            if isinstance(value, torch.Tensor):
                attempt(lambda: value.grad_fn)

    return run(torch, steps, look).steps[found.step][0] == found.ours


def only_infinities(found):
    """Whether complex numbers differ only where both have a part that is infinite or NaN."""
    try:
        ours, theirs = np.asarray(found.ours, dtype=complex), np.asarray(found.theirs, dtype=complex)
    except (TypeError, ValueError):
        return False
    if ours.shape != theirs.shape or "j" not in str(found.theirs):
        return False
    with np.errstate(all="ignore"):
        near = np.isclose(ours, theirs, rtol=1e-4, equal_nan=True)
    return bool((near | ~(np.isfinite(ours) | np.isfinite(theirs))).all())


def raised_before(pattern, steps, trace):
    return any(error and re.search(pattern, error[1]) for error, _ in trace.steps)


# What the makers of steps leave out, because PyTorch promises nothing or because Hwaro differs on purpose:
#   writes to a tensor while an overlapping one is read, and to views whose elements overlap: undefined in PyTorch
#   torch.empty without a write: undefined
#   remainders of halves: operands of other types are rounded before or after, which decides the result
#   t.data = other and t.set_(other) where others look at t's old memory: in Hwaro, they no longer share its versions
#   len(grad_outputs) in hooks on nodes: Hwaro counts outputs of integers too
#   enable_grad inside inference_mode: Hwaro records
#   copy.copy(t): PyTorch gives the copy a version counter of its own, over the same memory
#   imag of a lazily conjugated tensor: PyTorch returns a lazily negated view, which Hwaro does not have
#   leaves made under inference_mode that require grad: some of PyTorch's operators record them, others do not
DEVIATIONS = [
    # (name, reason, covers(difference, steps, PyTorch's trace))
    (
        "leaf until looked at",
        "PyTorch takes a view whose base has got its history since for a leaf, unless its grad_fn was asked for",
        lambda f, steps, trace: (
            errors(f, None, "a leaf Variable that requires grad is being used in an in-place") and looked_at(f, steps)
        ),
    ),
    (
        "written before the error",
        "PyTorch writes to an inference tensor and then refuses to; Hwaro refuses first",
        lambda f, steps, trace: (
            f.category == "value" and raised_before("Inplace update to inference tensor", steps, trace)
        ),
    ),
    (
        "order of branches",
        "a backward pass that raises has visited other branches before that, in an order that nobody promises",
        lambda f, steps, trace: (
            (f.name.endswith(".grad") or f.name == "log")
            and any(error and "backward" in step.text for step, (error, _) in zip(steps, trace.steps))
        ),
    ),
    (
        "two errors",
        "one step with two mistakes, one of them a spoilt view or what is saved for backward: which is told first",
        lambda f, steps, trace: (
            f.category == "error"
            and f.ours is not None
            and f.theirs is not None
            and (
                "modified inplace" in f.theirs[1]
                or f.theirs[1].startswith("Inference tensors cannot be saved")
                or {f.ours[1][:22], f.theirs[1][:22]} <= {VERSION[:22], "Trying to backward through"[:22]}
            )
        ),
    ),
    (
        "gradients are no views",
        "what autograd.grad returns may be a view made under no_grad, which cannot be written to with history",
        lambda f, steps, trace: (
            (
                errors(f, None, "A view was created in no_grad mode and")
                or errors(f, "A view was created in no_grad mode and", None)
            )
            and any("autograd.grad(" in step.text for step in steps)
        ),
    ),
    (
        "copy of a conjugate",
        "a deep copy of a lazily conjugated tensor stays lazy in Hwaro",
        lambda f, steps, trace: (
            f.category in ("flags", "stride")
            and any("deepcopy" in step.text for step in steps)
            and any(re.search(r"conj|\.mH|\.H\b|adjoint", step.text) for step in steps)
        ),
    ),
    (
        "PyTorch's own failure",
        "an internal assertion of PyTorch, or one of its lazy zeros showing through",
        lambda f, steps, trace: (
            errors(f, None, "ZeroTensors are immutable")
            or (f.category == "value" and "a tensor with unallocated storage" in str(f.theirs))
            or (f.category == "error" and f.theirs is not None and "INTERNAL ASSERT FAILED" in f.theirs[1])
        ),
    ),
    (
        "half complex",
        "Hwaro has no complex32",
        lambda f, steps, trace: "complex32" in str(f.theirs) or "ComplexHalf" in str(f.theirs),
    ),
    (
        "saved without need",
        "take, gather, div with a rounding mode, powers of 0 and 1: PyTorch saves what their gradients do not read",
        lambda f, steps, trace: (
            errors(f, None, VERSION)
            and any(re.search(r"take\(|gather\(|rounding_mode|\*\* [01]\b|pow", step.text) for step in steps)
        ),
    ),
    (
        "detached inference tensor",
        "detach() and .data of an inference tensor: PyTorch's result has a version (0) and may be written to",
        lambda f, steps, trace: (
            (f.category == "version" and f.theirs == 0 and "Inference tensors" in str(f.ours))
            or (errors(f, "Inplace update to inference tensor", None) and re.search(r"detach|data", steps[f.step].text))
            or (f.category == "type" and f.step is not None and "detach().fill_" in steps[f.step].text)
        ),
    ),
    (
        "mixed fill",
        "PyTorch cannot differentiate a complex tensor filled with a real one",
        lambda f, steps, trace: errors(f, None, "Expected isFloatingType(grad.scalar_type())"),
    ),
    (
        "detached after it was saved",
        "detach_() on a tensor that a graph has saved: PyTorch refuses the backward pass, Hwaro computes it",
        lambda f, steps, trace: errors(f, None, "Trying to use a saved tensor that has been detached in-place"),
    ),
    (
        "layout of logsigmoid",
        "PyTorch's result of logsigmoid is always row-major; Hwaro's keeps the order of dimensions as all pointwise do",
        lambda f, steps, trace: f.category == "stride" and any("logsigmoid" in step.text for step in steps),
    ),
    (
        "resized before the error",
        "PyTorch gives out= its new shape and then finds that it cannot compute; Hwaro leaves it as it was",
        lambda f, steps, trace: (
            f.category in ("shape", "stride", "value", "error")
            and any(error and "out=" in step.text for step, (error, _) in zip(steps, trace.steps))
        ),
    ),
    (
        "no derivative",
        "PyTorch has no derivative of a number modulo a tensor",
        lambda f, steps, trace: (
            (f.category == "grad_fn" and f.theirs == "NotImplemented")
            or errors(f, None, "derivative for aten::remainder")
        ),
    ),
    (
        "gelu of infinity",
        "of contiguous float32 tensors with more than one element, PyTorch makes NaN of it, of others infinity",
        lambda f, steps, trace: (
            f.category == "value"
            and f.step is not None
            and "gelu" in steps[f.step].text
            and "nan" in str(f.theirs)
            and "inf" in str(f.ours)
        ),
    ),
    (
        "end of the range of sinh",
        "PyTorch's vectors of float32 are infinite from 89 on, its single numbers, as ours, from 89.5",
        lambda f, steps, trace: (
            f.category == "value"
            and f.step is not None
            and re.search("sinh|cosh", steps[f.step].text)
            and "inf" in str(f.theirs)
        ),
    ),
    (
        "nothing to compute",
        "a node whose operands are all views made without grad: PyTorch saves them, and misses them the second time",
        lambda f, steps, trace: (
            errors(f, None, "Trying to backward through the graph a second time")
            and any(re.search("no_grad|inference_mode|set_grad_enabled", step.text) for step in steps)
        ),
    ),
    (
        "layout of gradients",
        "what autograd.grad returns has the strides that its computation gave it",
        lambda f, steps, trace: (
            f.category == "stride" and f.step is not None and "autograd.grad(" in steps[f.step].text
        ),
    ),
    (
        "layout of einsum",
        "with dimensions of size 1, PyTorch's result is laid out as its shortcut for that case has it",
        lambda f, steps, trace: (
            f.category in ("stride", "grad_fn") and f.step is not None and "einsum" in steps[f.step].text
        ),
    ),
    (
        "complex infinities",
        "complex numbers with an infinite part: which other parts become NaN, PyTorch's own loops do not agree upon",
        lambda f, steps, trace: f.category == "value" and only_infinities(f),
    ),
    (
        "reshaped without a trace",
        "a result that was reshaped under no_grad gets a gradient of another shape: who notices it, and in which words",
        lambda f, steps, trace: (
            f.category == "error"
            and f.theirs is not None
            and "returned an invalid gradient at index" in f.theirs[1]
            and any(re.search(r"mode|grad\(\)", s.text) and re.search(r"(t|eeze|ose|axes)_\(", s.text) for s in steps)
        ),
    ),
    (
        "gradient of infinite products",
        "with zeros and infinities, PyTorch's gradient of cumprod leaves terms out that are NaN",
        lambda f, steps, trace: (
            f.category == "value"
            and f.name.endswith(".grad")
            and any("cumprod" in step.text for step in steps)
            and re.search("nan|inf", str(f.theirs) + str(f.ours))
        ),
    ),
    (
        "median of repeated elements",
        "of a tensor with a stride of zero, PyTorch's median along that dimension reads what lies behind it",
        lambda f, steps, trace: (
            f.category == "value"
            and f.step is not None
            and "median" in steps[f.step].text
            and any(re.search("expand|as_strided|broadcast", step.text) for step in steps)
        ),
    ),
    (
        "difference of bools",
        "PyTorch's gradient of logaddexp subtracts an operand of type bool, which it refuses",
        lambda f, steps, trace: (
            errors(f, None, "Subtraction, the `-` operator, with a bool tensor")
            and re.search(r"backward|grad\(", steps[f.step].text)
        ),
    ),
    (
        "argsort of a spoilt view",
        "PyTorch sorts, and asks for the history of the view; Hwaro's result has none",
        lambda f, steps, trace: (
            errors(f, None, "Output ") and "argsort" in steps[f.step].text and "modified inplace" in f.theirs[1]
        ),
    ),
    (
        "infinite products",
        "whether the partial product of the others overflows before the zero is met, no order of lanes promises",
        lambda f, steps, trace: (
            f.category == "value"
            and f.step is not None
            and "prod(" in steps[f.step].text
            and "nan" in str(f.ours) + str(f.theirs)
            and "0.0" in str(f.ours) + str(f.theirs)
        ),
    ),
    (
        "gradient of a write to shared elements",
        "PyTorch refuses in the backward pass what it allowed before: a masked write to elements shown twice",
        lambda f, steps, trace: (
            errors(f, None, "unsupported operation: more than one element of the written-to tensor")
            and re.search(r"backward|grad\(", steps[f.step].text)
        ),
    ),
    (
        "integer divisor of addcdiv",
        "PyTorch's gradient of addcdiv fails where an operand is an integer",
        lambda f, steps, trace: (
            errors(f, None, "result type Float can't be cast to the desired output type")
            and re.search(r"backward|grad\(", steps[f.step].text)
            and any("addcdiv" in step.text for step in steps)
        ),
    ),
]


def deviation(found, steps, trace):
    return next((name for name, _, covers in DEVIATIONS if covers(found, steps, trace)), None)
