"""torch.finfo and torch.iinfo: the limits of element types."""

from hwaro import _C

# bits, digits of eps after 1, largest exponent, smallest normal exponent, decimal resolution
_FLOATS = {
    _C.float16: (16, 10, 15, -14, 1e-3),
    _C.bfloat16: (16, 7, 127, -126, 1e-2),
    _C.float32: (32, 23, 127, -126, 1e-6),
    _C.float64: (64, 52, 1023, -1022, 1e-15),
}


def _name(dtype):
    return str(dtype)[len("torch.") :]


class _Info:
    def __eq__(self, other):
        return type(self) is type(other) and self.dtype == other.dtype

    __hash__ = None


class finfo(_Info):
    """Limits of a floating-point type (of a complex type: of its parts); without one, of the default type."""

    __module__ = "torch"

    def __init__(self, type=None):
        if type is None:
            type = _C.get_default_dtype()
        if not isinstance(type, _C.dtype):
            raise TypeError(f"finfo(): argument 'type' (position 1) must be torch.dtype, not {type.__class__.__name__}")
        if not type.is_floating_point and not type.is_complex:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        real = type.to_real()
        self.bits, digits, high, low, self.resolution = _FLOATS[real]
        self.dtype = _name(type if type.is_complex else real)
        self.eps = 2.0**-digits
        self.max = (2.0 - self.eps) * 2.0**high
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**low
        self._shown = _name(real)

    def __repr__(self):
        numbers = ", ".join(
            f"{name}={getattr(self, name):.6g}"
            for name in ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        )
        return f"finfo({numbers}, dtype={self._shown})"


class iinfo(_Info):
    """Limits of an integer type."""

    __module__ = "torch"

    def __init__(self, type):
        if not isinstance(type, _C.dtype):
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {type.__class__.__name__}")
        if type.is_floating_point or type.is_complex:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        if type == _C.bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self.bits = 8 * type.itemsize
        self.dtype = _name(type)
        signed = type.is_signed
        self.max = 2 ** (self.bits - 1) - 1 if signed else 2**self.bits - 1
        self.min = -(2 ** (self.bits - 1)) if signed else 0

    def __repr__(self):
        return f"iinfo(min={float(self.min):.6g}, max={float(self.max):.6g}, dtype={self.dtype})"
