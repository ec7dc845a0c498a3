#!/usr/bin/env python3
"""Checks the one door to bytes: only Storage's own files touch its raw pointer (the private member `raw_`).

Everything else gets pointers from storage.read(), storage.write() and storage.escape(), which is where version
counters, copy-on-write and device moves take effect. Comments are ignored; a friend declaration does not help.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {"hwaro/core/storage.h", "hwaro/core/storage.cpp"}
RAW = re.compile(r"(?:\.|->|::)\s*raw_\b")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def main():
    problems = []
    files = [f for folder in ("hwaro", "python/src") for f in (ROOT / folder).rglob("*") if f.suffix in (".h", ".cpp")]
    for file in sorted(files):
        path = file.relative_to(ROOT).as_posix()
        if path in ALLOWED:
            continue
        text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), file.read_text(encoding="utf-8"))
        for match in RAW.finditer(text):
            problems.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: raw storage pointer outside the door")
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"check_door: {len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
