"""The notes beside errors: PyTorch's text stays as it is, and one line says what to do."""

import subprocess
import sys

import pytest

import hwaro as torch

CASES = {
    "broadcast": (
        lambda: torch.ones(2, 3) + torch.ones(4),
        "in dimension 1 the sizes 3 and 4 differ and neither is 1",
        "add(self: float32 [2, 3] cpu, other: float32 [4] cpu)",
    ),
    "matmul": (
        lambda: torch.mm(torch.ones(2, 3), torch.ones(2, 3)),
        "the inner sizes 3 and 2 must be equal: transpose an operand (b.t())",
        "mm(self: float32 [2, 3] cpu, mat2: float32 [2, 3] cpu)",
    ),
    "operator @": (lambda: torch.ones(2, 3) @ torch.ones(2, 3), "the inner sizes 3 and 2", "matmul(self: "),
    "device": (
        lambda: torch.ones(2) * torch.ones(2, device="meta"),
        "move b to the same device: b = b.to(a.device)",
        "mul(self: float32 [2] cpu, other: float32 [2] meta)",
    ),
    "dtype": (
        lambda: torch.mm(torch.ones(2, 2), torch.ones(2, 2, dtype=torch.float64)),
        "b = b.to(a.dtype)",
        "mat2: float64 [2, 2] cpu",
    ),
    "cat": (
        lambda: torch.cat([torch.ones(2, 2), torch.ones(3, 3)]),
        "tensor 1 has size 3 where the others have 2",
        "cat(tensors: (float32 [2, 2] cpu, float32 [3, 3] cpu))",
    ),
    "view": (lambda: torch.ones(2, 3).view(4, 2), "the sizes in [4, 2] must multiply to 6", "view(self: float32 [2, 3]"),
    "view of strided": (lambda: torch.ones(2, 3).t().view(6), "x.reshape(…), or x.contiguous().view(…)", "view("),
    "index": (lambda: torch.ones(3)[5], "dimension 0 has size 3: an index i must satisfy -3 <= i < 3", ""),
    "dim": (lambda: torch.ones(3).sum(2), "use a dim from -1 to 0", "sum("),
    "leaf": (lambda: torch.ones(2, requires_grad=True).add_(1), "with torch.no_grad():", "add_("),
    "backward of many": (lambda: (torch.ones(2, requires_grad=True) * 2).backward(), "loss.sum().backward()", ""),
    "numpy": (lambda: torch.ones(2, requires_grad=True).numpy(), "x.detach().numpy()", ""),
    "truth": (lambda: bool(torch.ones(2)), "(x > 0).any(), (x > 0).all()", ""),
    "item": (lambda: torch.ones(2).item(), "x.tolist()", ""),
    "mean of ints": (lambda: torch.arange(3).mean(), "x.float().mean()", "mean(self: int64 [3] cpu"),
    "ragged": (lambda: torch.tensor([[1, 2], [3]]), "pad_sequence()", ""),
}

