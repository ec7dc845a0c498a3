"""Finds the package to test: `hwaro` from PYTHONPATH or an installation, else build/$HWARO_PRESET/python (dev).

The path goes into the environment too, so that tests which start `python -m hwaro` test the same package.
"""
import importlib.util
import os
import pathlib
import sys

import hypothesis
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def is_package(spec):
    """Whether a spec is the Python package: the C++ folder hwaro/ of the repository looks like one without a file."""
    return spec is not None and spec.origin is not None


if not is_package(importlib.util.find_spec("hwaro")):
    tree = ROOT / "build" / os.environ.get("HWARO_PRESET", "dev") / "python"
    if not list(tree.glob("hwaro/_C*.so")):
        raise pytest.UsageError(f"hwaro is not built: {tree.relative_to(ROOT)} has no hwaro/_C*.so (run `make build`)")
    sys.path.insert(0, str(tree))
    importlib.invalidate_caches()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(tree), os.environ.get("PYTHONPATH")]))

# No deadline: these tests run two at a time on machines that do other work too. In CI the examples are the same ones
# every time, so that a red run means a change.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")
