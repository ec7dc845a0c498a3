"""Seeds bugs and expects the tests to notice: `python tests/mutants/run.py [--list] [NAME…]`.

Works in a copy of the tree (build/mutants), which is built once and then, mutant by mutant, where a file changed.
Before a mutant counts, its tests must be green without it.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPY = ROOT / "build" / "mutants"
PRESET = "dev"
SECONDS = 600  # for the tests of one mutant; a hang is a failure too
sys.path.insert(0, str(HERE))
from mutants import MUTANTS  # noqa: E402


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def refresh_copy():
    """Brings the copy up to date; files that are equal keep their time, so that little is compiled."""
    names = set(tracked_files())
    for name in names:
        source, target = ROOT / name, COPY / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
    for path in [p for p in COPY.rglob("*") if p.is_file()]:
        name = path.relative_to(COPY)
        if name.parts[0] not in ("build", ".venv") and "__pycache__" not in name.parts and str(name) not in names:
            path.unlink()
    venv = COPY / ".venv"
    if not venv.exists():
        venv.symlink_to(ROOT / ".venv")


def build():
    done = subprocess.run(["tools/build.sh", PRESET], cwd=COPY, capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def red(tests):
    """Whether tests fail (True), pass (False), or could not run (their output)."""
    kind, *words = tests
    env = dict(os.environ, PYTHONPATH=str(COPY / "build" / PRESET / "python"), CI="1")
    if kind == "cpp":
        command = [COPY / "build" / PRESET / "hwaro_tests", f"-tc={words[0]}", "--minimal"]
    else:
        command = [ROOT / ".venv/bin/python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words]
    try:
        done = subprocess.run(command, cwd=COPY, env=env, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode == 0 or done.returncode == 1 or done.returncode < 0:
        return done.returncode != 0
    return (done.stdout + done.stderr)[-2000:]


def mutated(text, mutant):
    """The file's text with the bug in it. Errors: ValueError unless the place is found exactly once."""
    pattern = r"\s+".join(re.escape(word) for word in mutant.find.split())
    found = list(re.finditer(pattern, text))
    if len(found) != 1:
        raise ValueError(f"{mutant.name}: its place in {mutant.file} is found {len(found)} times")
    return text[: found[0].start()] + mutant.replace + text[found[0].end() :]


def judge(mutant):
    """What became of a mutant: "caught", or what went wrong."""
    path = COPY / mutant.file
    original = path.read_text()
    try:
        path.write_text(mutated(original, mutant))
        good, output = build()
        if not good:
            return f"does not compile:\n{output}"
        found = red(mutant.tests)
        return "caught" if found is True else "NOT CAUGHT" if found is False else f"tests did not run:\n{found}"
    finally:
        path.write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.names or m.name in options.names]
    unknown = set(options.names) - {m.name for m in MUTANTS}
    if unknown:
        parser.error(f"no mutant {', '.join(sorted(unknown))}")
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name:30} {mutant.file}: {mutant.bug}")
        return 0
    refresh_copy()
    for mutant in chosen:  # places first: a mutant that is out of date should not cost a build
        mutated((COPY / mutant.file).read_text(), mutant)
    good, output = build()
    if not good:
        print(f"the tree itself does not compile:\n{output}")
        return 1
    for tests in dict.fromkeys(m.tests for m in chosen):
        found = red(tests)
        if found is not False:
            print(f"{' '.join(tests)} is red without any mutant: {'' if found is True else found}")
            return 1
    escaped = 0
    for mutant in chosen:
        began = time.monotonic()
        verdict = judge(mutant)
        escaped += verdict != "caught"
        print(f"{mutant.name:30} {time.monotonic() - began:5.0f} s  {verdict}", flush=True)
    print(f"{len(chosen) - escaped} of {len(chosen)} mutants caught")
    build()  # the copy is clean again
    return bool(escaped)


if __name__ == "__main__":
    sys.exit(main())
