"""Random programs run with both libraries, and the programs that once parted them."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
FUZZ = HERE.parent / "fuzz"
COUNT = 2000
# A ratchet: how many of 1,000 programs may still differ. It only goes down, to zero; a crash is never allowed.
ALLOWED = 8
FOUND = sorted((FUZZ / "found").glob("*.py"))


def rotating_seed():
    """Other programs for each commit, the same for all runs of one."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=True
        ).stdout
        return int(commit[:8], 16) * 1000
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 1


def fuzz(*arguments):
    done = subprocess.run([sys.executable, FUZZ / "fuzz.py", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_random_programs():
    print(fuzz("--count", COUNT // 2, "--seed", rotating_seed(), "--allow", ALLOWED))


def test_random_programs_in_chunks_of_one_element_on_three_threads():
    print(fuzz("--count", COUNT // 2, "--seed", rotating_seed() + COUNT // 2, "--pool", "--allow", ALLOWED))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_found_programs(path):
    code = "import sys, kept; sys.exit(kept.difference(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(FUZZ), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{path.read_text()}"
