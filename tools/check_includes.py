#!/usr/bin/env python3
"""Checks the layers: a file includes only its own layer or one to its left.

    base -> math -> core -> loops -> autograd -> ops -> backend -> io, nn, optim -> python

`io`, `nn` and `optim` stand side by side and do not include one another. Files directly in hwaro/ are the public C++
interface, between `backend` and those three, but hwaro/hwaro.h includes everything except the Python extension.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ["base", "math", "core", "loops", "autograd", "ops", "backend", "io nn optim", "python"]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split()}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]((?:hwaro|python)/[^>"]+)[>"]', re.MULTILINE)


def layer(path):
    """Name and rank of the layer that a path below the repository root belongs to."""
    first, *rest = path.split("/")
    if first == "python":
        return "python", RANK["python"]
    if rest == ["hwaro.h"]:
        return path, RANK["io"] + 0.5
    if len(rest) == 1:
        return "hwaro/", RANK["backend"] + 0.5
    if rest[0] not in RANK:
        sys.exit(f"check_includes: {path} lies in no known layer ({', '.join(RANK)})")
    return rest[0], RANK[rest[0]]


def main():
    problems = []
    files = [f for folder in ("hwaro", "python/src") for f in (ROOT / folder).rglob("*") if f.suffix in (".h", ".cpp")]
    for file in sorted(files):
        path = file.relative_to(ROOT).as_posix()
        name, rank = layer(path)
        text = file.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            other, other_rank = layer(match[1])
            if other_rank > rank or (other_rank == rank and other != name):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {name} must not include {match[1]} ({other} is not to its left)")
    print(*problems, sep="\n", end="\n" if problems else "")
    if not files:
        problems.append("no files")
        print("check_includes: found no C++ files")
    print(f"check_includes: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
