"""The facts of tests/python/facts.py, line by line, with PyTorch beside Hwaro."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
import facts  # noqa: E402


@pytest.fixture(scope="module")
def both():
    return facts.lines_of("torch"), facts.lines_of("hwaro")


@pytest.mark.parametrize("title", list(facts.FACTS))
def test_fact(title, both):
    theirs, ours = both
    assert ours[title] == theirs[title], facts.FACTS[title]
