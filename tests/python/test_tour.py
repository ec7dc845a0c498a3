"""examples/python/tour.py prints what it printed under PyTorch (test_tour.txt, which tests/conformance compares live)."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("setting", [{}, {"HWARO_NUM_THREADS": "3", "HWARO_GRAIN": "1000"}], ids=["plain", "threads"])
def test_the_tour_prints_the_recorded_text(setting):
    done = subprocess.run([sys.executable, "-m", "hwaro", str(ROOT / "examples/python/tour.py")], capture_output=True,
                          text=True, timeout=300, env=os.environ | setting)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == pathlib.Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
