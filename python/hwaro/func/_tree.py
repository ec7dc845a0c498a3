"""Nested tuples, lists and dicts, taken apart and put together."""


def flatten(tree):
    """(leaves, how to put them together)."""
    if isinstance(tree, (tuple, list)):
        parts = [flatten(t) for t in tree]
        return [leaf for leaves, _ in parts for leaf in leaves], (
            type(tree),
            None,
            [(len(leaves), spec) for leaves, spec in parts],
        )
    if isinstance(tree, dict):
        parts = [flatten(t) for t in tree.values()]
        return [leaf for leaves, _ in parts for leaf in leaves], (
            type(tree),
            list(tree),
            [(len(leaves), spec) for leaves, spec in parts],
        )
    return [tree], None


def unflatten(leaves, spec):
    if spec is None:
        return leaves[0]
    cls, keys, children = spec
    items, at = [], 0
    for count, child in children:
        items.append(unflatten(leaves[at : at + count], child))
        at += count
    if keys is not None:
        return cls(zip(keys, items))
    return cls(*items) if hasattr(cls, "_fields") else cls(items)


def tree_map(function, tree):
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)
