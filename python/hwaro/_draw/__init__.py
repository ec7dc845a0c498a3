"""Pictures of tensors: what a view sees of its storage, and the autograd graph behind a result.

    hwaro.draw(x.t())                              # the storage, and where the elements of the view lie
    hwaro.draw(loss, names=model)                  # the graph behind a loss, with shapes and saved tensors
    hwaro.draw(loss, names=model).save("loss.svg")

Pictures are SVG, made without any other program. A notebook shows them; elsewhere `save` writes them to a file.
"""


class Picture:
    """A drawing. `svg` is its text; notebooks show it; `save(path)` writes it to a file."""

    def __init__(self, svg, summary):
        self.svg = svg
        self._summary = summary

    def _repr_svg_(self):
        return self.svg

    def save(self, path):
        """Writes the picture to a file, whose name should end in .svg, and returns the path."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg)
        return path

    def __repr__(self):
        return f"<Picture of {self._summary}; show it in a notebook, or save('picture.svg')>"


def draw(tensor, kind=None, *, names=None, limit=400):
    """Draws the graph behind `tensor` if an operation that autograd recorded made it, else its storage.

    kind: "graph" or "storage" to choose.
    names: what to call leaves: a module, or a dict from names to tensors.
    limit: how many nodes of a graph to draw at most, the nearest to the result first.

    Returns a Picture. Raises TypeError for what is no tensor, ValueError for another `kind` or for the graph of a
    tensor that has none.
    """
    from hwaro import Tensor

    if not isinstance(tensor, Tensor):
        raise TypeError(f"draw(): expected a Tensor, got {type(tensor).__name__}")
    if kind is None:
        kind = "storage" if tensor.grad_fn is None else "graph"
    if kind == "storage":
        from hwaro._draw.storage import draw_storage

        return Picture(draw_storage(tensor), f"the storage behind a tensor of shape {tuple(tensor.shape)}")
    if kind != "graph":
        raise ValueError(f"draw(): kind is 'graph' or 'storage', not {kind!r}")
    if tensor.grad_fn is None:
        raise ValueError("draw(): no recorded operation made this tensor, so there is no graph behind it")
    from hwaro._draw.graph import draw_graph

    svg, count = draw_graph(tensor, names, limit)
    return Picture(svg, f"a graph of {count} nodes")
