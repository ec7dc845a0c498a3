"""unique and unique_consecutive: the number of results depends on the arguments."""
from hwaro import _C


def _picked(results, return_inverse, return_counts):
    values, inverse, counts = results
    picked = (values,) + ((inverse,) if return_inverse else ()) + ((counts,) if return_counts else ())
    return picked if len(picked) > 1 else values


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements, or the distinct slices along dim, in order."""
    if dim is None:
        results = _C._unique2(input, sorted, return_inverse, return_counts)
    else:
        results = _C._unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _picked(results, return_inverse, return_counts)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The first of each run of equal elements, or of equal slices along dim."""
    return _picked(_C._unique_consecutive(input, return_inverse, return_counts, dim), return_inverse, return_counts)


def _unique(self, sorted=True, return_inverse=False, return_counts=False, dim=None):
    return unique(self, sorted, return_inverse, return_counts, dim)


def _unique_consecutive(self, return_inverse=False, return_counts=False, dim=None):
    return unique_consecutive(self, return_inverse, return_counts, dim)


_C._add_tensor_method("unique", _unique)
_C._add_tensor_method("unique_consecutive", _unique_consecutive)
