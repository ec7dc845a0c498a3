"""Cases for recorded.py from lists of expressions, one per line, in which `t` is the library under test.

What an expression gives is kept with the name of its grad_fn; what it raises, as class and first line of text.
"""
import warnings

import numpy as np


def described(value, t):
    """A value with what hangs on its tensors."""
    if isinstance(value, t.Tensor):
        plain = value.detach()
        # Infinities and NaN go through the record as text; half types have no NumPy form, and bool no sum.
        return {"value": plain, "grad_fn": type(value.grad_fn).__name__ if value.requires_grad else None}
    if isinstance(value, (list, tuple)):
        return [described(item, t) for item in value]
    return value


def evaluate(code, names):
    def case(t):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return described(eval(code, dict(names, t=t)), t)
            except Exception as error:
                return {"raises": type(error).__name__, "text": str(error).split("\n")[0]}
    return case


def cases(text, names=None):
    """name -> function(torch) for every line of the text that is not empty."""
    lines = [line.strip() for line in text.strip().split("\n")]
    return {line: evaluate(compile(line, line, "eval"), names or {}) for line in lines if line}


def numbers(seed, *shape):
    """The same irregular numbers everywhere."""
    return np.random.default_rng(seed).standard_normal(shape)


def gradients(t, f, *arrays):
    """What f gives for float64 inputs, the gradients of a weighted sum and of a square sum, and second derivatives."""
    xs = [t.tensor(a, dtype=t.float64, requires_grad=True) for a in arrays]
    outputs = f(*xs)
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def grad(scalar, create_graph=True):
        for x in xs:
            x.grad = None
        scalar.backward(create_graph=create_graph, retain_graph=True)
        return [x.grad for x in xs]

    weighted = sum((o * (t.arange(o.numel(), dtype=t.float64).reshape(o.shape) * 0.1 + k + 1)).sum() for k, o in enumerate(outputs))
    first = grad(weighted)
    square = grad(sum((o * o).sum() for o in outputs))
    size = sum((g * g).sum() for g in square if g is not None)
    second = grad(size, create_graph=False) if size.requires_grad else []
    return outputs, [g if g is None else g.detach() for g in first + square + second]
