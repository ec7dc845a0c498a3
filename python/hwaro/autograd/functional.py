"""Jacobians, Hessians and their products with vectors, of functions of tensors."""

import hwaro as torch
from hwaro import _C

__all__ = ["vjp", "jvp", "jacobian", "hessian", "hvp", "vhp"]


def _as_tuple(value, what, function):
    """(is_tuple, values as a tuple); what and function name the argument in errors."""
    is_tuple = isinstance(value, tuple)
    values = value if is_tuple else (value,)
    given = what if what != "outputs" else "outputs of the user-provided function"
    for i, v in enumerate(values):
        if not isinstance(v, _C.Tensor):
            found = f"value at index {i}" if is_tuple else f"given {given}"
            raise TypeError(
                f"The {given} given to {function} must be either a Tensor or a tuple of Tensors but the {found} has type"
                f" {type(v)}."
            )
    return is_tuple, values


def _prepare(inputs, create_graph):
    """Inputs of the function: part of the caller's graph with create_graph, otherwise cut off from it."""
    if create_graph:
        return tuple(i.view_as(i) if i.requires_grad else i.detach().requires_grad_() for i in inputs)
    return tuple(i.detach().requires_grad_() for i in inputs)


def _finish(values, create_graph):
    return values if create_graph else tuple(v.detach() for v in values)


def _shape_back(values, is_tuple):
    return tuple(values) if is_tuple else values[0]


def _check_vectors(v, likes, is_tuple):
    if len(v) != len(likes):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(likes)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (a, b) in enumerate(zip(v, likes)):
        if a.size() != b.size():
            where = f"Entry {i} in " if is_tuple else ""
            raise RuntimeError(f"{where}v has invalid size: should be {b.size()} but got {a.size()}.")


def _vectors(v, likes, is_tuple, function, message):
    if v is not None:
        _, v = _as_tuple(v, "v", function)
        v = tuple(t.detach() for t in v)
        _check_vectors(v, likes, is_tuple)
        return v
    if len(likes) != 1 or likes[0].numel() != 1:
        raise RuntimeError(message)
    return (torch.ones_like(likes[0]),)


def _single_output(func, inputs, strict, function):
    """The output of a function that must give one number, as a tuple."""
    is_tuple, outputs = _as_tuple(func(*inputs), "outputs", function)
    _check_depends(outputs, "outputs", strict)
    if is_tuple:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return outputs


_INDEPENDENT = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs must be computed in a"
    " differentiable manner from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the user-provided function."
    " This is not allowed in strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with respect to"
    " input {} is independent of the input. This is not allowed in strict mode. You should ensure that your function is"
    " twice differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for"
    " example).",
    "hessian": "While computing the hessian, found that the hessian of the user-provided function with respect to input"
    " {} is independent of the input. This is not allowed in strict mode. You should ensure that your function is thrice"
    " differentiable and that the hessian depends on the inputs.",
}


def _check_depends(values, what, strict):
    """In strict mode raises for values that cannot be differentiated (any further)."""
    for i, v in enumerate(values if strict else ()):
        if v is None:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {i}. This is not allowed in strict"
                " mode."
            )
        if not v.requires_grad:
            raise RuntimeError(_INDEPENDENT[what].format(i))


def _gradients(outputs, inputs, grad_outputs, create_graph, retain_graph=None):
    """Like autograd.grad, but outputs that depend on nothing give None."""
    pairs = [(o, g) for o, g in zip(outputs, grad_outputs) if o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return torch.autograd.grad(
        [o for o, _ in pairs],
        inputs,
        [g for _, g in pairs],
        allow_unused=True,
        create_graph=create_graph,
        retain_graph=retain_graph,
    )


_ABSENT = {
    "back": "The output of the user-provided function is independent of input {}. This is not allowed in strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the"
    " double backward trick to compute forward mode gradients. This is not allowed in strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict"
    " mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in the grad_jacobian."
    " This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode AD.",
}


def _fill(grads, likes, strict, create_graph, stage):
    """Zeros where there are no gradients; errors instead in strict mode."""
    out = []
    for i, (g, like) in enumerate(zip(grads, likes)):
        if g is None:
            if strict:
                raise RuntimeError(_ABSENT[stage].format(i))
            g = torch.zeros_like(like)
        elif strict and create_graph and not g.requires_grad:
            raise RuntimeError(
                f"The {'hessian' if 'double' in stage else 'jacobian'} of the user-provided function is independent of"
                f" input {i}. This is not allowed in strict mode when create_graph=True."
            )
        out.append(g)
    return tuple(out)


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T J): the product of a vector with the Jacobian."""
    with torch.enable_grad():
        is_tuple, inputs = _as_tuple(inputs, "inputs", "vjp")
        inputs = _prepare(inputs, create_graph)
        outputs_tuple, outputs = _as_tuple(func(*inputs), "outputs", "vjp")
        _check_depends(outputs, "outputs", strict)
        v = _vectors(
            v,
            outputs,
            outputs_tuple,
            "vjp",
            "The vector v can only be None if the user-provided function returns a single Tensor with a single"
            " element.",
        )
    with torch.set_grad_enabled(create_graph or torch.is_grad_enabled()):
        grads = _fill(_gradients(outputs, inputs, v, create_graph), inputs, strict, create_graph, "back")
    return _shape_back(_finish(outputs, create_graph), outputs_tuple), _shape_back(
        _finish(grads, create_graph), is_tuple
    )


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), J v): the product of the Jacobian with a vector, by differentiating the vector product."""
    with torch.enable_grad():
        is_tuple, inputs = _as_tuple(inputs, "inputs", "jvp")
        inputs = _prepare(inputs, create_graph)
        if v is not None:
            _, v = _as_tuple(v, "v", "jvp")
            v = tuple(t.detach() for t in v)
            _check_vectors(v, inputs, is_tuple)
        elif len(inputs) != 1 or inputs[0].nelement() != 1:
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a single Tensor with a"
                " single element."
            )
        else:
            v = (torch.ones_like(inputs[0]),)
        outputs_tuple, outputs = _as_tuple(func(*inputs), "outputs", "jvp")
        _check_depends(outputs, "outputs", strict)
        products = _double_backward(outputs, inputs, v, strict, create_graph, "grad_inputs")
        products = _fill(products, outputs, strict, create_graph, "back_trick")
    return _shape_back(_finish(outputs, create_graph), outputs_tuple), _shape_back(
        _finish(products, create_graph), outputs_tuple
    )


