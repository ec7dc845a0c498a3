"""An example call for every operator: written in examples.toml, or found from the names and types of its arguments.

What is found is run, so an example on a page is one that works.
"""

import itertools
import pathlib
import tomllib

VALUES = "torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])"
# Tensors to try, best known first, by the name of the argument; the others are tried with OTHERS.
TENSORS = {
    "self": [
        VALUES,
        "torch.tensor([[6, 3, 5], [4, 1, 2]])",
        "torch.tensor([0.2, 0.5, 0.9])",
        "torch.tensor([[True, False, True], [False, False, True]])",
        "torch.tensor([3, 1, 2])",
        "torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])",
        "torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
        "torch.tensor([1 + 2j, 3 - 1j])",
        "torch.arange(16.0).reshape(1, 1, 4, 4)",
        "torch.arange(8.0).reshape(1, 2, 4)",
        "torch.tensor(2.5)",
    ],
    "other": [
        "torch.tensor([2.0, 0.5, -1.0])",
        VALUES,
        "torch.tensor([2, 3, 4])",
        "torch.tensor([True, True, False])",
        "torch.tensor([[1.0, 0.0], [2.0, 1.0]])",
    ],
    "index": ["torch.tensor([[0, 1, 1]])", "torch.tensor([1, 0])", "torch.tensor([0])"],
    "mask": ["torch.tensor([True, False, True])"],
    "weight": ["torch.ones(3)", "torch.ones(1, 1, 2, 2)", "torch.ones(2, 3)", "torch.ones(1, 2, 2)"],
    "target": [VALUES, "torch.tensor([1, 0])", "torch.tensor([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])"],
}
TENSORS["input"] = TENSORS["self"]
OTHERS = [*TENSORS["other"], "torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.5, -1.0]])", "torch.tensor([1.0, 2.0])"]
NUMBERS = {
    "dim": ["0", "1"],
    "dim0": ["0"],
    "dim1": ["1"],
    "size": ["(2, 3)", "(3, 2)", "(6,)"],
    "shape": ["(3, 2)"],
    "k": ["1", "2"],
    "p": ["2.0", "0.5"],
    "start": ["0"],
    "end": ["4", "1"],
    "length": ["2", "1"],
    "dims": ["(0,)", "(1, 0)"],
    "n": ["3"],
    "low": ["0"],
    "high": ["10"],
    "kernel_size": ["2"],
    "output_size": ["2", "(2, 2)"],
    "source": ["0"],
    "destination": ["1"],
    "repeats": ["(1, 2)", "2"],
    "q": ["0.5"],
    "fill_value": ["7.0"],
    "value": ["9.0"],
    "reduce": ["'sum'", "'amax'"],
    "equation": ["'ij->ji'"],
}
BY_TYPE = {"int": ["1", "2", "0"], "float": ["0.5"], "Scalar": ["2", "0.5"], "bool": ["True"], "str": ["'mean'"]}
MAX_TRIES = 160


def written():
    """name -> {"set": lines before, "call": an expression} from examples.toml."""
    return tomllib.loads((pathlib.Path(__file__).parent / "examples.toml").read_text(encoding="utf-8"))


def choices(arg):
    if arg.type == "Tensor":
        found = TENSORS.get(arg.name, OTHERS)
        return [f"[{v}, {v}]" for v in found[:4]] if arg.list else found
    if arg.list:
        return NUMBERS.get(arg.name, ["(0, 1)", "(2, 2)", "(1,)", "2"])
    return NUMBERS.get(arg.name, BY_TYPE.get(arg.type, []))


def needed(op):
    return [a for a in op.args if not a.default and not a.optional]


def candidates(op, spelling):
    """(lines before, expression) to try for one overload."""
    args = needed(op)
    lists = [choices(a) for a in args]
    tries = itertools.islice(itertools.product(*lists), MAX_TRIES) if all(lists) else ()
    names = {a.name: {"self": "x", "input": "x", "other": "y"}.get(a.name, a.name) for a in args}
    for values in tries:
        lines, words = [], []
        for arg, value in zip(args, values):
            if arg.type == "Tensor":
                lines.append(f"{names[arg.name]} = {value}")
                value = names[arg.name]
            words.append(f"{arg.name}={value}" if arg.keyword_only else value)
        if spelling.startswith("Tensor."):
            first, *words = words or ["x"]
            yield lines, f"{first}.{spelling.removeprefix('Tensor.')}({', '.join(words)})"
        else:
            yield lines, f"{spelling}({', '.join(words)})"


def runs(torch, lines, expression):
    """The variables and the value, or None where it raises."""
    torch.manual_seed(0)
    scope = {"torch": torch}
    try:
        for line in lines:
            exec(line, scope)
        return scope, eval(expression, scope)
    except Exception:  # noqa: BLE001  (a try that fails is no example)
        return None


def example(torch, name, overloads, spelling, table):
    """(lines before, expression) that run, or None."""
    if name in table:
        entry = table[name]
        found = entry.get("set", []), entry["call"]
        if runs(torch, *found) is None:
            raise SystemExit(f"docs: the example of {name} in examples.toml does not run")
        return found
    for op in overloads:
        for found in candidates(op, spelling):
            if runs(torch, *found) is not None:
                return found
    return None
