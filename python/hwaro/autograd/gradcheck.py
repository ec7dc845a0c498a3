"""Derivatives by finite differences, to check those that autograd gives."""
import itertools
import warnings

import hwaro as torch

__all__ = ["gradcheck", "gradgradcheck", "GradcheckError"]


class GradcheckError(RuntimeError):
    """gradcheck found a wrong gradient."""


def _as_tuple(value):
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _needs_grad(value):
    return isinstance(value, torch.Tensor) and value.requires_grad


def _differentiable(outputs):
    return tuple(out for out in _as_tuple(outputs) if _needs_grad(out))


def _check_inputs(inputs):
    """Raises unless finite differences make sense for these inputs."""
    if not any(_needs_grad(value) for value in inputs):
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have "
                         "requires_grad=True.")
    for index, value in enumerate(inputs):
        if not _needs_grad(value):
            continue
        if value.dtype not in (torch.float64, torch.complex128):
            warnings.warn(f"Input #{index} requires gradient and is not a double precision floating point or complex. "
                          "This check will likely fail if all the inputs are not of double precision floating point or "
                          "complex. ", stacklevel=4)
        if any(stride == 0 and size > 1 for stride, size in zip(value.stride(), value.size())):
            raise RuntimeError(f"The {index}th input has a dimension with stride 0. gradcheck only supports inputs "
                               "that "
                               "are non-overlapping to be able to compute the numerical gradients correctly. You "
                               "should "
                               "call .contiguous on the input before passing it to gradcheck.")
        value.retain_grad()


def _parts(output):
    """A complex output as two real ones, with what they are called."""
    if output.is_complex():
        return [("imaginary part of ", torch.imag(output)), ("real part of ", torch.real(output))]
    return [("", output)]


def _numerical_jacobians(fn, inputs, eps):
    """For each part of each output, for each checked input: (elements of input, elements of output).

    A complex input x + iy gets d/dx + i d/dy, as autograd gives it.
    """
    def evaluate():
        with torch.no_grad():
            return [part.detach().clone().reshape(-1)
                    for out in _as_tuple(fn()) if isinstance(out, torch.Tensor) for _, part in _parts(out)]

    checked = [value for value in inputs if _needs_grad(value)]
    columns = None
    for number, value in enumerate(checked):
        data = value.data
        for place in itertools.product(*map(range, data.size())):
            before = data[place].item()
            total = None
            for unit in (1, 1j) if value.is_complex() else (1,):
                data[place] = before + eps * unit
                upper = evaluate()
                data[place] = before - eps * unit
                lower = evaluate()
                data[place] = before
                slopes = [(a - b) / (2 * eps) for a, b in zip(upper, lower)]
                total = slopes if unit == 1 else [a + 1j * b for a, b in zip(total, slopes)]
            if columns is None:
                columns = [[[] for _ in checked] for _ in total]
            for part, slope in enumerate(total):
                columns[part][number].append(slope)
    if columns is None:
        return []
    return [[torch.stack(column) if column else None for column in of_part] for of_part in columns]


def _analytical_jacobians(part, checked, retain=True):
    """The same from autograd, for one real part of one output."""
    jacobians = [torch.zeros((value.numel(), part.numel()), dtype=value.dtype) for value in checked]
    flat = part.reshape(-1)
    for index in range(part.numel()):
        grads = torch.autograd.grad(flat[index], checked, retain_graph=retain, allow_unused=True)
        for jacobian, grad in zip(jacobians, grads):
            if grad is not None:
                jacobian[:, index] = grad.reshape(-1).to(jacobian.dtype)
    return jacobians


def _check_grad_dtypes(part, checked):
    grads = torch.autograd.grad(part.sum(), checked, retain_graph=True, allow_unused=True)
    for value, grad in zip(checked, grads):
        if grad is not None and grad.size() != value.size():
            raise GradcheckError(f"Analytical gradient has incorrect size {grad.size()}, expected {value.size()}")
        if grad is not None and grad.dtype != value.dtype:
            raise GradcheckError(f"Analytical gradient has incorrect dtype {grad.dtype}, expected {value.dtype}")


