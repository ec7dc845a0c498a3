"""Makes a failing program small: fewer steps, fewer lines, smaller numbers, simpler expressions."""

import ast
import copy

import noise
from program import Step, compare, run

LIMIT = 1500  # runs of a candidate


def part(steps, exact, ours, theirs, judge=True):
    """How a program's runs part, noise taken into account."""
    our, their = run(ours, steps), run(theirs, steps)
    found = compare(our, their, exact)
    if found and found.rounding and judge:
        return noise.explains(steps, our, their)
    return found


class Shrinker:
    def __init__(self, steps, exact, wanted, ours, theirs):
        self.steps, self.exact, self.wanted, self.libs = steps, exact, wanted, (ours, theirs)
        self.left = LIMIT

    def fails(self, steps):
        if self.left <= 0:
            return False
        self.left -= 1
        return self.wanted.same_kind(part(steps, self.exact, *self.libs))

    def drop_steps(self):
        size = max(len(self.steps) // 2, 1)
        while size:
            at = 0
            while at < len(self.steps):
                fewer = self.steps[:at] + self.steps[at + size :]
                if fewer and self.fails(fewer):
                    self.steps = fewer
                else:
                    at += size
            size //= 2

    def rewrite(self):
        """Tries smaller texts for every step; True where one was found."""
        better = False
        for at in range(len(self.steps)):
            again = True
            while again and self.left > 0:
                again = False
                for text in simpler(self.steps[at].text):
                    step = attempt(text, self.steps[at])
                    if step and self.fails([*self.steps[:at], step, *self.steps[at + 1 :]]):
                        self.steps = [*self.steps[:at], step, *self.steps[at + 1 :]]
                        again = better = True
                        break
        return better

    def shrink(self):
        self.drop_steps()
        while self.left > 0 and self.rewrite():
            self.drop_steps()
        return self.steps


def attempt(text, step):
    try:
        return Step(text, step.kind, step.rounds)
    except (SyntaxError, ValueError):
        return None


def simpler(text):
    """Texts that are a little simpler, the boldest first."""
    tree = ast.parse(text)
    seen, out = {ast.unparse(tree)}, []

    def offer(change):
        new = change()
        try:
            new = ast.unparse(ast.fix_missing_locations(new))
        except Exception:
            return
        if new not in seen and len(new) <= len(text) + 2:
            seen.add(new)
            out.append(new)

    nodes = list(ast.walk(tree))
    for i, node in enumerate(nodes):

        def replaced(value, i=i):
            twin = copy.deepcopy(tree)
            target = list(ast.walk(twin))[i]
            return Replace(target, value).visit(twin)

        if isinstance(node, ast.With):  # the body alone
            offer(lambda node=node, i=i: replaced(node.body))
        elif isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
            for k in range(len(node.elts)):
                offer(lambda node=node, k=k: replaced(type(node)(node.elts[:k] + node.elts[k + 1 :], ast.Load())))
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and not (
                isinstance(node.func.value, ast.Name) and node.func.value.id in ("torch", "F", "np")
            ):
                offer(lambda node=node: replaced(node.func.value))
            for k in range(len(node.keywords)):
                offer(
                    lambda node=node, k=k: replaced(
                        ast.Call(node.func, node.args, node.keywords[:k] + node.keywords[k + 1 :])
                    )
                )
            for k in range(len(node.args)):
                offer(
                    lambda node=node, k=k: replaced(
                        ast.Call(node.func, node.args[:k] + node.args[k + 1 :], node.keywords)
                    )
                )
        elif isinstance(node, ast.BinOp):
            offer(lambda node=node: replaced(node.left))
            offer(lambda node=node: replaced(node.right))
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            offer(lambda node=node: replaced(node.value))
        elif isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1:
            for smaller in dict.fromkeys((1, 2, node.value // 2, node.value - 1)):
                if smaller < node.value:
                    offer(lambda smaller=smaller: replaced(ast.Constant(smaller)))
    return out


class Replace(ast.NodeTransformer):
    def __init__(self, target, value):
        self.target, self.value = target, value

    def visit(self, node):
        return self.value if node is self.target else super().visit(node)