def _double_backward(outputs, inputs, v, strict, create_graph, what):
    """J v: u -> u^T J is linear in u, and its own vector product with v is J v."""
    u = tuple(torch.zeros_like(o, requires_grad=True) for o in outputs)
    grads = _gradients(outputs, inputs, u, True)
    _check_depends(grads, what, strict)
    grads = tuple(torch.zeros_like(i) if g is None else g for g, i in zip(grads, inputs))
    return _gradients(grads, u, v, create_graph)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of func at inputs: for each output and input a tensor of shape output.shape + input.shape."""
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs'
            ' than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported'
                ' together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        if strict:
            raise RuntimeError(
                'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported'
                ' together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for"
                " `vectorize=True`."
            )
    with torch.enable_grad():
        is_tuple, inputs = _as_tuple(inputs, "inputs", "jacobian")
        inputs = _prepare(inputs, create_graph)
        outputs_tuple, outputs = _as_tuple(func(*inputs), "outputs", "jacobian")
        _check_depends(outputs, "outputs", strict)
        if vectorize and strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together."
                " Please either set `strict=False` or `vectorize=False`."
            )
        rows = []
        for number, out in enumerate(outputs):
            columns = [[] for _ in inputs]
            flat = out.reshape(-1)
            for j in range(out.numel()):
                grads = _gradients((flat[j],), inputs, (None,), create_graph, retain_graph=True)
                for i, g in enumerate(grads):
                    if g is None and strict:
                        raise RuntimeError(
                            f"Output {number} of the user-provided function is independent of input {i}. This is not"
                            " allowed in strict mode."
                        )
                for column, g in zip(columns, _fill(grads, inputs, strict, create_graph, "back")):
                    column.append(g)
            rows.append(
                tuple(
                    torch.stack(c).view(out.size() + i.size()) if c else out.new_zeros(out.size() + i.size())
                    for c, i in zip(columns, inputs)
                )
            )
        rows = [_finish(row, create_graph) for row in rows]
    if outputs_tuple:
        return tuple(row if is_tuple else row[0] for row in rows)
    return rows[0] if is_tuple else rows[0][0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """Second derivatives of a function that gives one number: for each pair of inputs a tensor of both shapes."""
    is_tuple, inputs = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def gradient(*inner):
        outs = _single_output(func, inner, strict, "hessian")
        grads = _gradients(outs, inner, (None,), True)
        grads = _fill(grads, inner, False, True, "back")
        _check_depends(grads, "jacobian", strict)
        return grads

    result = jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return result if is_tuple else result[0][0]


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T H) for a function that gives one number."""
    with torch.enable_grad():
        is_tuple, inputs = _as_tuple(inputs, "inputs", "vhp")
        inputs = _prepare(inputs, create_graph)
        v = _vectors(
            v,
            inputs,
            is_tuple,
            "vhp",
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single"
            " element.",
        )
        outputs = _single_output(func, inputs, strict, "vhp")
        grads = _gradients(outputs, inputs, (None,), True)
        _check_depends(grads, "jacobian", strict)
        grads = _fill(grads, inputs, False, True, "back")
        products = _fill(_gradients(grads, inputs, v, create_graph), inputs, strict, create_graph, "double_back")
    return _finish(outputs, create_graph)[0], _shape_back(_finish(products, create_graph), is_tuple)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), H v) for a function that gives one number. H is symmetric: vhp gives the same numbers faster."""
    with torch.enable_grad():
        is_tuple, inputs = _as_tuple(inputs, "inputs", "hvp")
        inputs = _prepare(inputs, create_graph)
        v = _vectors(
            v,
            inputs,
            is_tuple,
            "hvp",
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single"
            " element.",
        )
        outputs = _single_output(func, inputs, strict, "hvp")
        grads = _gradients(outputs, inputs, (None,), True)
        _check_depends(grads, "jacobian", strict)
        grads = _fill(grads, inputs, False, True, "back")
        products = _double_backward(grads, inputs, v, strict, create_graph, "hessian")
        products = _fill(products, inputs, strict, create_graph, "double_back_trick")
    return _finish(outputs, create_graph)[0], _shape_back(_finish(products, create_graph), is_tuple)
