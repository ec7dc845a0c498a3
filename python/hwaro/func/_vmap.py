"""vmap: a function of single examples as a function of batches. It runs the function once per example."""

import functools

import hwaro as torch
from hwaro.func._tree import flatten, unflatten


def _expand_dims(in_dims, tree):
    """in_dims for every leaf of an argument."""
    leaves, spec = flatten(tree)
    if isinstance(in_dims, int) or in_dims is None:
        return [in_dims if isinstance(leaf, torch.Tensor) or in_dims is None else None for leaf in leaves]
    if isinstance(tree, (tuple, list)) and isinstance(in_dims, (tuple, list)):
        if len(tree) != len(in_dims):
            raise ValueError(
                f"vmap: in_dims is not compatible with the structure of inputs: got {len(in_dims)} entries for"
                f" {len(tree)} items"
            )
        return [d for dims, part in zip(in_dims, tree) for d in _expand_dims(dims, part)]
    if isinstance(tree, dict) and isinstance(in_dims, dict):
        return [d for key, part in tree.items() for d in _expand_dims(in_dims[key], part)]
    raise ValueError(f"vmap: in_dims {in_dims} is not compatible with the structure of inputs")


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that maps func over a dimension of its arguments and stacks what it returns.

    in_dims: the dimension of each argument (None: the same for all examples); out_dims: where it goes in the results.
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        if not isinstance(in_dims, (int, tuple, list)):
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be"
                f" int or a (potentially nested) tuple matching the structure of inputs, got: {type(in_dims)}."
            )
        if not args:
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or"
                " you are trying to vmap over a function with no inputs. The latter is unsupported."
            )
        leaves, spec = flatten(args)
        dims = [
            d
            for dim, arg in zip([in_dims] * len(args) if isinstance(in_dims, int) else in_dims, args)
            for d in _expand_dims(dim, arg)
        ]
        named, named_spec = flatten(kwargs)
        leaves += named
        dims += [0 if isinstance(leaf, torch.Tensor) else None for leaf in named]
        sizes = {leaf.size(d) for leaf, d in zip(leaves, dims) if d is not None}
        if not sizes:
            raise ValueError("vmap: at least one input must be mapped over (in_dims is None for all)")
        if len(sizes) > 1:
            raise ValueError(
                f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sorted(sizes)}"
                " for the mapped dimension"
            )
        count = sizes.pop()
        results = []
        for i in range(count):
            one = [leaf.select(d, i) if d is not None else leaf for leaf, d in zip(leaves, dims)]
            split = len(one) - len(named)
            results.append(func(*unflatten(one[:split], spec), **unflatten(one[split:], named_spec)))
        if not results:
            raise RuntimeError("vmap: the mapped dimension has size 0")
        columns = [flatten(r) for r in results]
        out_spec = columns[0][1]
        places = (
            _expand_dims(out_dims, results[0]) if not isinstance(out_dims, int) else [out_dims] * len(columns[0][0])
        )
        return unflatten([_stack([c[0][k] for c in columns], place) for k, place in enumerate(places)], out_spec)

    return wrapper


def _stack(values, dim):
    if not isinstance(values[0], torch.Tensor):
        raise ValueError(
            f"vmap(f)(<inputs>): the function must only return Tensors, got type {type(values[0])} as a return."
        )
    return values[0] if dim is None else torch.stack(values, dim)
