"""Nested tuples, lists and dicts, taken apart and put together."""


class _Star:
    def __repr__(self):
        return "*"


class Spec:
    """How leaves were put together: the type of a node, the keys of a dict, and the parts with their numbers of leaves."""

    def __init__(self, kind, keys, parts):
        self.kind, self.keys, self.parts = kind, keys, parts
        self.count = sum(part.count for part in parts) if kind else 1

    def __eq__(self, other):
        return (self.kind, self.keys, self.parts) == (other.kind, other.keys, other.parts)

    def __repr__(self):
        return self.text(0)

    def text(self, indent):
        """As PyTorch writes it in messages."""
        if self.kind is None:
            return "*"
        separator = ",\n" + " " * (indent + 2)
        return f"TreeSpec({self.kind.__name__}, {self.keys}, [{separator.join(p.text(indent + 2) for p in self.parts)}])"

    def picture(self):
        """The tree with a star for each leaf."""
        return repr(unflatten([_Star()] * self.count, self))


LEAF = Spec(None, None, [])


def flatten(tree):
    """(leaves, how to put them together)."""
    if isinstance(tree, (tuple, list)):
        keys, parts = None, [flatten(t) for t in tree]
    elif isinstance(tree, dict):
        keys, parts = list(tree), [flatten(t) for t in tree.values()]
    else:
        return [tree], LEAF
    return [leaf for leaves, _ in parts for leaf in leaves], Spec(type(tree), keys, [spec for _, spec in parts])


def unflatten(leaves, spec):
    if spec.kind is None:
        return leaves[0]
    items, at = [], 0
    for part in spec.parts:
        items.append(unflatten(leaves[at : at + part.count], part))
        at += part.count
    if spec.keys is not None:
        return spec.kind(zip(spec.keys, items))
    if hasattr(spec.kind, "_fields") and not hasattr(spec.kind, "n_fields"):  # a namedtuple, no named result
        return spec.kind(*items)
    return spec.kind(items)


def tree_map(function, tree):
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)


def broadcast_prefix(prefix, spec):
    """One value of `prefix` for each leaf: where prefix ends early, for all leaves below. None if it does not fit."""
    if not isinstance(prefix, (tuple, list, dict)):
        return [prefix] * spec.count
    if spec.kind is None or not issubclass(spec.kind, type(prefix)) or len(prefix) != len(spec.parts):
        return None
    if isinstance(prefix, dict):
        if list(prefix) != spec.keys:
            return None
        prefix = prefix.values()
    out = []
    for value, part in zip(prefix, spec.parts):
        below = broadcast_prefix(value, part)
        if below is None:
            return None
        out += below
    return out
