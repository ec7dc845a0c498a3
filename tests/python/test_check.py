"""python -m hwaro.check: what a program uses and Hwaro lacks, found without running it."""

import subprocess
import sys

import pytest

from hwaro.check import missing_names


def found(source):
    return [name for _, name in missing_names(source)]


@pytest.mark.parametrize(
    "source, names",
    [
        ("import torch\ntorch.ones(2).no_such_method()\n", []),
        ("import torch\ntorch.no_such_function(1)\n", ["torch.no_such_function"]),
        ("import torch as t\nt.nn.NoSuchLayer(3)\n", ["torch.nn.NoSuchLayer"]),
        ("import torch.nn as nn\nclass M(nn.NoSuchBase): pass\n", ["torch.nn.NoSuchBase"]),
        ("import torch.nn.functional as F\nF.no_such(F.relu(1))\n", ["torch.nn.functional.no_such"]),
        ("from torch import nn, no_such\n", ["torch.no_such"]),
        ("from torch.nn import functional as F\nF.no_such\n", ["torch.nn.functional.no_such"]),
        ("from torch.no_such_module import thing\n", ["torch.no_such_module"]),
        ("import torch.no_such_module.deeper\n", ["torch.no_such_module"]),
        ("import hwaro as torch\ntorch.no_such\n", ["torch.no_such"]),
        ("import torch\nF = torch.nn.functional\nF.no_such\n", ["torch.nn.functional.no_such"]),
        ("import torch\nx = torch.Tensor.no_such\n", ["torch.Tensor.no_such"]),
        ("import torch\nprint(torch.float32.itemsize, torch.__version__, torch.version.cuda)\n", []),
        ("import numpy as torch\ntorch.no_such\n", []),
        ("torch = None\ntorch.no_such\n", []),
        ("import torch\ndef f():\n    return [torch.no_such for _ in (1,)]\n", ["torch.no_such"]),
        ("import torch\ntorch.no_such\ntorch.no_such\n", ["torch.no_such"]),
    ],
)
def test_names(source, names):
    assert found(source) == names


def test_lines():
    assert missing_names("import torch\n\nx = torch.ones(2)\ntorch.fehlt(x)\n") == [(4, "torch.fehlt")]


def check(*arguments, cwd):
    done = subprocess.run([sys.executable, "-m", "hwaro.check", *arguments], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_command(tmp_path):
    (tmp_path / "good.py").write_text("import torch\ntorch.ones(2).sum()\n")
    (tmp_path / "bad.py").write_text("import torch\nraise SystemExit('never run')\ntorch.nn.Conv2dd(1)\n")
    assert check("good.py", cwd=tmp_path) == (0, "no missing names in 1 file\n", "")
    status, out, err = check(".", cwd=tmp_path)
    assert (status, err) == (1, "")
    assert out == "bad.py:3: torch.nn.Conv2dd (nearest: torch.nn.Conv2d)\n1 missing name in 2 files\n"


def test_what_to_use_instead_is_told_only_where_something_fits(tmp_path):
    (tmp_path / "p.py").write_text("import torch\ntorch.hub.load('a', 'b')\ntorch.nested\ntorch.fft.fft\ntorch.quuz\n")
    lines = check("p.py", cwd=tmp_path)[1].splitlines()
    assert lines[0].startswith("p.py:2: torch.hub (nearest: torch.load(path)")
    assert lines[1] == "p.py:3: torch.nested (nearest: torch.nn.utils.rnn.pad_sequence)"
    assert lines[2] == "p.py:4: torch.fft (nearest: numpy.fft of x.numpy())"
    assert lines[3] == "p.py:5: torch.quuz"


def test_files_that_cannot_be_read(tmp_path):
    assert check("none.py", cwd=tmp_path) == (2, "", "none.py: No such file or directory\n")
    (tmp_path / "broken.py").write_text("def (:\n")
    status, out, err = check("broken.py", cwd=tmp_path)
    assert status == 2 and out == "" and err.startswith("broken.py: not a Python program:") and len(err.splitlines()) == 1
    assert check(cwd=tmp_path)[0] == 2
