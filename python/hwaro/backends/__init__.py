"""Switches of libraries that PyTorch uses. They keep their values; here there is nothing that they change."""
from hwaro.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum  # noqa: F401


class _Flag:
    def __init__(self, **values):
        self.__dict__.update(values)


quantized = _Flag(engine="none", supported_engines=["none"])
nnpack = _Flag(is_available=lambda: False)
mha = _Flag(get_fastpath_enabled=lambda: False, set_fastpath_enabled=lambda value: None)
