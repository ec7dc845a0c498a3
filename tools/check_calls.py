#!/usr/bin/env python3
"""Checks that every public C++ function can be called: with the arguments that have no default, each overload means itself.

tools/check_calls.py BUILD_FOLDER. Writes one call per overload and lets the compiler look at them; a call that fits no
function, or two, is an error there. CXX chooses the compiler.
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "codegen"))
import generate  # noqa: E402
from scan import cpp_type, scan  # noqa: E402

# What stands for an argument of a type.
VALUES = {"const Tensor&": "x", "const Operand&": "x", "Span<Tensor>": "{x, x}", "Span<std::int64_t>": "{1, 2}",
          "std::int64_t": "1", "double": "0.5", "bool": "true", "const Scalar&": "2", "std::string_view": '"sum"',
          "DType": "kFloat32", "Generator*": "nullptr"}


def value(cpp):
    if "IntArray" in cpp:
        return "2"
    return VALUES.get(cpp, "std::nullopt" if "optional" in cpp else f"{cpp}{{}}")


def calls():
    for family in scan(ROOT):
        for op in generate.unique_overloads(family.ops):
            if generate.hidden(op) or op.name in generate.PUBLIC_BY_HAND:
                continue
            given = [value(cpp_type(op, a, public=True)) for a in op.args[:generate.required(op)]]
            yield f"hwaro::{generate.function_name(op)}({', '.join(given)})", op.schema


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    lines = [f"void call_{i}(const Tensor& x) {{ {call}; }}  // {schema}" for i, (call, schema) in enumerate(calls())]
    source = "\n".join(["#include <hwaro/hwaro.h>", "using namespace hwaro;", *lines, ""])
    command = [os.environ.get("CXX", "c++"), "-std=c++20", "-fsyntax-only", "-w", f"-I{ROOT}", f"-I{build}/generated",
               "-x", "c++", "-"]
    done = subprocess.run(command, input=source, text=True, capture_output=True)
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    print(*errors, sep="\n", end="\n" if errors else "")
    print(f"check_calls: {len(lines)} functions, {len(errors)} problems")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
