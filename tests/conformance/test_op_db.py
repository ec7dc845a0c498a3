"""Every cell of op_db that passed once keeps passing (passing.txt); `coverage.py --update` adds new ones."""
import pathlib

import pytest

from coverage import run

PASSING = [line.split(" ") for line in pathlib.Path(__file__).with_name("passing.txt").read_text().splitlines() if line.strip()]
ENTRIES = sorted({entry for entry, _ in PASSING})
CHUNKS = [ENTRIES[i:i + 12] for i in range(0, len(ENTRIES), 12)]


@pytest.mark.parametrize("chunk", CHUNKS, ids=[c[0] for c in CHUNKS])
def test_passing_cells_still_pass(chunk):
    results = run(chunk)
    wrong = [f"{entry} {cell}: {results[entry].get(cell, results[entry])}" for entry, cell in PASSING
             if entry in chunk and results[entry].get(cell) != "ok"]
    assert not wrong, "\n".join(wrong)
