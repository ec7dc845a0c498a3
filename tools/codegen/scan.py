"""Finds the operators: every struct with a `static constexpr Schema schema = "…"` under hwaro/ops.

A family is one file. Pointwise families are headers (their formulas are compiled once per instruction set); the other
kinds are .cpp files, which include what is generated for them at their end.
"""
import dataclasses
import pathlib
import re

STRUCT = re.compile(r"^struct (\w+)[^;{]*\{", re.M)
SCHEMA = re.compile(r'static constexpr Schema schema\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+);')
DOC = re.compile(r'static constexpr Doc doc\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+);')
EXPOSE = re.compile(r"static constexpr (?:unsigned|auto) expose\s*=\s*([^;]+);")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
ARG = re.compile(r"(?P<type>\w+)(?P<mark>\([^)]*\))?(?P<list>\[\d*\])?(?P<opt>\?)? (?P<name>\w+)(?:=(?P<default>.*))?$")


def literal(text):
    return "".join(LITERAL.findall(text)).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


@dataclasses.dataclass
class Arg:
    type: str
    list: bool
    list_size: int
    optional: bool
    name: str
    default: str
    keyword_only: bool


@dataclasses.dataclass
class Op:
    struct: str
    schema: str
    doc: str
    expose: str
    pointwise: bool
    numbers_for: str
    python_only: bool = False   # a signature that only makes sense for Python: no C++ function of that name
    name: str = ""
    overload: str = ""
    args: list = dataclasses.field(default_factory=list)
    returns: str = ""

    def __post_init__(self):
        head, _, rest = self.schema.partition("(")
        self.name, _, self.overload = head.partition(".")
        inner, _, self.returns = rest.rpartition(") -> ")
        depth, part, parts = 0, "", []
        for c in inner:
            depth += (c in "[(") - (c in "])")
            if c == "," and depth == 0:
                parts.append(part.strip())
                part = ""
            else:
                part += c
        if part.strip():
            parts.append(part.strip())
        keyword_only = False
        for text in parts:
            if text == "*":
                keyword_only = True
                continue
            m = ARG.match(text)
            if not m:
                raise SystemExit(f"{self.struct}: cannot parse argument {text!r} of {self.schema!r}")
            size = (m["list"] or "[]")[1:-1]
            self.args.append(Arg(m["type"], bool(m["list"]), int(size or 0), bool(m["opt"]), m["name"], m["default"], keyword_only))


@dataclasses.dataclass
class Family:
    name: str
    path: str        # from the repository root
    pointwise: bool
    namespace: str
    ops: list


def scan(root):
    root = pathlib.Path(root)
    families, aliases = [], []
    for path in sorted((root / "hwaro/ops").rglob("*")):
        if path.suffix not in (".h", ".cpp") or "kinds" in path.parts:
            continue
        text = path.read_text()
        starts = [(m.start(), m.group(1)) for m in STRUCT.finditer(text)]
        ops = []
        for (start, struct), (end, _) in zip(starts, starts[1:] + [(len(text), "")]):
            body = text[start:end]
            alias = re.search(r"AliasOf<(\w+)>", body.split("{")[0])
            schema = SCHEMA.search(body)
            if not schema:
                continue
            doc, expose = DOC.search(body), EXPOSE.search(body)
            numbers = re.search(r"\bnumbers_for\s*=\s*([^;,]+)", body)
            if not doc:
                raise SystemExit(f"{path}: operator {struct} has no doc")
            ops.append(Op(struct, literal(schema.group(1)), literal(doc.group(1)), expose.group(1) if expose else "",
                          bool(alias) or ("static constexpr auto dtypes" in body and "forward(" in body), numbers.group(1) if numbers else "",
                          "static constexpr bool python_only = true" in body))
            if alias:
                aliases.append((ops[-1], alias.group(1)))
        if ops:
            families.append(Family(path.stem, str(path.relative_to(root)), path.suffix == ".h", "hwaro::engine", ops))
    by_struct = {op.struct: op for f in families for op in f.ops}
    for op, target in aliases:
        op.numbers_for = by_struct[target].numbers_for
    names = [f.name for f in families]
    for name in names:
        if names.count(name) > 1:
            raise SystemExit(f"two operator families are called {name}")
    return sorted(families, key=lambda f: f.name)


# ---- C++ spelling of schema types ----

VALUE = {"Scalar": "Scalar", "int": "std::int64_t", "SymInt": "std::int64_t", "float": "double", "bool": "bool", "ScalarType": "DType",
         "Layout": "DType", "Device": "Device", "MemoryFormat": "MemoryFormat", "str": "std::string_view"}


OPERAND_BITS = {"kSelf": 0, "kOther": 1, "kThird": 2}


def takes_numbers(op, arg):
    """Whether a plain number may stand for this tensor of a pointwise operator."""
    return op.pointwise and op.args.index(arg) in [OPERAND_BITS[b.strip()] for b in op.numbers_for.split("|") if b.strip() in OPERAND_BITS]


def cpp_type(op, arg, public=False):
    """C++ type of a parameter; the public functions ask for a Tensor where a number has no meaning, and take a number for a list."""
    if arg.type == "Tensor":
        if arg.list:
            return "Span<Tensor>"
        return "const Operand&" if op.pointwise and (not public or takes_numbers(op, arg)) else "const Tensor&"
    if public and arg.list and arg.type in ("int", "SymInt") and (arg.list_size or arg.optional):
        return f"const {'Opt' if arg.optional else ''}IntArray<{arg.list_size or 1}>&"
    if arg.type == "Generator":
        return "Generator*"
    base = VALUE[arg.type]
    if arg.list:
        return f"std::optional<Span<{base}>>" if arg.optional else f"Span<{base}>"
    if arg.type == "Scalar":
        return "const std::optional<Scalar>&" if arg.optional else "const Scalar&"
    return f"std::optional<{base}>" if arg.optional else base


def cpp_default(op, arg):
    d = arg.default
    if d is None:
        return ""
    if d == "None":
        if arg.type == "Tensor":
            return " = Tensor()" if not op.pointwise else " = Operand()"
        return " = nullptr" if arg.type == "Generator" else " = std::nullopt"
    if d in ("True", "False"):
        return " = " + d.lower()
    if arg.type == "MemoryFormat":
        return " = MemoryFormat::" + {"contiguous_format": "Contiguous", "preserve_format": "Preserve"}[d]
    if arg.list:
        if d.startswith("["):
            return " = {" + d[1:-1] + "}"
        return " = {" + ", ".join([d] * max(arg.list_size, 1)) + "}"
    if arg.type == "str":
        return " = " + d.replace("'", '"')
    if d == "inf":
        return " = std::numeric_limits<double>::infinity()"
    return " = " + d


def cpp_return(op):
    r = op.returns
    if r.startswith("(") and r != "()":
        return "std::tuple<" + ", ".join(["Tensor"] * (r.count(",") + 1)) + ">"
    return {"Tensor": "Tensor", "Tensor[]": "std::vector<Tensor>", "bool": "bool", "int": "std::int64_t", "float": "double",
            "Scalar": "Scalar", "()": "void", "str": "std::string", "ScalarType": "DType"}[r.split("(")[0] if r != "()" else r]
