"""What a learner types, line by line: the lines in learner/*.py, each with its neighbours and mistakes.

Every line runs in Hwaro and in PyTorch, in one session per file, as at a prompt: what it prints (the repr of a value, the
text of a print) or raises (class and first line) must be the same.
"""

import ast
import contextlib
import io
import pathlib
import re
import warnings

import numpy
import pytest

import hwaro
import torch


FOLDER = pathlib.Path(__file__).parent / "learner"


def session(library, source):
    """(line, what came) for each statement."""
    names = {"torch": library, "np": numpy, "nn": library.nn, "F": library.nn.functional}
    library.manual_seed(0)
    for node in ast.parse(source).body:
        text = ast.get_source_segment(source, node)
        out = io.StringIO()
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "torch":
            node.module = library.__name__ + node.module.removeprefix("torch")
        try:
            with contextlib.redirect_stdout(out):
                if isinstance(node, ast.Expr):
                    value = eval(compile(ast.Expression(node.value), "<line>", "eval"), names)
                    if value is not None:
                        print(repr(value))
                else:
                    exec(compile(ast.Module([node], []), "<line>", "exec"), names)
        except Exception as error:
            out.write(f"{type(error).__name__}: {(str(error) + chr(10)).splitlines()[0]}")
        yield text, re.sub(r"0x[0-9a-f]+", "0x", out.getvalue().replace("hwaro.", "torch."))


NUMBER = re.compile(r"-?\d+\.\d*(?:e[+-]?\d+)?")


def same(ours, theirs):
    """Without fma the last bit may differ, and so the last digit that is shown."""
    if ours == theirs or hwaro._C._cpu_capability() != "base":
        return ours == theirs
    a, b = NUMBER.findall(ours), NUMBER.findall(theirs)
    close = all(len(x) == len(y) and abs(float(x) - float(y)) <= 2e-4 * max(abs(float(y)), 1) for x, y in zip(a, b))
    return close and NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")
def test_every_line_gives_what_pytorch_gives(file):
    source = file.read_text(encoding="utf-8")
    # PyTorch's samples, loaded by other tests of the same process, forbid to set flags; a learner's program may.
    with warnings.catch_warnings(), getattr(torch.backends, "__allow_nonbracketed_mutation")():
        warnings.simplefilter("ignore")
        pairs = list(zip(session(torch, source), session(hwaro, source), strict=True))
    different = [f">>> {line}\n{ours.strip()}\nPyTorch: {theirs.strip()}"
                 for (line, theirs), (_, ours) in pairs if not same(ours, theirs)]
    assert not different, f"{len(different)} of {len(pairs)} lines differ:\n" + "\n\n".join(different)
    assert len(pairs) > 100
    torch.set_default_dtype(torch.float32)
