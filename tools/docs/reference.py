"""Writes the reference pages: `python reference.py TREE FOLDER`, where TREE/hwaro/_C*.so lies.

One page for each operator that a user can call: signatures for Python and C++, what it computes, an example with its
output, the types it takes, and what mistakes raise. Signatures and sentences come from the operator's struct; the rest
is found by running the operator, so a page cannot say what is not so.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "codegen"), str(HERE)]
import examples  # noqa: E402
import scan  # noqa: E402

FUNCTION, METHOD, NN, INPLACE, OUT = 1, 2, 4, 8, 16
PREFIXES = {"linalg_": "torch.linalg.", "special_": "torch.special.", "fft_": "torch.fft."}
TITLES = {
    "pointwise": "Pointwise operators",
    "reduce": "Reductions and scans",
    "shape": "Shapes and views",
    "index": "Indexing",
    "create": "Creation",
    "random": "Random numbers",
    "sort": "Sorting and searching",
    "linalg": "Products and linear algebra",
    "nn": "Networks",
}
TYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


def spellings(op, entry):
    """The names under which Python offers an operator."""
    expose, names = entry["expose"], []
    if expose & FUNCTION:
        home, name = "torch.", op.name
        for prefix, module in PREFIXES.items():
            if op.name.startswith(prefix):
                home, name = module, op.name.removeprefix(prefix)
        names.append(home + name)
    if expose & METHOD:
        names.append(f"Tensor.{op.name}")
    if expose & NN:
        names.append(f"torch.nn.functional.{op.name}")
    if entry["pointwise"] and expose & INPLACE and expose & METHOD and not op.name.endswith("_"):
        names.append(f"Tensor.{op.name}_")
    return names


def reachable(torch, spelling):
    value = torch
    for part in spelling.removeprefix("torch.").split("."):
        value = getattr(value, part, None)
    return value is not None


def declarations(tree, name):
    """What C++ declares under a name: free functions and methods."""
    found = []
    for header, owner in (("functions.h", "hwaro::"), ("tensor_methods.h", "Tensor::")):
        path = tree.parent / "generated" / "hwaro" / header
        pattern = re.compile(rf"^(?!//)[^(]*?\b({re.escape(name)})\(.*;$", re.M)
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            line = match.group(0)
            start = match.start(1) - match.start(0)
            found.append(line[:start] + owner + line[start:])
    return found


def shown(value):
    return "" if value is None else repr(value)


def session(torch, lines, expression):
    """The example as at the interpreter's prompt."""
    _, value = examples.runs(torch, lines, expression)
    return [">>> " + line for line in [*lines, expression]] + [line for line in shown(value).splitlines()]


def complaint(torch, lines, expression):
    scope = {"torch": torch}
    try:
        for line in lines:
            exec(line, scope)
        eval(expression, scope)
    except Exception as error:  # noqa: BLE001  (what is raised is what the page shows)
        text = str(error).splitlines()
        return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return None


def types_of(torch, lines, expression):
    """Types that the example runs with: those of its first tensor and of the others that have the type of that."""
    scope, _ = examples.runs(torch, lines, expression)
    values = {line: scope.get(line.split(" = ")[0]) for line in lines}
    tensors = {line: value.dtype for line, value in values.items() if isinstance(value, torch.Tensor)}
    first = next(iter(tensors.values()), None)
    if first is None:
        return [], None
    good, first_bad = [], None
    for kind in TYPES:
        cast = [f"{line}.to(torch.{kind})" if tensors.get(line) == first else line for line in lines]
        found = complaint(torch, cast, expression)
        if found is None:
            good.append(kind)
        elif first_bad is None:
            first_bad = found
    return good, first_bad


