"""Programs as lists of steps, what a run of one leaves behind, and how two runs part.

A program is readable source text. The name `torch` in it is bound to Hwaro or to PyTorch. A step that raises leaves its
error in the trace and the program goes on, so that what an error leaves behind is compared as well.
"""

import ast
import copy
import gc
import pickle
import threading
import warnings

import numpy as np

import support

# Relative tolerances by type, of the largest element: a few roundings. What a program amplifies is found by noise.py.
TOLERANCE = {
    "torch.float16": 4e-3,
    "torch.bfloat16": 3e-2,
    "torch.float32": 1e-5,
    "torch.complex64": 1e-5,
    "torch.float64": 1e-12,
    "torch.complex128": 1e-12,
    "float32": 1e-5,
    "float64": 1e-12,
    "float16": 4e-3,
    "complex64": 1e-5,
    "complex128": 1e-12,
}
OWN = {
    "torch",
    "F",
    "np",
    "copy",
    "pickle",
    "threading",
    "log",
    "in_child",
    "in_two_threads",
    "__builtins__",
    "__warningregistry__",
}


class Step:
    """A piece of source text. kind: what made it; rounds: whether its results may differ in the last bits."""

    __slots__ = ("code", "kind", "rounds", "text")

    def __init__(self, text, kind="", rounds=True):
        self.text, self.kind, self.rounds = text, kind, rounds
        self.code = compile(text, "<program>", "exec")

    def __reduce__(self):
        return Step, (self.text, self.kind, self.rounds)


def from_source(source):
    """The steps of a program that was kept as a file: its top-level statements."""
    lines = source.splitlines()
    tree = ast.parse(source)
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    return [Step("\n".join(lines[node.lineno - 1 : node.end_lineno])) for node in body]


def to_source(steps):
    return "\n".join(step.text for step in steps) + "\n"


def environment(lib):
    return {
        "torch": lib,
        "F": lib.nn.functional,
        "np": np,
        "copy": copy,
        "pickle": pickle,
        "threading": threading,
        "in_child": support.in_child,
        "in_two_threads": support.in_two_threads,
        "log": [],
    }


def first_line(error):
    text = str(error)
    return type(error).__name__, text.splitlines()[0] if text else ""


class Trace:
    """What a run leaves: per step its error and the new variables, and all variables at the end."""

    __slots__ = ("env", "final", "steps")

    def __init__(self):
        self.steps, self.final, self.env = [], None, None


class Runner:
    """Runs steps one by one with a library and records them."""

    def __init__(self, lib, after=None):
        self.lib, self.after = lib, after
        self.derived = []  # results of create_graph: which nodes compute a derivative is nobody's business
        self.trace = Trace()
        self.env = self.trace.env = environment(lib)
        lib.manual_seed(0)

    def run(self, step):
        """Runs a step; returns its error, if any."""
        env, before, error = self.env, dict(self.env), None
        try:
            exec(step.code, env)
        except Exception as caught:
            error = first_line(caught)
        if not self.lib.is_grad_enabled() or self.lib.is_inference_mode_enabled():
            error = error or ("Mode", "left behind")
        new = [name for name, value in env.items() if name not in OWN and before.get(name) is not value]
        if self.after:
            self.after(env, step, new)
        if "autograd.grad(" in step.text or ".grad" in step.text:
            self.derived += [v for name in new for v in flat(env[name])]
        self.trace.steps.append((error, {name: self.shot(env[name]) for name in new}))
        return error

    def shot(self, value):
        return snapshot(value, self.lib, nodes=not any(value is d for d in self.derived))

    def finish(self):
        names = [name for name in self.env if name not in OWN]
        shots = {name: self.shot(self.env[name]) for name in names}
        shots["log"] = snapshot(self.env["log"], self.lib)
        aliases = sharing([self.env[name] for name in names], self.lib)
        self.trace.final = (shots, aliases, self.lib.get_rng_state().numpy().tobytes())
        return self.trace

    def close(self):
        """Takes the variables apart, cycles too: programs must not see each other's garbage."""
        self.env.clear()
        self.derived.clear()
        self.trace.env = None


def run(lib, steps, after=None):
    runner = Runner(lib, after)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in steps:
            runner.run(step)
        trace = runner.finish()
    runner.close()
    return trace


def attempt(function):
    try:
        return function()
    except Exception as error:
        return first_line(error)


def flat(value):
    return [v for part in value for v in flat(part)] if isinstance(value, (list, tuple)) else [value]


