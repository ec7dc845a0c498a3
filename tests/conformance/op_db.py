"""PyTorch's own samples (op_db) on Hwaro: `python op_db.py ENTRY…` prints one JSON line per entry.

A cell is one kind of check over all samples of an entry: `value` (values, types and shapes of float32, int64 and bool
samples), `gradient` (float64), `errors` (class and first line of error_inputs). An entry runs in a process of its own, so a
crash is one failure.
"""
import json
import sys
import warnings

import torch
from torch.testing._internal.common_methods_invocations import op_db

import hwaro
from carry import difference, to_hwaro

MAX_SAMPLES = 40


def find(name):
    """Hwaro's function for a name of op_db (nn.functional.relu, linalg.norm, add), or None."""
    target = hwaro
    for part in name.split("."):
        target = getattr(target, part, None)
        if target is None:
            return getattr(hwaro.Tensor, name, None)
    return target


def flat_tensors(value):
    if isinstance(value, torch.Tensor) or isinstance(value, hwaro.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in flat_tensors(v)]
    return []


def samples(entry, dtype, grad=False):
    for i, sample in enumerate(entry.sample_inputs("cpu", dtype, requires_grad=grad)):
        if i >= MAX_SAMPLES:
            return
        yield sample


def run_value(entry, function):
    for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64):
        if dtype not in entry.dtypes:
            continue
        for sample in samples(entry, dtype):
            torch.manual_seed(0)
            theirs = entry.op(sample.input, *sample.args, **sample.kwargs)
            storages = {}
            hwaro.manual_seed(0)
            ours = function(to_hwaro(sample.input, storages), *to_hwaro(sample.args, storages), **to_hwaro(sample.kwargs, storages))
            found = difference(ours, theirs)
            if found:
                return f"{dtype}: {found}"
    return None


def run_gradient(entry, function):
    if not entry.supports_autograd or torch.float64 not in entry.dtypes:
        return "skip: no gradient"
    for sample in samples(entry, torch.float64, grad=True):
        inputs = [t for t in flat_tensors([sample.input, sample.args, list(sample.kwargs.values())]) if t.requires_grad]
        storages = {}
        ours_input, ours_args, ours_kwargs = (to_hwaro(v, storages) for v in (sample.input, sample.args, sample.kwargs))
        ours_inputs = [t for t in flat_tensors([ours_input, ours_args, list(ours_kwargs.values())]) if t.requires_grad]
        torch.manual_seed(0)
        theirs = [t for t in flat_tensors(entry.op(sample.input, *sample.args, **sample.kwargs)) if t.requires_grad]
        hwaro.manual_seed(0)
        ours = [t for t in flat_tensors(function(ours_input, *ours_args, **ours_kwargs)) if t.requires_grad]
        if len(ours) != len(theirs):
            return f"{len(ours)} differentiable results instead of {len(theirs)}"
        if not theirs:
            continue
        weights = [torch.linspace(0.5, 1.5, t.numel(), dtype=torch.float64).reshape(t.shape).to(t.dtype) for t in theirs]
        expected = torch.autograd.grad(theirs, inputs, weights, allow_unused=True)
        got = hwaro.autograd.grad(ours, ours_inputs, [to_hwaro(w) for w in weights], allow_unused=True)
        for i, (a, b) in enumerate(zip(got, expected)):
            if b is None:
                continue
            if a is None:
                return f"no gradient for input {i}"
            found = difference(a, b, f"gradient[{i}]")
            if found:
                return found
    return None


def run_errors(entry, function):
    if entry.error_inputs_func is None:
        return "skip: no error inputs"
    for i, case in enumerate(entry.error_inputs("cpu")):
        sample = case.sample_input
        try:
            ours = (to_hwaro(sample.input), to_hwaro(sample.args), to_hwaro(sample.kwargs))
        except (NotImplementedError, KeyError):
            continue
        try:
            entry.op(sample.input, *sample.args, **sample.kwargs)
            continue
        except Exception as error:  # noqa: BLE001  (whatever PyTorch raises is what is compared)
            expected = (type(error).__name__, str(error).splitlines()[0] if str(error) else "")
        try:
            function(ours[0], *ours[1], **ours[2])
        except Exception as error:  # noqa: BLE001
            got = (type(error).__name__, str(error).splitlines()[0] if str(error) else "")
            if got != expected:
                return f"case {i}: {got} instead of {expected}"
        else:
            return f"case {i}: no error instead of {expected}"
    return None


CELLS = {"value": run_value, "gradient": run_gradient, "errors": run_errors}


def main():
    warnings.simplefilter("ignore")
    wanted = set(sys.argv[1:])
    for entry in op_db:
        name = entry.full_name
        if name not in wanted:
            continue
        function = find(entry.name)
        result = {"entry": name}
        if function is None:
            result["missing"] = True
        else:
            for cell, run in CELLS.items():
                try:
                    found = run(entry, function)
                except Exception as error:  # noqa: BLE001
                    found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                result[cell] = found if found else "ok"
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