def mistakes(torch, lines, expression):
    """What some usual mistakes raise: {message: what was done}."""
    found = {}

    def note(text, what):
        if text:
            found.setdefault(text, what)

    first = lines[0].split(" = ")[0] if lines else None
    if first and f"({first}" in expression:
        note(complaint(torch, [f"{first} = [1.0, 2.0]", *lines[1:]], expression), f"a list as `{first}`")
    if len(lines) > 1:
        last = lines[-1].split(" = ")[0]
        other = f"{last} = torch.ones(7, 5).to({last}.dtype)"
        note(complaint(torch, [*lines, other], expression), f"`{last}` of shape (7, 5)")
    if re.search(r"\b(dim|0|1)\)$", expression) and lines:
        note(complaint(torch, lines, re.sub(r"\b[01]\)$", "9)", expression)), "9 in place of the last number")
    if expression.endswith(")"):
        comma = "" if expression.endswith("()") else ", "
        note(complaint(torch, lines, f"{expression[:-1]}{comma}colour=1)"), "an unknown argument")
    return found


def page(torch, tree, name, family, overloads, entries, table, missing):
    known = [s for op in overloads for s in spellings(op, entries[op.schema])]
    names = [s for s in dict.fromkeys(known) if reachable(torch, s)]
    if not names:
        return None
    out = any(entries[op.schema]["expose"] & OUT for op in overloads)
    docs = list(dict.fromkeys(op.doc for op in overloads))
    lines = [f"# {name}", "", " ".join(docs), ""]
    lines += ["Python: " + ", ".join(f"`{s}`" for s in names) + ("; takes `out=`." if out else "."), "", "```text"]
    lines += [op.schema for op in overloads] + ["```", ""]
    declared = declarations(tree, name)
    if declared:
        lines += ["C++:", "", "```cpp", *declared, "```", ""]
    found = examples.example(torch, name, overloads, names[0], table)
    if found is None:
        missing.append(name)
    else:
        lines += ["## Example", "", "```pycon", *session(torch, *found), "```", ""]
        if found[0]:
            good, bad = types_of(torch, *found)
            if good:
                lines += ["## Types", "", "The example runs with " + ", ".join(f"`{k}`" for k in good) + "."]
                lines += [f"With others: `{bad}`", ""] if bad else [""]
        wrong = mistakes(torch, *found)
        if wrong:
            lines += ["## Errors", "", "| mistake | raises |", "| --- | --- |"]
            lines += [f"| {what} | `{text.replace('|', chr(92) + '|')}` |" for text, what in wrong.items()] + [""]
    lines += [f"Source: `{family.path}`", ""]
    return "\n".join(lines)


def grouped(families):
    """(folder, name) -> (family, overloads); `foo_` stands on the page of `foo`."""
    names = {op.name for family in families for op in family.ops}
    groups = {}
    for family in families:
        for op in family.ops:
            name = op.name
            if name.endswith("_") and name.rstrip("_") in names:
                name = name.rstrip("_")
            groups.setdefault(name, (family, []))[1].append(op)
    return groups


def main():
    tree, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    sys.path.insert(0, str(tree))
    import warnings

    import hwaro as torch
    from hwaro import _C

    warnings.simplefilter("ignore")
    entries = {entry["schema"]: entry for entry in _C._operators()}
    table, missing, index = examples.written(), [], {}
    target.mkdir(parents=True, exist_ok=True)
    families = scan.scan(HERE.parents[1])
    for name, (family, overloads) in sorted(grouped(families).items()):
        overloads = [op for op in overloads if op.schema in entries]
        text = page(torch, tree, name, family, overloads, entries, table, missing) if overloads else None
        if text is None:
            continue
        (target / f"{name}.md").write_text(text, encoding="utf-8")
        index.setdefault(pathlib.Path(family.path).parent.name, []).append((name, overloads[0].doc))
    order = sorted(index, key=lambda f: list(TITLES).index(f) if f in TITLES else len(TITLES))
    lines = ["# Operators", "", "Every operator, from its declaration; each page shows what running it gives.", ""]
    for folder in order:
        lines += [f"## {TITLES.get(folder, folder.capitalize())}", "", "| | |", "| --- | --- |"]
        lines += [f"| [{name}]({name}.md) | {doc.replace('|', chr(92) + '|')} |" for name, doc in index[folder]] + [""]
    (target / "index.md").write_text("\n".join(lines), encoding="utf-8")
    print(f"docs: {sum(map(len, index.values()))} reference pages")
    if missing:
        sys.exit(f"docs: no example runs for {', '.join(missing)}: write one in tools/docs/examples.toml")


if __name__ == "__main__":
    main()