N = torch.nn
CASES.update({
    "linear of ints": (lambda: N.Linear(2, 2)(torch.ones(2, 2).long()), "x.to(weight.dtype), or x.float()", "int64 [2, 2]"),
    "conv of doubles": (lambda: N.Conv2d(1, 1, 2)(torch.ones(1, 1, 3, 3).double()), "x.to(weight.dtype)", "conv2d("),
    "conv of a matrix": (lambda: N.Conv2d(1, 1, 2)(torch.ones(3, 3)), "conv2d takes (N, C, …)", "input: float32 [3, 3]"),
    "small image": (lambda: N.Conv2d(1, 1, 5)(torch.ones(1, 1, 3, 3)), "use a smaller kernel", ""),
    "pooled away": (lambda: N.functional.max_pool2d(torch.ones(1, 3, 3), 5), "smaller than the window", ""),
    "classes as floats": (lambda: N.functional.cross_entropy(torch.ones(2, 3), torch.ones(2)), "target.long()", ""),
    "class columns": (
        lambda: N.functional.cross_entropy(torch.ones(2, 3), torch.tensor([[1], [1]])), "target.squeeze(1)", ""),
    "class rows": (
        lambda: N.functional.cross_entropy(torch.ones(2, 3), torch.tensor([1])), "2 rows and 1 targets do not fit", ""),
    "logits and targets": (
        lambda: N.functional.binary_cross_entropy_with_logits(torch.ones(2, 1), torch.ones(2)), "target.unsqueeze(1)", ""),
    "probabilities": (
        lambda: N.functional.binary_cross_entropy(torch.ones(2) * 2, torch.ones(2)), "with_logits", ""),
    "embedding of floats": (lambda: N.Embedding(2, 2)(torch.ones(1)), "i = i.long()", ""),
    "channels": (lambda: N.BatchNorm2d(3)(torch.ones(2, 4, 2, 2)), "BatchNorm…(4)", ""),
    "layer norm": (lambda: N.LayerNorm(3)(torch.ones(2, 4)), "LayerNorm(x.shape[-1])", ""),
    "mask": (lambda: torch.ones(2).masked_fill(torch.ones(2), 0), "mask.bool()", "mask: float32 [2]"),
    "grad of a constant": (
        lambda: torch.autograd.grad(torch.ones(1, requires_grad=True), torch.ones(1)), "requires_grad=True before", ""),
    "range": (lambda: torch.arange(5, 0), "the step is negative", ""),
    "strings": (lambda: torch.tensor(["a"]), "turn texts into numbers", ""),
})


def twice():
    loss = (torch.ones(2, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


def modified():
    y = torch.ones(2, requires_grad=True).exp()
    y.add_(1)
    y.sum().backward()


CASES["backward twice"] = (twice, "retain_graph=True", "")
CASES["modified in place"] = (modified, "write a new tensor", "")


def notes_of(call):
    with pytest.raises(Exception) as caught:
        call()
    return str(caught.value), getattr(caught.value, "__notes__", [])


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("HWARO_LANG", "en")


@pytest.mark.parametrize("name", CASES)
def test_the_note_names_the_arguments_and_the_fix(name):
    call, fix, arguments = CASES[name]
    text, notes = notes_of(call)
    assert len(notes) == 1 and notes[0].startswith("hint: ") and "\n" not in notes[0], notes
    assert fix in notes[0] and arguments in notes[0], notes
    assert "hint" not in text


def test_errors_without_advice_still_name_the_tensors():
    _, notes = notes_of(lambda: torch.ones(2, 2).expand(3))
    assert notes and "expand(self: float32 [2, 2] cpu, size: 3)" in notes[0]


def test_errors_of_parsing_have_no_note():
    for call in (lambda: torch.add("a", 1), lambda: torch.relu(), lambda: torch.ones(2).view("a")):
        assert notes_of(call)[1] == []


def run(code, **env):
    import os

    environment = {k: v for k, v in os.environ.items() if k not in ("HWARO_LANG", "LC_ALL", "LC_MESSAGES", "LANG")}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, **env, "PYTHONIOENCODING": "utf-8"}, capture_output=True
    )
    return done.stdout.decode() + done.stderr.decode()


SHOW = """
import hwaro as torch
try:
    torch.ones(2, 3) @ torch.ones(2, 3)
except RuntimeError as error:
    print(error, *getattr(error, "__notes__", []), sep=chr(10))
"""


@pytest.mark.parametrize(
    "env, korean",
    [
        ({"HWARO_LANG": "ko"}, True),
        ({"LANG": "ko_KR.UTF-8"}, True),
        ({"LC_ALL": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, True),
        ({"HWARO_LANG": "en", "LANG": "ko_KR.UTF-8"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_the_language(env, korean):
    lines = run(SHOW, **env).splitlines()
    assert lines[0] == "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"
    assert lines[1].startswith("도움말: 안쪽 크기가 같아야 합니다(3, 2)" if korean else "hint: the inner sizes 3 and 2 must")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tracebacks show notes from 3.11 on")
def test_tracebacks_show_the_note():
    out = run("import hwaro as torch; torch.ones(2) + torch.ones(3)", HWARO_LANG="en")
    assert out.splitlines()[-2].startswith("RuntimeError: The size of tensor a (2) must match the size of tensor b (3)")
    assert out.splitlines()[-1].startswith("hint: in dimension 0 the sizes 2 and 3 differ")
