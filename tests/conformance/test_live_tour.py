"""examples/python/tour.py prints the same under Hwaro and under PyTorch, and what tests/python/test_tour.txt records."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(*python):
    done = subprocess.run([sys.executable, *python, str(ROOT / "examples/python/tour.py")], capture_output=True, text=True,
                          timeout=300, env=os.environ | {"PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tour_prints_the_same_with_pytorch_and_with_hwaro():
    theirs = output()
    assert output("-m", "hwaro") == theirs
    assert (ROOT / "tests/python/test_tour.txt").read_text(encoding="utf-8") == theirs
