"""Automatic differentiation: backward(), grad(), functions with a gradient of one's own, and a look into the graph."""

import importlib as _importlib
import warnings as _warnings

from hwaro import _C
from hwaro._grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)  # noqa: F401
from hwaro.autograd import grad_mode  # noqa: F401
from hwaro.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly  # noqa: F401
from hwaro.autograd.function import Function, NestedIOFunction  # noqa: F401
from hwaro.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck  # noqa: F401  (hides its module)
from hwaro.autograd.variable import Variable  # noqa: F401

__all__ = [
    "Variable",
    "Function",
    "backward",
    "grad_mode",
    "NestedIOFunction",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    "variable",
]

_MODULES = {"functional", "graph", "profiler", "forward_ad", "variable", "function", "anomaly_mode"}


def __getattr__(name):
    if name in _MODULES:
        return _importlib.import_module("hwaro.autograd." + name)
    raise AttributeError(f"module 'torch.autograd' has no attribute '{name}'")


def _gradients(grads, outputs):
    """grad_tensors as a list with one entry per output."""
    if grads is None:
        return [None] * len(outputs)
    grads = [grads] if isinstance(grads, _C.Tensor) else list(grads)
    for g in grads:
        if g is not None and not isinstance(g, _C.Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(grads) < len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    return grads


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds the gradients of `tensors` to .grad of the leaves (or of `inputs`) that they were computed from.

    grad_tensors: the gradient of each tensor; may be left out for tensors with one element. create_graph: record the
    backward pass, for higher derivatives. retain_graph: keep what was saved, for a second pass.
    """
    if inputs is not None:
        inputs = (inputs,) if isinstance(inputs, _C.Tensor) or _is_edge(inputs) else tuple(inputs)
        if len(inputs) == 0:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if grad_variables is not None:
        _warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only"
                " use `grad_tensors`."
            )
        grad_tensors = grad_variables
    tensors = (tensors,) if isinstance(tensors, _C.Tensor) or _is_edge(tensors) else tuple(tensors)
    if not tensors:
        return
    if retain_graph is None:
        retain_graph = create_graph
    _C.run_backward(
        _roots(tensors), _gradients(grad_tensors, tensors), bool(retain_graph), bool(create_graph), inputs, True, True
    )


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of `outputs` with respect to `inputs`, as a tuple; .grad is left alone.

    grad_outputs: the gradient of each output; with is_grads_batched their first dimension numbers several of them.
    allow_unused: None instead of an error for inputs that the outputs do not depend on; materialize_grads: zeros.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    outputs = (outputs,) if isinstance(outputs, _C.Tensor) or _is_edge(outputs) else tuple(outputs)
    keys = list(inputs) if isinstance(inputs, dict) else None
    if keys is not None:
        inputs = inputs.values()
    inputs = (inputs,) if isinstance(inputs, _C.Tensor) or _is_edge(inputs) else tuple(inputs)
    if not only_inputs:
        _warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other"
            " parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    gradients = _gradients(grad_outputs, outputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for i in inputs:
        if not isinstance(i, _C.Tensor) and not _is_edge(i):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(i).__name__}")
    if retain_graph is None:
        retain_graph = create_graph
    roots = _roots(outputs)
    if not is_grads_batched:
        result = _C.run_backward(
            roots, gradients, bool(retain_graph), bool(create_graph), inputs, False, bool(allow_unused)
        )
    else:
        result = _batched(roots, inputs, gradients, bool(retain_graph), bool(create_graph), bool(allow_unused))
    if materialize_grads:
        result = _materialized(result, inputs, bool(create_graph))
    return result if keys is None else dict(zip(keys, result))


def _materialized(result, inputs, create_graph):
    import hwaro as torch

    if any(r is None and not isinstance(i, _C.Tensor) for r, i in zip(result, inputs)):
        raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge.")
    return tuple(torch.zeros_like(i, requires_grad=create_graph) if r is None else r for r, i in zip(result, inputs))


def _batched(roots, inputs, gradients, retain_graph, create_graph, allow_unused):
    import hwaro as torch

    sizes = {g.size(0) for g in gradients if g is not None}
    if len(sizes) != 1:
        raise ValueError(f"grad_outputs: expected gradients with one size of the first dimension, got {sorted(sizes)}")
    count = sizes.pop()
    rows = []
    for i in range(count):
        one = [None if g is None else g[i] for g in gradients]
        rows.append(
            _C.run_backward(roots, one, retain_graph or i + 1 < count, create_graph, inputs, False, allow_unused)
        )
    return tuple(None if column[0] is None else torch.stack(column) for column in zip(*rows))


def _is_edge(obj):
    return isinstance(obj, tuple) and hasattr(obj, "ownership_token")


def _roots(outputs):
    for o in outputs:
        if not isinstance(o, _C.Tensor) and not _is_edge(o):
            raise AssertionError("Expected output to be a torch.Tensor")
    return outputs


def variable(*args, **kwargs):
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")


def is_tensor_like(obj):
    return isinstance(obj, _C.Tensor) or hasattr(obj, "__torch_function__")


def _register_py_tensor_class_for_device(device, cls):
    raise RuntimeError("classes of tensors per device are not supported")
