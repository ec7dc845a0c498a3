"""Where Hwaro differs from PyTorch on purpose, each with its reason. A finding that one of these covers is counted."""

import re

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
        "one step with two mistakes, one of them a spoilt view or a saved tensor written to: which is told first",
        lambda f, steps, trace: (
            f.category == "error"
            and f.ours is not None
            and f.theirs is not None
            and ("modified inplace" in f.theirs[1] or VERSION in f.theirs[1] and f.ours[1].startswith(VERSION))
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
        "take, gather and div with a rounding mode: PyTorch saves operands that their gradients do not read",
        lambda f, steps, trace: (
            errors(f, None, VERSION)
            and any(re.search(r"torch\.take\(|\bgather\(|rounding_mode", step.text) for step in steps)
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
