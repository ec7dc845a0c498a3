"""Options of printing. The text itself is written by the compiled part."""

import contextlib

from hwaro import _C

_PROFILES = {
    "default": dict(precision=4, threshold=1000, edgeitems=3, linewidth=80),
    "short": dict(precision=2, threshold=1000, edgeitems=2, linewidth=80),
    "full": dict(precision=4, threshold=float("inf"), edgeitems=3, linewidth=80),
}


class _PrintOptions:
    """The options in use; assigning an attribute changes how tensors print."""

    def __init__(self):
        self.__dict__.update(_PROFILES["default"], sci_mode=None)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            raise AttributeError(f"there is no print option '{name}'")
        self.__dict__[name] = value
        _C._set_printoptions(self.precision, self.threshold, self.edgeitems, self.linewidth, self.sci_mode)

    def __repr__(self):
        return f"PrinterOptions({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


PRINT_OPTS = _PrintOptions()


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Changes how tensors are printed.

    precision: digits after the point. threshold: tensors with more elements are summarised, showing edgeitems at either
    end of each dimension. linewidth: characters per line. profile: "default", "short" or "full". sci_mode: True or
    False for scientific notation or none of it; None lets the values decide.
    """
    given = dict(_PROFILES.get(profile, {}))
    for name, value in dict(precision=precision, threshold=threshold, edgeitems=edgeitems, linewidth=linewidth).items():
        if value is not None:
            given[name] = value
    for name, value in given.items():
        setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions():
    """The options in use, as a dict that set_printoptions(**options) takes."""
    return dict(PRINT_OPTS.__dict__)


@contextlib.contextmanager
def printoptions(**kwargs):
    """set_printoptions for the time of a with block."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


def _str(self, *, tensor_contents=None):
    return _C._tensor_text(self, tensor_contents)
