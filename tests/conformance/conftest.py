"""Conformance tests compare with PyTorch itself, so they fail at once where it is missing or another version."""

import importlib.metadata
import importlib.util
import os
import pathlib
import sys

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTORCH = "2.13.0"

try:
    found = importlib.metadata.version("torch")
except importlib.metadata.PackageNotFoundError:
    raise pytest.UsageError(f"conformance compares with PyTorch {PYTORCH}, and torch is missing: `make conformance`")
if found.split("+")[0] != PYTORCH:
    raise pytest.UsageError(f"conformance compares with PyTorch {PYTORCH}, and torch {found} is installed")

spec = importlib.util.find_spec("hwaro")
if spec is None or spec.origin is None:  # None as origin: the C++ folder hwaro/ of the repository, not the package
    tree = ROOT / "build" / os.environ.get("HWARO_PRESET", "dev") / "python"
    if not list(tree.glob("hwaro/_C*.so")):
        raise pytest.UsageError(f"hwaro is not built: {tree.relative_to(ROOT)} has no hwaro/_C*.so (run `make build`)")
    sys.path.insert(0, str(tree))
    importlib.invalidate_caches()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(tree), os.environ.get("PYTHONPATH")]))

KNOWN = ROOT / "tests" / "conformance" / "known_differences.toml"


def pytest_collection_modifyitems(items):
    """Marks what known_differences.toml lists: a listed test that passes is an error, so the list stays true."""
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    for item in items:
        reason = known.get(item.nodeid.rpartition("conformance/")[2])
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
