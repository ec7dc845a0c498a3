"""The instruction set in use."""
from hwaro import _C


def get_cpu_capability():
    return {"base": "DEFAULT", "avx2": "AVX2", "avx512": "AVX512"}[_C._cpu_capability()]