def snapshot(value, lib, nodes=True):
    """Everything about a value that is compared, as plain Python."""
    if isinstance(value, lib.Tensor):
        return tensor_snapshot(value, lib, True, nodes)
    if isinstance(value, np.ndarray):
        strides = tuple(s for n, s in zip(value.shape, value.strides) if n > 1) if value.size else ()
        return ("array", str(value.dtype), value.shape, strides, value.tolist())
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [snapshot(v, lib, nodes) for v in value])
    if isinstance(value, dict):
        return ("dict", [(str(k), snapshot(v, lib, nodes)) for k, v in value.items()])
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return (type(value).__name__, value)
    return (type(value).__name__,)


def tensor_snapshot(t, lib, grads, nodes):
    shape = tuple(t.shape)
    filled = 0 not in shape
    strides = tuple(s for n, s in zip(shape, t.stride()) if n > 1) if filled else ()
    # What is asked of grad_fn comes first: a view whose base was written to gets its new node by that.
    node = attempt(lambda: type(t.grad_fn).__name__)
    grad = None
    is_leaf, retains = attempt(lambda: t.is_leaf), attempt(lambda: t.retains_grad)
    if grads and (is_leaf is True or retains is True):
        grad = t.grad
        grad = grad if grad is None else tensor_snapshot(grad, lib, False, False)
    return (
        "tensor",
        str(t.dtype),
        shape,
        strides,
        t.storage_offset() if filled and grads else 0,
        t.requires_grad,
        is_leaf,
        attempt(lambda: t._version),
        node if nodes else None,
        (t.is_inference(), grads and nodes and t.is_conj(), retains),
        attempt(t.tolist),
        grad,
    )


FIELDS = (
    "type",
    "dtype",
    "shape",
    "stride",
    "offset",
    "requires_grad",
    "is_leaf",
    "version",
    "grad_fn",
    "flags",
    "value",
)


def sharing(values, lib):
    """For each tensor and array, gradients too: the first of them on the same memory, and where in it."""
    memory, out = [], []
    for value in values:
        if isinstance(value, lib.Tensor):
            out.append(attempt(lambda: where(value, memory)))
            if attempt(lambda: value.is_leaf) is True and value.grad is not None:
                place = attempt(
                    lambda: where(value.grad, memory)
                )  # where a gradient begins in its own memory does not matter
                out.append(place and place[0])
        elif isinstance(value, np.ndarray) and value.size:
            at = value.__array_interface__["data"][0]
            found = [i for i, (begin, size) in enumerate(memory) if begin <= at < begin + size]
            out.append((found[0], at - memory[found[0]][0]) if found else None)
            if not found and value.base is None:
                memory.append((at, value.nbytes))
    return out


def where(tensor, memory):
    storage = tensor.untyped_storage()
    begin, size = storage.data_ptr(), storage.nbytes()
    if not size or not tensor.numel():
        return None
    for i, (other, length) in enumerate(memory):
        if other <= begin < other + length:
            return i, tensor.data_ptr() - other
    memory.append((begin, size))
    return len(memory) - 1, tensor.data_ptr() - begin


# ---- comparison -----------------------------------------------------------------------------------------------------


class Difference:
    """category: which kind of thing differs; step: index of the step, or None for the end of the program."""

    def __init__(self, category, step, name, ours, theirs, rounding=False):
        self.category, self.step, self.name, self.ours, self.theirs = category, step, name, ours, theirs
        self.rounding = rounding  # floating-point numbers that are near each other, or may be for another reason

    def __str__(self):
        at = "at the end" if self.step is None else f"step {self.step}"
        return f"{self.category} of {self.name} ({at}): {shorten(self.ours)} instead of {shorten(self.theirs)}"

    def same_kind(self, other):
        if other is None or self.category != other.category:
            return False
        if self.category != "error":
            return True
        return pattern(self.ours) == pattern(other.ours) and pattern(self.theirs) == pattern(other.theirs)


def pattern(value):
    """An error's text without its numbers."""
    return "".join("0" if c.isdigit() else c for c in str(value))


