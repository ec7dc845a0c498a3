"""Tests against results that PyTorch gave: run once with PyTorch, kept as JSON beside the test, compared without it.

A test file has a dict of cases, name -> function(torch), and the line `test_x = recorded_test(__file__, CASES)`.
`python tests/python/recorded.py test_nn_layers.py` runs the cases with PyTorch and writes test_nn_layers.json.
"""
import hashlib
import json
import math
import pathlib
import sys
import warnings

DIGITS, SHOWN = 7, 6
# Warnings about PyTorch's parts, or that come once per process.
_NOT_OURS = ("oneDNN", "Triggered internally", "Converting a tensor with requires_grad=True to a scalar")


def number(value):
    """A float that survives JSON and is not longer than it needs to be."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)


def summary(value, torch):
    """What is kept of a result. A tensor: kind, some values, and two sums over all of them."""
    if isinstance(value, torch.Tensor):
        flat = value.detach().reshape(-1)
        out = {"tensor": str(value.dtype), "shape": list(value.shape)}
        if value.dtype == torch.uint8 and value.numel() == 5056:
            return {"random state": hashlib.md5(bytes(flat.tolist())).hexdigest()}
        if value.is_complex():
            flat = torch.view_as_real(flat).reshape(-1)
        values = [float(x) for x in flat.tolist()]
        out["values"] = [number(x) for x in (values if len(values) <= 2 * SHOWN else values[:SHOWN] + values[-SHOWN:])]
        if len(values) > 2 * SHOWN:
            finite = [x for x in values if math.isfinite(x)]
            out["sum"] = number(math.fsum(finite))
            out["weighted"] = number(math.fsum(x * ((31 * i) % 101 - 50) / 50 for i, x in enumerate(finite)))
        return out
    if isinstance(value, dict):
        return {"dict": [[summary(k, torch), summary(v, torch)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [summary(item, torch) for item in value]
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    return str(value).replace("hwaro.", "torch.")  # Names of classes, as they are called in PyTorch.


def outcome(function, torch):
    """The summary of function(torch), or of what it raised."""
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = summary(function(torch), torch)
        except Exception as error:
            result = {"raises": [type(error).__name__, summary(str(error), torch)]}
    texts = sorted({str(item.message) for item in caught if issubclass(item.category, (UserWarning, FutureWarning))
                    and not any(part in str(item.message) for part in _NOT_OURS)})
    return {"result": result, "warns": texts} if texts else {"result": result}


def difference(found, expected, path="result", tolerance=1e-4):
    """The first place where found is not close to expected, or None."""
    if isinstance(expected, (int, float)) and not isinstance(expected, bool) and isinstance(found, (int, float)):
        close = abs(found - expected) <= tolerance * max(abs(expected), 0.1)
        return None if close else f"{path}: {found!r}, expected {expected!r}"
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(found, expected))]
    elif isinstance(expected, dict) and isinstance(found, dict) and list(found) == list(expected):
        pairs = [(f"{path}.{key}", found[key], expected[key]) for key in expected]
    else:
        return None if found == expected else f"{path}: {str(found)[:500]}, expected {str(expected)[:500]}"
    for where, a, b in pairs:
        # The sums of many values carry the errors of all of them.
        slack = tolerance * 10 if where.endswith((".sum", ".weighted")) else tolerance
        problem = difference(a, b, where, slack)
        if problem:
            return problem
    return None


def record_path(test_file):
    return pathlib.Path(test_file).with_suffix(".json")


def recorded_test(test_file, cases):
    """A pytest function with one parameter per case."""
    import pytest
    path = record_path(test_file)
    expected = json.loads(path.read_text()) if path.exists() else {}

    @pytest.mark.parametrize("name", list(cases))
    def test(name):
        import hwaro
        assert name in expected, f"{path.name} has no case {name!r}"
        problem = difference(outcome(cases[name], hwaro), expected[name])
        assert problem is None, problem

    return test


def main():
    import importlib.util
    import torch
    for argument in sys.argv[1:]:
        file = pathlib.Path(__file__).parent / argument
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault("hwaro", torch)  # The cases import nothing else of it.
        spec.loader.exec_module(module)
        lines = [f"{json.dumps(name)}: {json.dumps(outcome(function, torch))}"
                 for name, function in module.CASES.items()]
        record_path(file).write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(f"{record_path(file).name}: {len(lines)} cases, {record_path(file).stat().st_size} bytes")


if __name__ == "__main__":
    main()
