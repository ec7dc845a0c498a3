#!/usr/bin/env python3
"""Checks that no weak symbol is shared with an instruction set: tools/check_weak_symbols.py BUILD_FOLDER

The linker keeps one of several weak definitions. Were one symbol defined both by an object compiled for AVX-512 and by
any other object, the AVX-512 code could be the one kept and run on a processor without it. So a weak symbol defined in
an object of hwaro_isa_<isa> must not be defined in an object of another variant, nor in the rest of the engine.
"""
import collections
import pathlib
import re
import subprocess
import sys

VARIANT = re.compile(r"/hwaro_isa_(\w+?)\.dir/")
# An unwinder reference is the address of one function of the C++ runtime in every object: nothing to choose wrongly.
HARMLESS = re.compile(r"^DW\.ref\.")


def weak_symbols(path):
    """The weak symbols an object file defines (nm: V, W with a value; u is GNU's unique)."""
    command = ["nm", "--defined-only", "-P", str(path)]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        name, kind = line.split()[:2]
        if kind in "VWu" and not HARMLESS.match(name):
            yield name


def main(build):
    # Test programs are not shipped; they list their common objects first, whose copies the linker takes.
    objects = sorted(p for p in pathlib.Path(build).rglob("*.o") if "/hwaro_tests" not in p.as_posix())
    variants = sorted({match[1] for path in objects if (match := VARIANT.search(path.as_posix()))})
    if not variants:
        print(f"check_weak_symbols: {build} has no objects of hwaro_isa_*; build it first")
        return 1
    owners = collections.defaultdict(lambda: collections.defaultdict(list))  # symbol -> group -> objects
    for path in objects:
        match = VARIANT.search(path.as_posix())
        for name in weak_symbols(path):
            owners[name][match[1] if match else "common"].append(path)
    # Objects of these carry no special flags, so the common objects may share with them.
    special = set(variants) - {"base", "neon"}
    shared = {name: groups for name, groups in owners.items() if len(groups) > 1 and special & groups.keys()}
    names = sorted(shared)
    plain = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True).stdout
    for name, readable in zip(names, plain.splitlines()):
        print(f"shared weak symbol: {readable}")
        for group, paths in sorted(shared[name].items()):
            print(f"    {group}: {paths[0].relative_to(build)}" + (f" and {len(paths) - 1} more" if paths[1:] else ""))
    counts = f"{len(objects)} objects, variants {' '.join(variants)}, {len(shared)} shared weak symbols"
    print(f"check_weak_symbols: {counts}")
    return 1 if shared else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    sys.exit(main(sys.argv[1]))