def shorten(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "…"


def compare(ours, theirs, exact=False, allowed=None):
    """The first difference of two traces, or None. allowed(path) gives the spread that noise causes there."""
    first = [{}, {}]  # the versions that variables began with
    for i, ((our_error, our_new), (their_error, their_new)) in enumerate(zip(ours.steps, theirs.steps)):
        if our_error != their_error:
            return Difference("error", i, "step", our_error, their_error)
        found = compare_shots(our_new, their_new, i, exact, allowed)
        if found:
            return found
        for versions, new in zip(first, (our_new, their_new)):
            versions.update((name, shot[7]) for name, shot in new.items() if shot[0] == "tensor")
    found = compare_shots(ours.final[0], theirs.final[0], None, exact, allowed, first)
    if found:
        return found
    if ours.final[1] != theirs.final[1]:
        return Difference("alias", None, "memory", ours.final[1], theirs.final[1])
    if ours.final[2] != theirs.final[2]:
        return Difference("rng", None, "state", "another state", "the random generator's state")
    return None


def compare_shots(ours, theirs, step, exact, allowed, first=None):
    if ours.keys() != theirs.keys():
        return Difference("names", step, "variables", sorted(ours), sorted(theirs))
    for name, their in theirs.items():
        our = ours[name]
        if our == their:
            continue
        if first and their[0] == our[0] == "tensor" and writes(our, first[0], name) != writes(their, first[1], name):
            return Difference("version", step, name, writes(our, first[0], name), writes(their, first[1], name))
        found = compare_values(our, their, step, name, exact, allowed)
        if found:
            return found
    return None


def writes(shot, first, name):
    """How often a tensor was written to since its variable began, or why it does not count."""
    counted = isinstance(shot[7], int) and isinstance(first.get(name), int)
    return shot[7] - first[name] if counted else shot[7]


def compare_values(ours, theirs, step, name, exact, allowed, leaf=True):
    if ours[0] != theirs[0]:
        return Difference("type", step, name, ours[0], theirs[0])
    kind = theirs[0]
    if kind in ("list", "tuple", "dict"):
        if len(ours[1]) != len(theirs[1]):
            return Difference("length", step, name, ours[1], theirs[1])
        if theirs[1] and all(part[0] == "float" for part in (*ours[1], *theirs[1])):
            lists = ([part[1] for part in side] for side in (ours[1], theirs[1]))
            return numbers_part(*lists, "torch.float32", step, name, exact, allowed)
        for i, (a, b) in enumerate(zip(ours[1], theirs[1])):
            if kind == "dict":
                a, b = a[1], b[1]
            found = compare_values(a, b, step, f"{name}[{i}]", exact, allowed)
            if found:
                return found
        return None
    if kind == "tensor":
        for field in range(1, 10):
            if field == 3 and name.endswith(".grad") and not leaf:
                continue  # the layout of what retain_grad keeps
            if field == 7 and isinstance(ours[7], int) and isinstance(theirs[7], int):
                continue  # a fresh result's first version tells how it was filled, no more
            if ours[field] != theirs[field]:
                return Difference(FIELDS[field], step, name, ours[field], theirs[field])
        found = numbers_part(ours[10], theirs[10], theirs[1], step, name, exact, allowed)
        if found or (ours[11] is None and theirs[11] is None):
            return found
        if ours[11] is None or theirs[11] is None:
            return Difference("grad", step, f"{name}.grad", ours[11], theirs[11])
        return compare_values(ours[11], theirs[11], step, f"{name}.grad", exact, allowed, theirs[6] is True)
    if kind == "array":
        if ours[1:4] != theirs[1:4]:
            return Difference("array", step, name, ours[1:4], theirs[1:4])
        return numbers_part(ours[4], theirs[4], theirs[1], step, name, exact, allowed)
    if kind in ("float", "complex"):
        return numbers_part(ours[1], theirs[1], "torch.float32", step, name, exact, allowed)
    return None if ours == theirs else Difference("value", step, name, ours[1:], theirs[1:])


def numbers_part(ours, theirs, dtype, step, name, exact, allowed):
    if ours == theirs:
        return None
    rtol = TOLERANCE.get(dtype)
    if rtol is None:
        return Difference("value", step, name, ours, theirs, rounding=not exact)
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":  # one could not be read
        return Difference("value", step, name, ours, theirs)
    with np.errstate(all="ignore"):
        parted = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if not parted.any():
            return None
        if exact and finite_bound(b) < 2**20:
            return Difference("value", step, name, ours, theirs)
        bound = rtol * max(finite_bound(b), finite_bound(a)) + 1e-30
        if allowed:
            bound = bound + allowed(step, name)
        if (np.abs(a - b)[parted] <= bound).all():
            return None
    return Difference("value", step, name, ours, theirs, rounding=True)


def finite_bound(values):
    values = np.abs(values)
    values = values[np.isfinite(values)]
    return float(values.max()) if values.size else 0.0


def collect():
    gc.collect()
