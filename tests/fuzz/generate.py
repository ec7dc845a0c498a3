"""One program from a seed. The program runs with PyTorch while it is made, so that makers know shapes and types."""

import random
import warnings

import torch

import steps_autograd
import steps_create
import steps_math
import steps_outside
import steps_views
import steps_write
from picker import Picker
from program import Runner, Step

# Themes of programs: how often each family of steps comes.
FAMILIES = (steps_create, steps_views, steps_write, steps_math, steps_autograd, steps_outside)
THEMES = (
    (3, 3, 3, 5, 4, 1),
    (2, 5, 6, 2, 2, 1),
    (2, 3, 3, 3, 7, 0.5),
    (2, 2, 3, 2, 1, 5),
    (3, 3, 2, 8, 1, 0.5),
)


def makers(theme, exact):
    out, weights = [], []
    for family, share in zip(FAMILIES, theme):
        total = sum(w for _, w, _ in family.MAKERS)
        for maker, weight, is_exact in family.MAKERS:
            if is_exact or not exact:
                out.append(maker)
                weights.append(share * weight / total)
    return out, weights


TABLES = {(i, exact): makers(theme, exact) for i, theme in enumerate(THEMES) for exact in (False, True)}
# Steps that give the same bits whoever computes them.
NOT_ROUNDING = {
    *(maker for maker, *_ in steps_views.MAKERS),
    steps_create.integers,
    steps_create.arange,
    steps_create.filled,
}


class Program:
    __slots__ = ("exact", "seed", "steps", "trace")

    def __init__(self, seed, steps, exact, trace):
        self.seed, self.steps, self.exact, self.trace = seed, steps, exact, trace


def generate(seed):
    """A program and the trace of its run with PyTorch."""
    rng = random.Random(seed)
    exact = rng.random() < 0.35
    made, weights = TABLES[rng.randrange(len(THEMES)), exact]
    length = min(5 + int(rng.expovariate(1 / 11)), 40)
    steps = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner = Runner(torch)
        picker = Picker(rng, runner.env, exact)

        def take(text, maker):
            step = Step(text, f"{maker.__module__.removeprefix('steps_')}.{maker.__name__}", maker not in NOT_ROUNDING)
            steps.append(step)
            picker.derived = picker.derived or "create_graph" in text
            runner.run(step)

        take(f"torch.manual_seed({rng.randrange(1000)})", steps_create.seed)
        for _ in range(rng.choice((1, 2, 3))):
            maker = rng.choice(
                (steps_create.arange, steps_create.filled, steps_create.integers)
                if exact
                else (steps_create.random,) * 3 + (steps_create.arange,)
            )
            take(maker(picker), maker)
        while len(steps) < length:
            maker = rng.choices(made, weights)[0]
            try:
                text = maker(picker)
            except RuntimeError:  # it asked a spoilt view
                continue
            if text:
                take(text, maker)
        trace = runner.finish()
        runner.close()
    return Program(seed, steps, exact, trace)
