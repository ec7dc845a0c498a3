"""Errors that differ from PyTorch's on purpose: deviations.toml, at most LIMIT of them, each with its reason."""

import pathlib
import re

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

LIMIT = 20
FILE = pathlib.Path(__file__).with_suffix(".toml")
DEVIATIONS = tomllib.loads(FILE.read_text()).get("deviation", [])


def fits(pattern, error):
    """Whether (class, first line), or None for no error, is what a pattern says: "none", or "Class: regular expression"."""
    return re.fullmatch(pattern, "none" if error is None else ": ".join(error)) is not None


def allowed(entry, got, expected):
    """Whether a difference between errors is one of the list."""
    return any(
        entry in d["entries"] and fits(d["hwaro"], got) and fits(d["pytorch"], expected) for d in DEVIATIONS
    )
