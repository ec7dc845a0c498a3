"""Padding layers."""
import hwaro.nn.functional as F
from hwaro.nn.modules.module import Module
from hwaro.nn.modules.utils import _ntuple, _pair, _quadruple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]

_sextuple = _ntuple(6)


class _Pad(Module):
    """Pads the last dimensions; padding is one number, or (left, right[, top, bottom[, front, back]])."""

    __constants__ = ["padding"]
    _expand = None
    _mode = None

    def __init__(self, padding):
        super().__init__()
        self.padding = type(self)._expand(padding)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    _mode = "circular"
    _dims = 0

    def forward(self, input):
        low = self._dims + 1
        if input.dim() not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class ConstantPad1d(_ConstantPadNd):
    """Pads with a value: (*, L)."""

    _expand = staticmethod(_pair)


class ConstantPad2d(_ConstantPadNd):
    """Pads with a value: (*, H, W)."""

    _expand = staticmethod(_quadruple)


class ConstantPad3d(_ConstantPadNd):
    """Pads with a value: (*, D, H, W)."""

    _expand = staticmethod(_sextuple)


class ZeroPad1d(_ZeroPadNd):
    """Pads with zeros: (*, L)."""

    _expand = staticmethod(_pair)


class ZeroPad2d(_ZeroPadNd):
    """Pads with zeros: (*, H, W)."""

    _expand = staticmethod(_quadruple)


class ZeroPad3d(_ZeroPadNd):
    """Pads with zeros: (*, D, H, W)."""

    _expand = staticmethod(_sextuple)


class ReflectionPad1d(_Pad):
    """Pads with the mirrored input: (*, L)."""

    _expand, _mode = staticmethod(_pair), "reflect"


class ReflectionPad2d(_Pad):
    """Pads with the mirrored input: (*, H, W)."""

    _expand, _mode = staticmethod(_quadruple), "reflect"


class ReflectionPad3d(_Pad):
    """Pads with the mirrored input: (*, D, H, W)."""

    _expand, _mode = staticmethod(_sextuple), "reflect"


class ReplicationPad1d(_Pad):
    """Pads with the border's values: (*, L)."""

    _expand, _mode = staticmethod(_pair), "replicate"


class ReplicationPad2d(_Pad):
    """Pads with the border's values: (*, H, W)."""

    _expand, _mode = staticmethod(_quadruple), "replicate"


class ReplicationPad3d(_Pad):
    """Pads with the border's values: (*, D, H, W)."""

    _expand, _mode = staticmethod(_sextuple), "replicate"


class CircularPad1d(_CircularPadNd):
    """Pads with the other end of the input: (*, L)."""

    _expand, _dims = staticmethod(_pair), 1


class CircularPad2d(_CircularPadNd):
    """Pads with the other end of the input: (*, H, W)."""

    _expand, _dims = staticmethod(_quadruple), 2


class CircularPad3d(_CircularPadNd):
    """Pads with the other end of the input: (*, D, H, W)."""

    _expand, _dims = staticmethod(_sextuple), 3
