"""Flatten and Unflatten."""
from hwaro.nn.modules.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dimensions from start_dim to end_dim."""

    __constants__ = ["start_dim", "end_dim"]

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension dim into unflattened_size; both may be names."""

    __constants__ = ["dim", "unflattened_size"]

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if isinstance(dim, int):
            self._require_ints(unflattened_size)
        elif isinstance(dim, str):
            self._require_names(unflattened_size)
        else:
            raise TypeError("invalid argument type for dim parameter")
        self.dim = dim
        self.unflattened_size = unflattened_size

    @staticmethod
    def _require_names(sizes):
        if not isinstance(sizes, tuple):
            raise TypeError("unflattened_size must be a tuple of tuples, but found type " + type(sizes).__name__)
        for where, item in enumerate(sizes):
            if not isinstance(item, tuple):
                raise TypeError("unflattened_size must be tuple of tuples, but found element of type "
                                f"{type(item).__name__} at pos {where}")

    @staticmethod
    def _require_ints(sizes):
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}")
        for where, item in enumerate(sizes):
            if not isinstance(item, int):
                raise TypeError("unflattened_size must be tuple of ints, but found element of type "
                                f"{type(item).__name__} at pos {where}")

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
