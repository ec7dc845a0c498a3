"""Functions and methods that PyTorch has removed: they stay as names that say what to use."""

from hwaro import _C

_GONE = "This function was deprecated since version 1.9 and is now removed."
_TEXTS = {
    "solve": f"{_GONE} `torch.solve` is deprecated in favor of `torch.linalg.solve`. `torch.linalg.solve` has its "
    "arguments reversed and does not return the LU factorization.",
    "eig": f"{_GONE} `torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real "
    "tensors mimicking complex tensors.",
    "lstsq": f"{_GONE} `torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.",
    "symeig": f"{_GONE} The default behavior has changed from using the upper triangular portion of the matrix by "
    "default to using the lower triangular portion.",
    "matrix_rank": f"{_GONE}",
}


def _removed(name):
    def function(*args, **kwargs):
        raise RuntimeError(_TEXTS[name])

    function.__name__ = name
    function.__doc__ = f"Removed from PyTorch; see torch.linalg.{'eigh' if name == 'symeig' else name}."
    return function


solve, eig, lstsq, symeig, matrix_rank = (_removed(name) for name in _TEXTS)
for _name in ("solve", "eig", "lstsq", "symeig"):
    _C._add_tensor_method(_name, globals()[_name])
