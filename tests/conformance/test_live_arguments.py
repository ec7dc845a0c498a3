"""The lines of tests/python/test_arguments.py with PyTorch beside Hwaro; and every operator with wrong arguments."""

import pathlib
import sys

import pytest

import hwaro
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
from shown import shown  # noqa: E402
from test_arguments import CASES  # noqa: E402


@pytest.mark.parametrize("line", list(CASES))
def test_line(line):
    torch.manual_seed(0), hwaro.manual_seed(0)
    assert CASES[line](hwaro) == CASES[line](torch)


# Names that both libraries have as compiled functions of tensors alone, with one signature each.
POINTWISE = sorted(
    {entry["schema"].split("(")[0] for entry in hwaro._C._operators() if entry["pointwise"] and "(Tensor self) ->" in entry["schema"] and entry["schema"][0] != "_"}
)
WRONG = ["f()", "f('a')", "f(x, x)", "f(x, 1, 2)", "f(x, foo=1)", "f(x, input=x)", "f(None)", "f([1])", "f(x, out=1)", "f(input=1)"]


@pytest.mark.parametrize("name", [n for n in POINTWISE if type(getattr(torch, n, None)).__name__ == "builtin_function_or_method"])
def test_functions_of_one_tensor(name):
    for code in WRONG:
        both = [shown(lambda lib=lib: eval(code, {"f": getattr(lib, name), "x": lib.ones(2)})) for lib in (hwaro, torch)]
        assert both[0] == both[1], code
    for code in ("x.{}(1)", "x.{}(foo=1)", "x.{}(x, x)"):
        if hasattr(torch.Tensor, name):
            code = code.format(name)
            both = [shown(lambda lib=lib: eval(code, {"x": lib.ones(2)})) for lib in (hwaro, torch)]
            assert both[0] == both[1], code
