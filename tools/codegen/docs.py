"""Writes the reference pages: `python docs.py TREE FOLDER`, where TREE/hwaro/_C*.so lies.

One page for each folder of hwaro/ops, with every operator of its families that a user can call: schema, sentence, and
under which names Python and C++ offer it. The file says where the code is.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
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


def spellings(op, entry):
    """The names under which Python offers an operator."""
    expose, names = entry["expose"], []
    if expose & FUNCTION:
        home, name = "torch.", op.name
        for prefix, module in PREFIXES.items():
            if op.name.startswith(prefix):
                home, name = module, op.name.removeprefix(prefix)
        names.append(f"`{home}{name}`" + (" (with `out=`)" if expose & OUT else ""))
    if expose & METHOD:
        names.append(f"`Tensor.{op.name}`")
    if expose & NN:
        names.append(f"`torch.nn.functional.{op.name}`")
    if entry["pointwise"] and expose & INPLACE and expose & METHOD and not op.name.endswith("_"):
        names.append(f"`Tensor.{op.name}_`")
    return names


def page(title, families, entries):
    lines = [f"# {title}", ""]
    for family in families:
        known = [(op, entries[op.schema]) for op in family.ops if op.schema in entries]
        by_name = {}
        for op, entry in known:
            if spellings(op, entry):
                by_name.setdefault(op.name, []).append((op, entry))
        for name, overloads in sorted(by_name.items()):
            docs = list(dict.fromkeys(op.doc for op, _ in overloads))
            names = dict.fromkeys(s for op, entry in overloads for s in spellings(op, entry))
            lines += [f"## {name}", "", " ".join(docs), "", "```text"]
            lines += [op.schema for op, _ in overloads]
            lines += ["```", "", ", ".join(names) + f"; `{family.path}`", ""]
    return "\n".join(lines)


def main():
    tree, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    sys.path.insert(0, str(tree))
    from hwaro import _C

    entries = {entry["schema"]: entry for entry in _C._operators()}
    folders = {}
    for family in scan.scan(pathlib.Path(__file__).resolve().parents[2]):
        folders.setdefault(pathlib.Path(family.path).parent.name, []).append(family)
    target.mkdir(parents=True, exist_ok=True)
    index = ["# Operators", "", "Generated from the schemas of the operators.", ""]
    for folder in sorted(folders, key=lambda f: list(TITLES).index(f) if f in TITLES else len(TITLES)):
        title = TITLES.get(folder, folder.capitalize())
        text = page(title, folders[folder], entries)
        file = "indexing.md" if folder == "index" else f"{folder}.md"
        (target / file).write_text(text, encoding="utf-8")
        names = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
        index.append(f"- [{title}]({file}): " + ", ".join(f"`{name}`" for name in names))
    (target / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")
    print(f"docs: {len(folders)} reference pages")


if __name__ == "__main__":
    main()
