"""One seed: makes the program, runs it with both libraries, and says how they part."""

import re

import hwaro
import torch

import noise
from batch import Finding
from deviations import deviation
from generate import generate
from program import compare, run, to_source

torch.set_num_threads(1)


def judge(seed, counts, generated=lambda: None):
    program = generate(seed)
    generated()
    counts["steps"] += len(program.steps)
    counts["errors"] += sum(error is not None for error, _ in program.trace.steps)
    ours = run(hwaro, program.steps)
    found = compare(ours, program.trace, program.exact)
    if found and found.rounding:
        found = noise.explains(program.steps, ours, program.trace)
        if found is None:
            counts["explained by noise"] += 1
    if found is None:
        return None
    listed = deviation(found, program.steps, program.trace)
    if listed:
        counts[f"deviation: {listed}"] += 1
        return None
    kind = program.steps[found.step].kind if found.step is not None else "end"
    return Finding(seed, found.category, str(found), to_source(program.steps), program.exact, kind)


def signature(finding):
    """What findings of one cause mostly have in common."""
    text = re.sub(r"\b[a-z]\d*\b(?=[ .\[(])", "v", finding.text, count=0)
    if finding.kind != "error":
        return f"{finding.kind} {finding.step_kind}"
    return re.sub(r"\d+", "0", re.sub(r"step \d+", "", text))[:160]
