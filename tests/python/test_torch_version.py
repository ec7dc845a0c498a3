"""torch.__version__: text that compares by its numbers (PEP 440), as PyTorch's TorchVersion."""

import pytest

import hwaro as torch
from hwaro.torch_version import TorchVersion


def test_the_version_is_text():
    assert isinstance(torch.__version__, str)
    assert torch.__version__.split(".")[0] == "2"
    assert f"{torch.__version__}".startswith("2.13.0")


@pytest.mark.parametrize("other, greater", [
    ("2.0", True), ("2.9", True), ("2.13", True), ("2.13.0", True), ("3", False), ("1.13.1", True), ((2, 1), True),
    ([2, 14], False), ((1, 9, 0), True), ("2.13.0rc1", True), ("2.14.dev20260101", False), ("2.13.0.post1", False),
])
def test_order(other, greater):
    assert (torch.__version__ > other) == greater
    assert (torch.__version__ <= other) == (not greater)
    assert torch.__version__ != other


def test_equal_versions():
    assert TorchVersion("2.1") == "2.1.0"
    assert TorchVersion("2.1.0") == (2, 1)
    assert TorchVersion("2.1+cpu") >= "2.1"
    assert TorchVersion("2.10") > TorchVersion("2.9")


def test_text_that_is_no_version_compares_as_text():
    assert TorchVersion("2.1") != "parrot"
    assert TorchVersion("2.1") < "parrot"
