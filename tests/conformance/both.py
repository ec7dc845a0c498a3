"""Runs one program with PyTorch and with Hwaro and compares results, or the errors."""

import hwaro
import torch

from carry import difference, error_of

DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


def outcomes(program, *args):
    """((error, result) of PyTorch, the same of Hwaro). The program gets the library first."""
    return error_of(lambda: program(torch, *args)), error_of(lambda: program(hwaro, *args))


# Hwaro has no complex32 (PyTorch's is experimental): what PyTorch computes or refuses in it is not compared.
ABSENT = ("ComplexHalf", "complex32")


def parting(program, *args, values=True, scale=1):
    """None where both libraries agree on a program, else how they part."""
    (expected_error, expected), (got_error, got) = outcomes(program, *args)
    if any(word in str(expected_error or kinds(expected)) for word in ABSENT):
        return None
    if expected_error or got_error:
        return (
            None
            if expected_error == got_error
            else f"{got_error or 'no error'} instead of {expected_error or 'a result'}"
        )
    return difference(got, expected, values=values, scale=scale)


def kinds(value):
    """Types of the tensors in a result, and the types among its values."""
    if isinstance(value, (list, tuple)):
        return [kinds(v) for v in value]
    return str(value.dtype) if isinstance(value, torch.Tensor) else str(value) if isinstance(value, torch.dtype) else ""


def assert_same(program, *args, **options):
    found = parting(program, *args, **options)
    assert found is None, f"{found}; with {args}"


def assert_none(found, total):
    """Fails with the first six of a list of findings."""
    assert not found, f"{len(found)} of {total} differ:\n" + "\n".join(map(str, found[:6]))