def _check(func, inputs, eps, atol, rtol, nondet_tol, check_grad_dtypes):
    _check_inputs(inputs)
    checked = [value for value in inputs if _needs_grad(value)]
    outputs = _as_tuple(func(*inputs))
    tensors = [out for out in outputs if isinstance(out, torch.Tensor)]
    numerical = _numerical_jacobians(lambda: func(*inputs), inputs, eps)
    if not _differentiable(outputs):
        for jacobian in itertools.chain.from_iterable(numerical):
            if jacobian is not None and torch.ne(jacobian, 0).sum() > 0:
                raise GradcheckError("Numerical gradient for function expected to be zero")
        return
    row = 0
    for number, out in enumerate(tensors):
        for name, part in _parts(out):
            expected, row = numerical[row] if numerical else [], row + 1
            if not out.requires_grad:
                continue
            if check_grad_dtypes:
                _check_grad_dtypes(part, checked)
            found = _analytical_jacobians(part, checked)
            again = _analytical_jacobians(part, checked)
            for index, (a, n) in enumerate(zip(found, expected)):
                if n is None:
                    continue
                if not torch.allclose(a, n.to(a.dtype), rtol=rtol, atol=atol):
                    prefix = f"While considering the {name}complex outputs only, " if name else ""
                    raise GradcheckError(f"{prefix}Jacobian mismatch for output {number} with respect to input {index},"
                                         f"\nnumerical:{n}\nanalytical:{a}\n")
            for index, (a, b) in enumerate(zip(found, again)):
                if a.numel() and not float((a - b).abs().max()) <= nondet_tol:
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                        "times gives different values, although analytical gradient matches numerical gradient."
                        f"The tolerance for nondeterminism was {nondet_tol}.\n\nNOTE: If your op relies on "
                        f"non-deterministic operations, raise nondet_tol. Output {number}, input {index}.")


def _check_batched(func, inputs):
    """Several gradients at once must give what each of them gives alone."""
    checked = [value for value in inputs if _needs_grad(value)]
    for number, out in enumerate(_differentiable(func(*inputs))):
        several = torch.stack([torch.randn_like(out) for _ in range(2)])
        alone = [torch.autograd.grad(out, checked, g, retain_graph=True, allow_unused=True) for g in several]
        together = torch.autograd.grad(out, checked, several, is_grads_batched=True, retain_graph=True,
                                       allow_unused=True)
        for index, found in enumerate(together):
            expected = [grads[index] for grads in alone]
            if found is not None and not torch.allclose(found, torch.stack(expected)):
                raise GradcheckError(f"For output {number} and input {index}:\n\n\ngradcheck or gradgradcheck failed while "
                                     "testing batched gradient computation.")


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
              check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
              check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True, fast_mode=False,
              masked=None):
    """Compares autograd's gradients of func(*inputs) with finite differences, for inputs that require gradients.

    Inputs should be of double precision. Returns True, or raises GradcheckError (False with raise_exception=False).
    fast_mode makes no difference: every element is checked. Outputs are differentiated one at a time, so backward
    always meets undefined gradients of the others. Products of forward mode are made of backward passes here: there is
    nothing else to check for check_forward_ad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    try:
        _check(func, _as_tuple(inputs), eps, atol, rtol, nondet_tol, check_grad_dtypes)
        if check_batched_grad or check_batched_forward_grad:
            _check_batched(func, _as_tuple(inputs))
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3,
                  gen_non_contig_grad_outputs=False, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
                  check_grad_dtypes=False, check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True,
                  fast_mode=False, masked=False):
    """gradcheck of the gradients themselves; grad_outputs are drawn at random unless given."""
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        grad_outputs = tuple(
            torch.testing.make_tensor(
                out.shape, dtype=out.dtype if out.is_floating_point() or out.is_complex() else torch.float64, low=-1, high=1,
                device=out.device, requires_grad=True, noncontiguous=gen_non_contig_grad_outputs)
            for out in _differentiable(func(*inputs)))
    else:
        grad_outputs = _as_tuple(grad_outputs)
    count = len(grad_outputs)

    def gradients(*args):
        args, grads = args[:len(args) - count], args[len(args) - count:]
        outputs = _differentiable(func(*args))
        checked = tuple(value for value in args if _needs_grad(value))
        found = torch.autograd.grad(outputs, checked, grads, create_graph=True, allow_unused=True)
        return tuple(grad for grad in found if grad is not None)

    def without_no_grad(*args):
        with torch.enable_grad():  # Finite differences run without gradients, but this function is made of them.
            return gradients(*args)

    return gradcheck(without_no_grad, inputs + grad_outputs, eps=eps, atol=atol, rtol=rtol,
                     raise_exception=raise_exception, nondet_tol=nondet_tol,
                     check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
                     check_batched_grad=check_batched_grad, fast_mode=fast_mode, masked=masked)
