"""Recorded cases, of autograd above all, live: what PyTorch says now, and that Hwaro says the same."""

import importlib.util
import json
import pathlib
import sys

import hwaro
import pytest
import torch

PYTHON_TESTS = pathlib.Path(__file__).resolve().parents[1] / "python"
FILES = [
    *sorted(path.stem for path in PYTHON_TESTS.glob("test_autograd_*.json")),
    "test_module_hooks",
    "test_func",
    "test_vmap",
    "test_extreme_numbers",
]


def cases():
    sys.path.insert(0, str(PYTHON_TESTS))
    try:
        for name in FILES:
            spec = importlib.util.spec_from_file_location(f"recorded_{name}", PYTHON_TESTS / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            for case, function in module.CASES.items():
                yield pytest.param(function, id=f"{name}-{case}")
        import recorded

        globals()["recorded"] = recorded
    finally:
        sys.path.remove(str(PYTHON_TESTS))


@pytest.mark.parametrize("function", list(cases()))
def test_same_outcome(function):
    expected, got = (json.loads(json.dumps(recorded.outcome(function, lib))) for lib in (torch, hwaro))  # noqa: F821
    problem = recorded.difference(got, expected)  # noqa: F821
    assert problem is None, problem
