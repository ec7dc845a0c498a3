"""Is a difference more than a program's own amplification of roundings?

The program runs again with PyTorch while every result of a rounding step is off by a few units in the last place. Where
those runs part as much as Hwaro and PyTorch do, the difference says nothing; where an integer, a shape or an error
depends on such noise, neither.
"""

import random

import numpy as np
import torch

from picker import suits
from program import TOLERANCE, compare, finite_bound, run

EPS = {torch.float16: 1e-3, torch.bfloat16: 8e-3, torch.float32: 1e-6, torch.float64: 1e-14}
EPS.update({torch.complex64: EPS[torch.float32], torch.complex128: EPS[torch.float64]})
RUNS = 5


def shaken(tensor, rng, differences=False):
    """Adds noise behind autograd's back: neither versions nor graphs change. differences: the numbers may be small
    differences of large ones, so that the noise is as large for all of them."""
    eps = EPS.get(tensor.dtype)
    if eps is None or not tensor.numel() or 0 in tensor.stride():
        return
    with torch.no_grad():
        plain = tensor.data
        if tensor.is_inference():
            return
        factors = [1 + eps * rng.choice((-1, 0, 1)) * rng.random() for _ in range(plain.numel())]
        if differences:
            sizes = plain.abs().to(torch.float64)
            largest = finite_bound(sizes.numpy())
            scales = [largest / size if 0 < size < largest else 1 for size in sizes.flatten().tolist()]
            factors = [1 + (factor - 1) * scale for factor, scale in zip(factors, scales)]
        real = {torch.complex64: torch.float32, torch.complex128: torch.float64}.get(tensor.dtype, tensor.dtype)
        if real != tensor.dtype:  # their parts for themselves: neither is small to the other's rounding
            turns = torch.tensor([eps * rng.choice((-1, 0, 1)) * rng.random() for _ in factors], dtype=torch.float64)
            plain.mul_(torch.complex(torch.tensor(factors, dtype=torch.float64), turns).to(plain).reshape(plain.shape))
            return
        plain.mul_(torch.tensor(factors, dtype=torch.float64).to(real).reshape(plain.shape))


def noise(seed):
    rng = random.Random(seed)

    def after(env, step, new):
        if not step.rounds:
            return
        for name in new:
            values = env[name] if isinstance(env[name], (list, tuple)) else [env[name]]
            for value in values:
                if isinstance(value, torch.Tensor) and not value._is_view():
                    shaken(value, rng, "autograd.grad(" in step.text)
        if "backward" in step.text:
            for value in list(env.values()):
                if isinstance(value, torch.Tensor) and suits(value, lambda t: t.is_leaf and t.grad is not None):
                    shaken(value.grad, rng, True)

    return after


def numbers(trace):
    """Every list of numbers in a trace: {(step, name): array}."""
    out = {}

    def visit(shot, key):
        if shot[0] in ("list", "tuple", "dict"):
            for i, part in enumerate(shot[1]):
                visit(part[1] if shot[0] == "dict" else part, (key[0], f"{key[1]}[{i}]"))
        elif shot[0] == "tensor":
            out[key] = np.asarray(shot[10])
            if shot[11] is not None:
                visit(shot[11], (key[0], key[1] + ".grad"))
        elif shot[0] == "array":
            out[key] = np.asarray(shot[4])
        elif shot[0] in ("float", "complex"):
            out[key] = np.asarray(shot[1])

    for i, (_, new) in enumerate(trace.steps):
        for name, shot in new.items():
            visit(shot, (i, name))
    for name, shot in trace.final[0].items():
        visit(shot, (None, name))
    return out


def kinds(trace):
    return {shot[1] for _, new in trace.steps for shot in new.values() if shot[0] == "tensor"}


def explains(steps, ours, theirs):
    """None where noise explains how two traces part, else the difference that it leaves."""
    base, spread = numbers(theirs), {}
    # The least exact type that occurs: a float32 on the way decides what a float64 is worth.
    worst = max((TOLERANCE.get(kind, 0.0) for kind in kinds(theirs)), default=0.0)
    for seed in range(RUNS):
        shaky = run(torch, steps, noise(seed))
        found = compare(shaky, theirs, allowed=lambda step, name: float("inf"))
        if found:
            return None  # an integer, an error or a NaN depends on roundings
        for key, values in numbers(shaky).items():
            if values.dtype.kind in "fc" and values.shape == base[key].shape:
                with np.errstate(all="ignore"):
                    spread[key] = max(spread.get(key, 0.0), finite_bound(values - base[key]))

    def allowance(step, name):
        size = finite_bound(base[step, name]) if (step, name) in base and base[step, name].dtype.kind in "fc" else 0.0
        return 20 * spread.get((step, name), 0.0) + worst * size

    return compare(ours, theirs, allowed=allowance)
