"""assert_close: whether two tensors, numbers or nested containers of them agree."""

import cmath
import collections.abc

import hwaro as torch

_TOLERANCES = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}


class _Mismatch(AssertionError):
    pass


class _Options:
    def __init__(self, **values):
        self.__dict__.update(values)

    def tolerances(self, *dtypes):
        if self.rtol is not None:
            return self.rtol, self.atol
        pairs = [_TOLERANCES.get(d, (0.0, 0.0)) for d in dtypes]
        return max(p[0] for p in pairs), max(p[1] for p in pairs)


def _where(path):
    return "\n\nThe failure occurred for item " + "".join(f"[{k!r}]" for k in path) if path else ""


def _fail(message, path):
    raise _Mismatch(message + _where(path))


def _is_number(value):
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _is_array(value):
    return type(value).__module__ == "numpy" and hasattr(value, "dtype")


def _compare(actual, expected, options, path):
    if isinstance(actual, (str, bytes)) or isinstance(expected, (str, bytes)):
        _unknown(actual, expected, path)
    elif isinstance(actual, collections.abc.Sequence) and isinstance(expected, collections.abc.Sequence):
        if len(actual) != len(expected):
            _fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
        for i, (a, e) in enumerate(zip(actual, expected)):
            _compare(a, e, options, path + [i])
    elif isinstance(actual, collections.abc.Mapping) and isinstance(expected, collections.abc.Mapping):
        missing, additional = set(expected) - set(actual), set(actual) - set(expected)
        if missing or additional:
            _fail(
                "The keys of the mappings do not match:"
                + (f"\nMissing keys in the actual mapping: {sorted(missing)}" if missing else "")
                + (f"\nAdditional keys in the actual mapping: {sorted(additional)}" if additional else ""),
                path,
            )
        for key in actual:
            _compare(actual[key], expected[key], options, path + [key])
    elif actual is None or expected is None:
        if actual is not expected:
            _fail(f"None mismatch: {actual} is not {expected}", path)
    elif isinstance(actual, bool) and isinstance(expected, bool):
        if actual is not expected:
            _fail(f"Booleans mismatch: {actual} is not {expected}", path)
    elif _is_number(actual) and _is_number(expected):
        if options.check_dtype and type(actual) is not type(expected):
            _fail(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
        kind = (
            torch.complex128
            if complex in (type(actual), type(expected))
            else torch.float64 if float in (type(actual), type(expected)) else torch.int64
        )
        _compare_scalars(actual, expected, options.tolerances(kind), options, path)
    elif (
        _tensor_like(actual)
        and _tensor_like(expected)
        and (options.allow_subclasses or _related(type(actual), type(expected)))
    ):
        _compare_tensors(torch.as_tensor(actual), torch.as_tensor(expected), options, path)
    else:
        _unknown(actual, expected, path)


def _tensor_like(value):
    return isinstance(value, torch.Tensor) or _is_array(value)


def _related(a, b):
    return issubclass(a, b) or issubclass(b, a)


def _unknown(actual, expected, path):
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}." + _where(path)
    )


def _compare_scalars(actual, expected, tolerances, options, path):
    rtol, atol = tolerances
    difference = abs(actual - expected)
    close = actual == expected or (
        not cmath.isinf(actual) and not cmath.isinf(expected) and difference <= atol + rtol * abs(expected)
    )
    if close or (options.equal_nan and actual != actual and expected != expected):
        return
    relative = difference / abs(expected) if expected != 0 else float("inf")
    if rtol == 0 and atol == 0:
        _fail(
            f"Scalars are not equal!\n\nExpected {expected} but got {actual}.\nAbsolute difference:"
            f" {difference}\nRelative difference: {relative}",
            path,
        )
    _fail(
        f"Scalars are not close!\n\nExpected {expected} but got {actual}.\nAbsolute difference: {difference} (up to"
        f" {atol} allowed)\nRelative difference: {relative} (up to {rtol} allowed)",
        path,
    )


def _attribute(name, a, e, path):
    if a != e:
        _fail(f"The values for attribute '{name}' do not match: {a} != {e}.", path)


def _compare_tensors(actual, expected, options, path):
    _attribute("shape", actual.shape, expected.shape, path)
    if options.check_layout:
        _attribute("layout", actual.layout, expected.layout, path)
    if options.check_device or actual.is_meta or expected.is_meta:
        _attribute("device", actual.device, expected.device, path)
    if options.check_dtype:
        _attribute("dtype", actual.dtype, expected.dtype, path)
    if options.check_stride and actual.stride() != expected.stride():
        _attribute("stride()", actual.stride(), expected.stride(), path)
    if actual.is_meta:
        return
    rtol, atol = options.tolerances(actual.dtype, expected.dtype)
    dtype = torch.promote_types(actual.dtype, expected.dtype)
    with torch.no_grad():
        actual, expected = actual.detach().to(dtype), expected.detach().to(dtype)
        close = torch.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=options.equal_nan)
        if bool(close.all()):
            return
        if actual.dim() == 0:
            return _compare_scalars(actual.item(), expected.item(), (rtol, atol), options, path)
        _fail(_report(actual, expected, close, rtol, atol), path)


def _index(flat, shape):
    out = []
    for size in reversed(shape):
        out.append(flat % size)
        flat //= size
    return tuple(reversed(out))


def _report(actual, expected, close, rtol, atol):
    count, total, shape = int((~close).sum().item()), close.numel(), tuple(close.shape)
    if not actual.is_floating_point() and not actual.is_complex():
        actual, expected = actual.to(torch.int64), expected.to(torch.int64)
    difference = (actual - expected).abs().flatten()
    relative = difference / expected.abs().flatten()
    difference[close.flatten()] = 0
    relative[close.flatten()] = 0
    exact = rtol == 0 and atol == 0
    lines = []
    for name, values, limit in (("absolute", difference, atol), ("relative", relative, rtol)):
        at = int(values.argmax().item())
        lines.append(
            f"Greatest {name} difference: {values[at].item()} at index {_index(at, shape)}"
            + ("" if exact else f" (up to {limit} allowed)")
        )
    return (
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n\nMismatched elements: {count} / {total}"
        f" ({count / total:.1%})\n"
        + "\n".join(lines)
    )


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    """Raises AssertionError unless |actual - expected| <= atol + rtol * |expected| for every element.

    Tolerances that are not given depend on the types. Sequences and mappings are compared item by item.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, but got no"
            f" {'rtol' if rtol is None else 'atol'}."
        )
    options = _Options(
        allow_subclasses=allow_subclasses,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=check_device,
        check_dtype=check_dtype,
        check_layout=check_layout,
        check_stride=check_stride,
    )
    try:
        _compare(actual, expected, options, [])
    except _Mismatch as mismatch:
        text = str(mismatch)
        raise AssertionError(text if msg is None else msg(text) if callable(msg) else msg) from None


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """The old name: types may differ."""
    import warnings

    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please use"
        " `torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    actual, expected = torch.as_tensor(actual), torch.as_tensor(expected)
    if rtol is None and atol is None:
        pairs = [_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (actual, expected)]
        rtol, atol = max(p[0] for p in pairs), max(p[1] for p in pairs)
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=True,
        check_dtype=False,
        check_stride=False,
        msg=msg or None,
    )
