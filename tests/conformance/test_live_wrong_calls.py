"""What programs use most, called wrongly in every way of wrong_calls.py: class and first line of the error beside PyTorch's.

ACCIDENTS are errors that PyTorch's Python code runs into before anything looks at the argument: there Hwaro must refuse the
call as well, in its own words. wrong_calls_known.txt lists the calls that differ otherwise; one that agrees again must leave it.
`python test_live_wrong_calls.py` writes that list.
"""

import pathlib
import re
import warnings

import pytest

import hwaro
import torch
from carry import error_of
from wrong_calls import CALLS, NAMES, wrongs

KNOWN = pathlib.Path(__file__).with_name("wrong_calls_known.txt")
ACCIDENTS = re.compile(
    r"AttributeError: .* object has no attribute .*"
    r"|RuntimeError: Boolean value of Tensor with more than one value is ambiguous"
    r"|TypeError: '[<>]' not supported between instances of .*"
    r"|TypeError: unsupported operand type\(s\) for .*"
    r"|TypeError: .* object is not (iterable|subscriptable)"
    r"|TypeError: (_return_output|upsample_\w+)\(\) .*"
)


def error(library, code):
    """What a call raises, as "Class: first line"; None if it does not."""
    names = {"torch": library}
    exec(NAMES, names)
    library.manual_seed(0)
    found, _ = error_of(lambda: eval(code, names))
    library.set_default_dtype(library.float32)
    return found and ": ".join(found)


def differing(line):
    """{wrong call: (Hwaro's error, PyTorch's)} of those that differ."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for code in dict.fromkeys(wrongs(line)):
            expected, got = error(torch, code), error(hwaro, code)
            accident = expected and got and ACCIDENTS.fullmatch(expected)
            if expected != got and not accident:
                found[code] = (got, expected)
    return found


@pytest.mark.parametrize("line", CALLS)
def test_wrong_calls_of(line):
    assert error(torch, line) is None and error(hwaro, line) is None, "the right call must be right"
    known = set(KNOWN.read_text(encoding="utf-8").splitlines()) & set(wrongs(line))
    found = differing(line)
    new = [f"{code}: {got} instead of {expected}" for code, (got, expected) in found.items() if code not in known]
    assert not new, "\n".join(new[:6])
    assert not known - set(found), f"agree again, so drop them from {KNOWN.name}: {sorted(known - set(found))}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    lines = sorted({code for line in CALLS for code in differing(line)})
    KNOWN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(lines), "of", len({code for line in CALLS for code in wrongs(line)}), "wrong calls differ")
