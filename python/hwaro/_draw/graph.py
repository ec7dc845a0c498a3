"""The graph that autograd walks: leaves on top, the result at the bottom, arrows the way the values went."""

import re

from hwaro._draw import layers
from hwaro._draw.svg import LINE, arrow, box, document, text, text_width

MARGIN = 16
PITCH = 30  # between layers, beside the height of their boxes
LEAF, OPERATION, RESULT = "#cdeac8", "#e3ecfa", "#ffd9b8"


def shape_text(shape, dtype):
    dims = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    kind = str(dtype).removeprefix("torch.")
    return dims if kind == "float32" else f"{dims} {kind}"


def named(names):
    """id of each tensor that has a name -> the name."""
    if names is None:
        return {}
    if hasattr(names, "named_parameters"):
        names = dict(names.named_parameters())
    return {id(tensor): name for name, tensor in names.items()}


def walk(root, limit):
    """Nodes from the result on, nearest first, and edges (from, to) in the direction of the values."""
    nodes, number, edges, left_out = [root], {root: 0}, [], 0
    for node in nodes:  # grows while it runs
        for following, _ in node.next_functions:
            if following is None:
                continue
            if following not in number:
                if len(nodes) >= limit:
                    left_out += 1
                    continue
                number[following] = len(nodes)
                nodes.append(following)
            edges.append((number[following], number[node]))
    return nodes, edges, left_out


def saved_lines(node):
    lines = []
    for name in dir(node):
        if not name.startswith("_saved_"):
            continue
        try:
            value = getattr(node, name)
        except RuntimeError:  # a backward pass has released it
            lines.append("saved tensors were released")
            break
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            lines.append(f"saves {name.removeprefix('_saved_')} {shape_text(value.shape, value.dtype)}")
    return lines


def label(node, names):
    """(lines of text, whether it is a leaf)."""
    leaf = getattr(node, "variable", None) if node.name().endswith("AccumulateGrad") else None
    if leaf is not None:
        return [names.get(id(leaf), "leaf"), shape_text(leaf.shape, leaf.dtype)], True
    title = re.sub(r"Backward\d*$", "", node.name().rsplit("::", 1)[-1])
    outputs = [shape_text(meta.shape, meta.dtype) for meta in getattr(node, "_input_metadata", ())]
    return [title, *(outputs or [])[:3], *saved_lines(node)], False


def draw_graph(tensor, names=None, limit=400):
    nodes, edges, left_out = walk(tensor.grad_fn, limit)
    labels = [label(node, named(names)) for node in nodes]
    widths = [max(text_width(line) for line in lines) + 18 for lines, _ in labels]
    heights = [LINE * len(lines) + 10 for lines, _ in labels]
    result = [f"result {shape_text(tensor.shape, tensor.dtype)}"]
    x, layer, routes = layers.place(widths, edges)
    top = {}
    y = MARGIN
    for row in range(max(layer), -1, -1):
        top[row] = y
        y += max(h for h, at in zip(heights, layer) if at == row) + PITCH
    parts = []
    for (start, end), route in zip(edges, routes):
        points = [(MARGIN + at, top[row] + 4) for at, row in route]
        points[0] = (MARGIN + x[start], top[layer[start]] + heights[start])
        points[-1] = (MARGIN + x[end], top[layer[end]] - 1)
        parts.append(arrow(points))
    for i, (lines, leaf) in enumerate(labels):
        left, upper = MARGIN + x[i] - widths[i] / 2, top[layer[i]]
        parts.append(box(left, upper, widths[i], heights[i], LEAF if leaf else OPERATION, radius=10 if leaf else 3))
        for k, line in enumerate(lines):
            parts.append(text(MARGIN + x[i], upper + LINE * (k + 1), line, "middle small" if k else "middle"))
    width = text_width(result[0]) + 18
    parts.append(arrow([(MARGIN + x[0], y - PITCH), (MARGIN + x[0], y - 1)]))
    parts.append(box(MARGIN + x[0] - width / 2, y, width, LINE + 10, RESULT))
    parts.append(text(MARGIN + x[0], y + LINE, result[0], "middle"))
    y += LINE + 10
    if left_out:
        y += LINE
        parts.append(text(MARGIN, y, f"{left_out} edges lead to nodes that are not drawn", "small"))
    right = max([at + w / 2 for at, w in zip(x, widths)] + [x[0] + width / 2])
    return document(right + 2 * MARGIN, y + MARGIN, parts, "the autograd graph behind a result"), len(nodes)
