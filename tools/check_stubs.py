#!/usr/bin/env python3
"""Checks that the type stubs are fresh: tools/check_stubs.py BUILD_FOLDER

Imports the package from BUILD_FOLDER/python and reads every .pyi that lies there. What a stub declares must exist, and
every public name of the compiled modules and of the package, and every method of Tensor, must be declared.
"""

import ast
import importlib
import keyword
import pathlib
import sys
import types


def declared(body):
    """Names that a list of statements of a stub defines, with the nested names of its classes as {name: names}."""
    names, classes = set(), {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
            classes[node.name] = declared(node.body)[0]
        elif isinstance(node, ast.ImportFrom):  # `import x as x` hands x on
            names.update(alias.name for alias in node.names if alias.asname == alias.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If):  # a version test: both branches count
            for branch in (node.body, node.orelse):
                more, more_classes = declared(branch)
                names |= more
                classes.update(more_classes)
    return names, classes


def public(thing):
    return {
        name for name in dir(thing) if not name.startswith("_") and not keyword.iskeyword(name) and hasattr(thing, name)
    }


def foreign(thing, name):
    """Whether a name is only a module that the package itself imports."""
    value = getattr(thing, name)
    return isinstance(value, types.ModuleType) and not value.__name__.startswith("hwaro")


def compare(label, stub, names, runtime, complete):
    """Lines about what stands in only one of the two."""
    for name in sorted(names):
        if not name.startswith("_") and not hasattr(runtime, name):
            yield f"{stub}: declares {label}{name}, which does not exist"
    for name in sorted(complete - names):
        yield f"{stub}: lacks {label}{name}"


def main(build):
    tree = pathlib.Path(build, "python").resolve()
    sys.path.insert(0, str(tree))
    stubs = sorted(tree.joinpath("hwaro").rglob("*.pyi"))
    problems = [] if stubs else [f"no stubs below {build}/python/hwaro"]
    for path in stubs:
        stub = path.relative_to(tree).as_posix()
        module = importlib.import_module(stub.removesuffix(".pyi").removesuffix("/__init__").replace("/", "."))
        names, classes = declared(ast.parse(path.read_text(encoding="utf-8")).body)
        complete = {name for name in public(module) if not foreign(module, name)}
        problems += compare("", stub, names, module, complete)
        for name, members in classes.items():
            cls = getattr(module, name, None)
            if isinstance(cls, type):
                complete = public(cls) - public(object) if name == "Tensor" else set()
                problems += compare(name + ".", stub, members, cls, complete)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"check_stubs: {len(stubs)} stubs, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    sys.exit(main(sys.argv[1]))
