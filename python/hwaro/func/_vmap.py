"""vmap: a function of single examples as a function of batches."""

import functools

import hwaro as torch
from hwaro.func import _batched
from hwaro.func._tree import broadcast_prefix, flatten, unflatten


def _name(func):
    if isinstance(func, functools.partial):
        return f"functools.partial({_name(func.func)}, ...)"
    return getattr(func, "__name__", repr(func))


def _mapped(func, in_dims, args):
    """(leaves of the arguments, their structure, the dimension of each leaf or None, number of examples)."""
    name = _name(func)
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"{call}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, got:"
            f" {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a"
            " function with no inputs. The latter is unsupported."
        )
    leaves, spec = flatten(args)
    dims = broadcast_prefix(tuple(in_dims) if isinstance(in_dims, list) else in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{call}in_dims is not compatible with the structure of `inputs`. in_dims has structure"
            f" {flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    places = []
    for leaf, dim in zip(leaves, dims):
        if dim is not None and not isinstance(dim, int):
            raise ValueError(
                f"{call}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if isinstance(dim, int) and not isinstance(leaf, torch.Tensor):
            raise ValueError(
                f"{call}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over"
                " non-Tensor arguments, please use None as the respective in_dim"
            )
        if dim is not None and not -leaf.dim() <= dim < leaf.dim():
            raise ValueError(
                f"{call}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {leaf.dim()} so"
                f" expected in_dim to satisfy -{leaf.dim()} <= in_dim < {leaf.dim()}."
            )
        places.append(dim if dim is None else dim % leaf.dim())
    sizes = [leaf.size(d) for leaf, d in zip(leaves, places) if d is not None]
    if not sizes:
        raise ValueError(
            "vmap: Expected at least one Tensor to vmap over"
            if in_dims is not None
            else f"{call}at least one input must be mapped over"
        )
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes"
            f" {sizes} for the mapped dimension"
        )
    return leaves, spec, places, sizes[0]


def _run(func, leaves, spec, dims, size, out_dims, randomness, kwargs):
    """One pass over all examples (or a chunk of them)."""
    level = _batched.Level(len(_batched.levels) + 1, size, randomness)
    _batched.levels.append(level)
    try:
        with _batched.RandomMode():
            inner = [x if d is None else _batched.wrap(x.movedim(d, 0), level) for x, d in zip(leaves, dims)]
            result = func(*unflatten(inner, spec), **kwargs)
            return _outputs(func, result, out_dims, level)
    finally:
        _batched.levels.pop()


def _outputs(func, result, out_dims, level):
    name = _name(func)
    outs, spec = flatten(result)
    if not all(d is None or isinstance(d, int) for d in flatten(out_dims)[0]):
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints"
            " representing where in the outputs the vmapped dimension should appear."
        )
    single = isinstance(result, torch.Tensor) and isinstance(out_dims, tuple) and len(out_dims) == 1
    places = list(out_dims) if single else broadcast_prefix(out_dims, spec)
    if places is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of"
            f" `outputs`. out_dims has structure {flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    final = []
    for out, place in zip(outs, places):
        batched = _batched.is_batched(out, level)
        if not isinstance(out, torch.Tensor):
            if place is not None:
                raise ValueError(
                    f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(out)}. Did you mean to set"
                    " out_dims= to None for output?"
                )
            final.append(out)
        elif place is None:
            if batched:
                raise ValueError(
                    f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
                )
            final.append(out)
        else:
            value = out._value if batched else out.expand(level.size, *out.shape)
            limit = value.dim()
            if not -limit <= place < limit:
                raise IndexError(
                    f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {place})"
                )
            final.append(value.movedim(0, place))
    return unflatten(final, spec)


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that maps func over a dimension of its arguments and stacks what it returns.

    in_dims: the dimension of each argument (None: the same for all examples); out_dims: where it goes in the results.
    randomness: whether random operators raise ("error"), draw once ("same") or once per example ("different").
    chunk_size: how many examples at a time.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        leaves, spec, dims, size = _mapped(func, in_dims, args)
        if chunk_size is None or chunk_size >= size:
            return _run(func, leaves, spec, dims, size, out_dims, randomness, kwargs)
        parts = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            part = [x if d is None else x.narrow(d, start, count) for x, d in zip(leaves, dims)]
            parts.append(_run(func, part, spec, dims, count, out_dims, randomness, kwargs))
        columns = [flatten(part) for part in parts]
        out_spec = columns[0][1]
        places = [out_dims[0]] if isinstance(parts[0], torch.Tensor) and isinstance(out_dims, tuple) else None
        places = places or broadcast_prefix(out_dims, out_spec)
        joined = [
            columns[0][0][k] if place is None else torch.cat([c[0][k] for c in columns], place)
            for k, place in enumerate(places)
        ]
        return unflatten(joined, out_spec)

    return wrapper
