"""Derivatives of functions, by backward passes over what they record."""

import functools

import hwaro as torch
from hwaro.func import _batched
from hwaro.func._tree import flatten, tree_map, unflatten


def _positions(argnums, args):
    if not isinstance(argnums, (int, tuple)) or isinstance(argnums, bool):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    return numbers


def _pick(args, argnums):
    picked = tuple(args[n] for n in _positions(argnums, args))
    return picked[0] if isinstance(argnums, int) else picked


def _replace(args, argnums, values):
    numbers, args = _positions(argnums, args), list(args)
    for n, v in zip(numbers, (values,) if isinstance(argnums, int) else values):
        args[n] = v
    return args


def _leaf(t):
    """A tensor as an input of a fresh piece of graph, still part of the one around it. Inside vmap: per example."""
    if not isinstance(t, torch.Tensor):
        raise ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}")
    if not (t.is_floating_point() or t.is_complex()):
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    value, path = _batched.plain(_batched.under_levels(t))
    value = value.view_as(value) if value.requires_grad else value.detach().requires_grad_()
    return _batched.rewrapped(value, path)


def _inner(tree):
    return tree_map(_leaf, tree)


def _track(*trees):
    """Whether a derivative has to be recorded itself: another one is being taken around it."""
    return torch.is_grad_enabled() and any(
        isinstance(t, torch.Tensor) and t.requires_grad for tree in trees for t in flatten(tree)[0]
    )


def _finish(tree, keep):
    return tree if keep else tree_map(lambda t: t.detach() if isinstance(t, torch.Tensor) else t, tree)


def _check_aux(aux):
    for leaf in flatten(aux)[0]:
        if not isinstance(leaf, torch.Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")


def _check_tensors(result, where):
    leaves, spec = flatten(result)
    for leaf in leaves:
        if not isinstance(leaf, torch.Tensor):
            raise RuntimeError(f"{where} to return only tensors, got unsupported type {type(leaf)}")
    return leaves, spec


def _split_aux(result, where):
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{where}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    _check_aux(result[1])
    return result


def _backward(outputs, inputs, gradients, create_graph, retain_graph=None):
    """Gradients of the leaves of `inputs`; zeros where there are none. Batched tensors count as all examples."""
    pairs = [(o, g) for o, g in zip(outputs, gradients) if o.requires_grad]
    for o, g in pairs:
        more = [level for level in _batched.plain(g)[1] if level not in _batched.plain(o)[1]] if g is not None else []
        if more:  # several gradients for one output: a pass for each
            rows = [
                _backward(outputs, inputs, [_batched.pick(x, more[0], i) for x in gradients], create_graph, True)
                for i in range(more[0].size)
            ]
            return [_batched.wrap(torch.stack(column), more[0]) for column in zip(*rows)]
    plain = [_batched.plain(t)[0] for t in inputs]
    leaves = [t for t in plain if t.requires_grad]
    found = [None] * len(leaves)
    if pairs and leaves:
        values = [_batched.plain(o)[0] for o, _ in pairs]
        given = [
            _batched.plain(_batched.like(g, o))[0] if g is not None else None if v is o else torch.ones_like(v)
            for v, (o, g) in zip(values, pairs)
        ]
        found = torch.autograd.grad(
            values, leaves, given, create_graph=create_graph, retain_graph=retain_graph, allow_unused=True
        )
    by_id = {id(t): g for t, g in zip(leaves, found)}
    out = []
    for t, value in zip(inputs, plain):
        g = by_id.get(id(value))
        out.append(torch.zeros_like(t) if g is None else _batched.rewrapped(g, _batched.plain(t)[1]))
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
                result, aux = _split_aux(result, "grad_and_value(f)(*args)")
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
            result, aux = _split_aux(result, "vjp(f, *primals)")
        outputs, spec = _check_tensors(result, "vjp(f, *primals): expected f(*primals)")
        leaves, in_spec = flatten(inner)
    track = _track(primals)

    def vjp_fn(cotangents, retain_graph=True, create_graph=None):
        given, given_spec = flatten(cotangents)
        if given_spec != spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the"
                f" function. cotangents: {given_spec.picture()}, primal output: {spec.picture()}"
            )
        keep = track or _track(cotangents) if create_graph is None else create_graph
        with torch.enable_grad():
            grads = unflatten(_backward(outputs, leaves, given, keep, retain_graph or keep), in_spec)
        return _finish(grads, keep)

    result = _finish(result, track)
    return (result, vjp_fn, _finish(aux, track)) if has_aux else (result, vjp_fn)


def _zero_leaf(t):
    value, path = _batched.plain(t)
    return _batched.rewrapped(torch.zeros_like(value).requires_grad_(), path)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), its Jacobian times tangents), from two backward passes; with has_aux also aux."""
    where = "jvp(f, primals, tangents): Expected primals"
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{where} to be a tuple. E.g. it should be valid to call f(*primals).")
    (flat, spec), (given, given_spec) = flatten(primals), flatten(tangents)
    if spec != given_spec:
        raise RuntimeError(
            f"{where} and tangents to have the same python structure. For example, if primals is a tuple of 3 tensors,"
            f" tangents also must be. Got primals with structure {spec} and tangents with structure {given_spec}"
        )
    if not flat:
        raise RuntimeError(f"{where} to contain at least one Tensor.")
    for leaf in flat:
        if not isinstance(leaf, torch.Tensor):
            raise RuntimeError(f"{where} to only contain Tensors, got {type(leaf)}")
    keep = _track(primals, tangents)
    with torch.enable_grad():
        inner = _inner(primals)
        result = func(*inner)
        aux = None
        if has_aux:
            result, aux = _split_aux(result, "jvp(f, primals, tangents)")
        outputs, out_spec = _check_tensors(result, "jvp(f, primals, tangents): Expected f(*primals)")
        leaves, _ = flatten(inner)
        vectors = [_zero_leaf(o) for o in outputs]
        products = _backward(outputs, leaves, vectors, True)
        moved = _backward(products, vectors, given, keep)
    out = _finish((result, unflatten(moved, out_spec)), keep)
    return out + (_finish(aux, keep),) if has_aux else out


def linearize(func, *primals):
    """(func(*primals), a function from tangents to the Jacobian times them)."""
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """A function that returns the Jacobian of func, one backward pass per element of the output."""

    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        keep = _track(args, kwargs)
        with torch.enable_grad():
            picked = _inner(_pick(args, argnums))
            result = func(*_replace(args, argnums, picked), **kwargs)
            aux = None
            if has_aux:
                result, aux = _split_aux(result, "jacrev(f)(*args)")
            outputs, spec = _check_tensors(result, "vjp(f, *primals): expected f(*primals)")
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
