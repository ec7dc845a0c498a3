"""Anomaly detection: where a wrong gradient comes from."""

import warnings

from hwaro import _C

_TEXT = (
    "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging."
)


class detect_anomaly:
    """With this on, backward() raises at the first nan and says where the operation that made it was called."""

    def __init__(self, check_nan=True):
        self.before = _C._anomaly()
        self.check_nan = check_nan
        warnings.warn(_TEXT, stacklevel=2)

    def __enter__(self):
        _C._set_anomaly(True, self.check_nan)

    def __exit__(self, *error):
        _C._set_anomaly(*self.before)


class set_detect_anomaly:
    """Turns anomaly detection on or off at once; as a context manager, until the end of the block."""

    def __init__(self, mode, check_nan=True):
        self.before = _C._anomaly()
        _C._set_anomaly(mode, check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *error):
        _C._set_anomaly(*self.before)
