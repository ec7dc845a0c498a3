"""Derivatives of functions, by backward passes over what they record."""

import functools

import hwaro as torch
from hwaro.func._tree import flatten, tree_map, unflatten


def _positions(argnums):
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def _pick(args, argnums):
    for n in _positions(argnums):
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    picked = tuple(args[n] for n in _positions(argnums))
    return picked[0] if isinstance(argnums, int) else picked


def _replace(args, argnums, values):
    args = list(args)
    for n, v in zip(_positions(argnums), (values,) if isinstance(argnums, int) else values):
        args[n] = v
    return args


def _inner(tree):
    """The tensors of a tree as inputs of a fresh piece of graph, still part of the one around it."""
    return tree_map(
        lambda t: (
            (t.view_as(t) if t.requires_grad else t.detach().requires_grad_())
            if isinstance(t, torch.Tensor) and (t.is_floating_point() or t.is_complex())
            else t
        ),
        tree,
    )


def _track(*trees):
    """Whether a derivative has to be recorded itself: another one is being taken around it."""
    return torch.is_grad_enabled() and any(
        isinstance(t, torch.Tensor) and t.requires_grad for tree in trees for t in flatten(tree)[0]
    )


def _finish(tree, keep):
    return tree if keep else tree_map(lambda t: t.detach() if isinstance(t, torch.Tensor) else t, tree)


def _backward(outputs, inputs, gradients, create_graph, retain_graph=None):
    """Gradients of the leaves of `inputs`; zeros where there are none."""
    leaves = [t for t in inputs if isinstance(t, torch.Tensor) and t.requires_grad]
    pairs = [(o, g) for o, g in zip(outputs, gradients) if o.requires_grad]
    if not pairs or not leaves:
        found = [None] * len(leaves)
    else:
        found = torch.autograd.grad(
            [o for o, _ in pairs],
            leaves,
            [g for _, g in pairs],
            create_graph=create_graph,
            retain_graph=retain_graph,
            allow_unused=True,
        )
    by_id = {id(t): g for t, g in zip(leaves, found)}
    out = []
    for t in inputs:
        g = by_id.get(id(t)) if isinstance(t, torch.Tensor) else None
        out.append(torch.zeros_like(t) if g is None and isinstance(t, torch.Tensor) else g)
    return out


def grad_and_value(func, argnums=0, has_aux=False):
    """A function that returns (the gradient of func, its value); with has_aux the value is (value, aux)."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        with torch.enable_grad():
            picked = _inner(_pick(args, argnums))
            result = func(*_replace(args, argnums, picked), **kwargs)
            aux = None
            if has_aux:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is"
                        " True"
                    )
                result, aux = result
            if not isinstance(result, torch.Tensor):
                raise RuntimeError(
                    f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(result)}"
                )
            if result.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with"
                    f" {result.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            keep = _track(args, kwargs)
            leaves, spec = flatten(picked)
            grads = unflatten(_backward((result,), leaves, (None,), keep), spec)
        grads, result, aux = _finish((grads, result, aux), keep)
        return (grads, (result, aux)) if has_aux else (grads, result)

    return wrapper


def grad(func, argnums=0, has_aux=False):
    """A function that returns the gradient of func, which gives one number; with has_aux (gradient, aux)."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapper


def vjp(func, *primals, has_aux=False):
    """(func(*primals), a function from a vector to its product with the Jacobian); with has_aux also aux."""
    with torch.enable_grad():
        inner = _inner(primals)
        result = func(*inner)
        aux = None
        if has_aux:
            result, aux = result
        outputs, spec = flatten(result)
        leaves, in_spec = flatten(inner)
    track = _track(primals)

    def vjp_fn(cotangents, retain_graph=True, create_graph=None):
        given, given_spec = flatten(cotangents)
        if len(given) != len(outputs):
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the"
                f" function. cotangents: {given_spec}, primal output: {spec}"
            )
        keep = track or _track(cotangents) if create_graph is None else create_graph
        grads = unflatten(_backward(outputs, leaves, given, keep, retain_graph or keep), in_spec)
        grads = _finish(grads, keep)
        return grads

    result = _finish(result, track)
    return (result, vjp_fn, _finish(aux, track)) if has_aux else (result, vjp_fn)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), its Jacobian times tangents), from two backward passes; with has_aux also aux."""
    if not isinstance(primals, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    keep = _track(primals, tangents)
    with torch.enable_grad():
        inner = _inner(primals)
        result = func(*inner)
        aux = None
        if has_aux:
            result, aux = result
        outputs, spec = flatten(result)
        leaves, _ = flatten(inner)
        given, _ = flatten(tangents)
        if len(given) != len(leaves):
            raise RuntimeError(
                "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure"
            )
        vectors = [torch.zeros_like(o, requires_grad=True) for o in outputs]
        products = _backward(outputs, leaves, vectors, True)
        pairs = [(p, t) for p, t in zip(products, given) if isinstance(p, torch.Tensor)]
        moved = _backward([p for p, _ in pairs], vectors, [t for _, t in pairs], keep)
    out = _finish((result, unflatten(moved, spec)), keep)
    return out + (_finish(aux, keep),) if has_aux else out


def linearize(func, *primals):
    """(func(*primals), a function from tangents to the Jacobian times them)."""
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """A function that returns the Jacobian of func, one backward pass per element of the output."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        keep = _track(args, kwargs)
        with torch.enable_grad():
            picked = _inner(_pick(args, argnums))
            result = func(*_replace(args, argnums, picked), **kwargs)
            aux = None
            if has_aux:
                result, aux = result
            outputs, spec = flatten(result)
            leaves, in_spec = flatten(picked)
            jacobians = []
            for out in outputs:
                flat = out.reshape(-1)
                rows = [_backward((flat[j],), leaves, (None,), keep, True) for j in range(flat.numel())]
                blocks = [
                    (
                        torch.stack([row[i] for row in rows]).reshape(out.shape + leaf.shape)
                        if rows
                        else out.new_zeros(out.shape + leaf.shape)
                    )
                    for i, leaf in enumerate(leaves)
                ]
                jacobians.append(unflatten(blocks, in_spec))
        jacobian = _finish(unflatten(jacobians, spec), keep)
        return (jacobian, _finish(aux, keep)) if has_aux else jacobian

    return wrapper


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """A function that returns the Jacobian of func. Forward mode is not built in: the numbers come from jacrev."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func, argnums=0):
    """A function that returns the second derivatives of func."""
    return jacfwd(jacrev(func, argnums), argnums)
