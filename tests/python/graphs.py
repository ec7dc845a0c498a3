"""What a test looks at of a graph: nodes, edges and gradients as plain values."""


def graph(t):
    """The nodes behind a tensor, breadth first: [name, [(name of the next node, its input number), ...]]."""
    out, seen, todo = [], [], [t.grad_fn if hasattr(t, "grad_fn") else t]
    while todo:
        node = todo.pop(0)
        if node is None or any(node is s for s in seen):
            continue
        seen.append(node)
        out.append([node.name(), [[n and n.name(), k] for n, k in node.next_functions]])
        todo += [n for n, _ in node.next_functions]
    return out


def error(f):
    """The class and text of what f() raises."""
    try:
        return f()
    except Exception as e:
        return [type(e).__name__, str(e)]


def leaf(torch, *shape, dtype=None):
    """Distinct numbers that require a gradient."""
    shape = shape or (3,)
    count = 1
    for s in shape:
        count *= s
    x = torch.linspace(0.5, 2.0, count, dtype=torch.float32).reshape(shape)
    if dtype is not None:
        x = x.to(dtype)
        if dtype.is_complex:
            x = x * (1 + 0.5j)
    return x.detach().requires_grad_()
