"""Every cell of op_db that passed once keeps passing (passing.txt); `coverage.py --update` adds new ones."""

import collections

import pytest

from coverage import read_passing, run
from op_db import CELLS, CHECKS

PASSING = collections.defaultdict(list)
for line in read_passing():
    PASSING[line.split(" ")[0]].append(line.split(" ")[1])
ENTRIES = sorted(PASSING)
SIZE = 24  # entries per process: enough that loading PyTorch does not count
CHUNKS = [ENTRIES[i : i + SIZE] for i in range(0, len(ENTRIES), SIZE)]


def test_the_list_names_cells_that_exist():
    assert {cell for cells in PASSING.values() for cell in cells} <= set(CELLS)


@pytest.mark.parametrize("chunk", CHUNKS, ids=[c[0] for c in CHUNKS])
def test_passing_cells_still_pass(chunk):
    results = run(chunk, list(CHECKS))
    wrong = [
        f"{entry} {cell}: {results[entry].get(cell, results[entry])}"
        for entry in chunk
        for cell in PASSING[entry]
        if results[entry].get(cell) != "ok"
    ]
    assert not wrong, "\n".join(wrong)
