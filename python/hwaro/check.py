"""python -m hwaro.check SCRIPT…: lists the names of torch that programs use and Hwaro lacks, without running them.

Followed are imports, also under other names, and names bound to modules (`nn = torch.nn`). Methods of tensors are not
seen: what an object is, only running tells.
"""

import ast
import importlib
import pathlib
import sys

_USAGE = "usage: python -m hwaro.check SCRIPT_OR_FOLDER…"
_ROOTS = ("torch", "hwaro")


class _Names(ast.NodeVisitor):
    """Gathers (line, dotted name below torch) of everything that is taken from the library."""

    def __init__(self):
        self.bound = {}  # name in the program -> path below torch, "" for torch itself
        self.used = []

    def visit_Import(self, node):
        for alias in node.names:
            root, _, rest = alias.name.partition(".")
            if root not in _ROOTS:
                continue
            if rest:
                self.used.append((node.lineno, rest))
            if alias.asname:
                self.bound[alias.asname] = rest
            else:
                self.bound[root] = ""

    def visit_ImportFrom(self, node):
        root, _, rest = (node.module or "").partition(".")
        if node.level or root not in _ROOTS:
            return
        if rest:
            self.used.append((node.lineno, rest))
        for alias in node.names:
            if alias.name == "*":
                continue
            path = f"{rest}.{alias.name}" if rest else alias.name
            self.used.append((node.lineno, path))
            self.bound[alias.asname or alias.name] = path

    def path_of(self, node):
        """The path below torch that an expression names, or None."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bound:
            return None
        return ".".join(filter(None, [self.bound[node.id], *reversed(parts)]))

    def visit_Assign(self, node):
        path = self.path_of(node.value)
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if path is not None:
                    self.bound[target.id] = path
                else:
                    self.bound.pop(target.id, None)
            else:
                self.visit(target)

    def visit_Attribute(self, node):
        path = self.path_of(node)
        if path:
            self.used.append((node.lineno, path))
        else:
            self.visit(node.value)


def _exists(path):
    """How much of a path there is: True, or the part up to the first name that is missing."""
    value = importlib.import_module("hwaro")
    done = []
    for part in path.split("."):
        done.append(part)
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(".".join(["hwaro", *done]))
            except ImportError:
                # Attributes of instances (torch.float32.foo, torch.ones) are no names of the library.
                return ".".join(done) if isinstance(value, (type, type(sys))) else True
    return True


def missing_names(source, filename="<program>"):
    """[(line, name)] of what a program takes from torch and Hwaro lacks, each name once, by line."""
    found = _Names()
    found.visit(ast.parse(source, filename))
    lines = {}
    for line, path in sorted(found.used):
        there = _exists(path)
        if there is not True and "__" not in path:
            lines.setdefault("torch." + there, line)
    return [(line, name) for name, line in lines.items()]


def _files(arguments):
    for argument in map(pathlib.Path, arguments):
        yield from sorted(argument.rglob("*.py")) if argument.is_dir() else [argument]


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    from hwaro._alias import _instead

    total, files = 0, 0
    for path in _files(arguments):
        try:
            names = missing_names(path.read_bytes(), str(path))
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
            return 2
        except (SyntaxError, ValueError) as error:
            print(f"{path}: not a Python program: {error}", file=sys.stderr)
            return 2
        files += 1
        total += len(names)
        for line, name in names:
            near = _instead(name)
            print(f"{path}:{line}: {name}" + (f" (nearest: {near})" if near else ""))
    print(f"{total or 'no'} missing name{'' if total == 1 else 's'} in {files} file{'' if files == 1 else 's'}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
