"""The cells: kinds of check over all samples of an entry. Each is "ok", "none: …" where PyTorch has nothing to compare with,
"skip: …" where nothing could be carried to Hwaro or back, or what differs."""

import collections
import random

import hwaro
import numpy
import torch

from allowances import (
    EIGENVECTORS,
    NOT_EXPANDED,
    ROUNDED_BY_STEPS,
    STRIDED_OUT,
    TIES,
    UNINITIALISED,
    WIDENED,
    scale_of,
    untied,
)
from carry import DTYPES, NotCarried, difference, error_of, flat_tensors, shown, stride_difference, to_hwaro, to_torch
from deviations import allowed
from layouts import LAYOUTS, laid_out
from translate import is_missing, translate

MAIN_TYPES = (torch.float32, torch.int64, torch.bool, torch.complex64)
OTHER_TYPES = (
    torch.float64,
    torch.complex128,
    torch.float16,
    torch.bfloat16,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
)


THREADS = (1, 2, 3, 8)


class Missing(Exception):
    """Hwaro has no callable for the entry."""


class Cell:
    """Gathers how many samples agree, the first that does not, and why others were left out."""

    def __init__(self):
        self.seen = self.wrong = 0
        self.first = None
        self.skipped = collections.Counter()

    def add(self, found, call):
        self.seen += 1
        if found:
            self.wrong += 1
            self.first = self.first or f"{found} in {call}"

    def skip(self, reason):
        self.skipped[str(reason)] += 1

    def __str__(self):
        if self.wrong:
            return f"{self.wrong} of {self.seen}: {self.first}"
        if self.seen:
            return "ok"
        return f"skip: {next(iter(self.skipped))}" if self.skipped else "none: no samples"


def seed_all():
    torch.manual_seed(0)
    hwaro.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)


def converted(value, types):
    """A sample's value with tensors of some types in others, and what depends on them in the graph."""
    if isinstance(value, torch.Tensor):
        return value.detach().to(types[value.dtype]).requires_grad_(value.requires_grad) if value.dtype in types else value
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(converted(v, types) for v in value)
    return {k: converted(v, types) for k, v in value.items()} if isinstance(value, dict) else value


def widened(sample):
    types = {torch.float32: torch.float64}
    sample.args, sample.kwargs = converted(sample.args, types), converted(sample.kwargs, types)
    return sample


def samples(entry, dtype, limit, grad=False):
    """PyTorch's samples, the same ones in every run."""
    seed_all()
    for i, sample in enumerate(entry.sample_inputs("cpu", dtype, requires_grad=grad)):
        if i >= limit:
            return
        yield widened(sample) if entry.name in WIDENED and dtype is torch.float64 else sample


def call_text(sample):
    words = [shown(v) for v in (sample.input, *sample.args)] + [f"{k}={shown(v)}" for k, v in sample.kwargs.items()]
    return f"({', '.join(words)})"[:160]


def carried(sample):
    storages = {}
    return tuple(to_hwaro(v, storages) for v in (sample.input, sample.args, sample.kwargs))


def call(function, sample):
    seed_all()
    return function(sample[0], *sample[1], **sample[2])


def parts_of(sample):
    return sample.input, sample.args, sample.kwargs


def aliases(results, inputs):
    """For each result the first input on the same storage, and whether it is the same object."""
    at = [t.untyped_storage().data_ptr() if t.numel() else None for t in inputs]
    out = []
    for t in results:
        same = [
            i
            for i, where in enumerate(at)
            if where is not None and t.numel() and t.untyped_storage().data_ptr() == where
        ]
        out.append((same[0], any(t is inputs[i] for i in same)) if same else None)
    return out


def check_carried(theirs):
    for t in flat_tensors(theirs):
        if t.layout != torch.strided or t.dtype not in DTYPES:
            raise NotCarried(f"a result of {t.dtype}, {t.layout}")


def reference(entry, parts):
    """PyTorch's result, and where it rounds between the steps that of float32 instead."""
    result = call(entry.op, parts)
    halves = {t.dtype for t in flat_tensors(list(parts))} & {torch.float16, torch.bfloat16}
    if entry.name not in ROUNDED_BY_STEPS or not halves:
        return result
    exact = call(entry.op, converted(parts, dict.fromkeys(halves, torch.float32)))
    return result.copy_(exact)


def compare_sample(entry, function, parts, cells, value_cell):
    """One call on both sides. parts: PyTorch's input, args, kwargs. cells: {name: Cell}."""
    text = call_text(type("Sample", (), dict(zip(("input", "args", "kwargs"), parts))))
    try:
        storages = {}
        ours_in = tuple(to_hwaro(v, storages) for v in parts)
        error, theirs = error_of(lambda: reference(entry, parts))
        if error:
            return
        try:
            ours = call(function, ours_in)
        except Exception as caught:  # noqa: BLE001
            if is_missing(caught):
                raise Missing(str(caught)) from caught
            check_carried(theirs)
            cells[value_cell].add(
                f"{type(caught).__name__}: {str(caught).splitlines()[0] if str(caught) else ''}", text
            )
            return
        check_carried(theirs)
        name = entry.name
        found = difference(
            untied(entry, ours_in, ours),
            untied(entry, parts, theirs),
            values=name not in UNINITIALISED,
            scale=scale_of(entry, parts),
        )
    except NotCarried as reason:
        for name in {value_cell, "strides", "alias"}:
            cells[name].skip(f"{reason} is not carried")
        return
    cells[value_cell].add(found, text)
    if found:
        return
    cells["strides"].add(stride_difference(ours, theirs), text)
    theirs_alias = aliases([t for t in flat_tensors(theirs)], flat_tensors(list(parts)))
    ours_alias = aliases([t for t in flat_tensors(ours)], flat_tensors(list(ours_in)))
    cells["alias"].add(None if ours_alias == theirs_alias else f"shares {ours_alias} instead of {theirs_alias}", text)


def run_values(entry, function):
    cells = {name: Cell() for name in ("value", "types", "layouts", "strides", "alias")}
    for dtype in (*MAIN_TYPES, *OTHER_TYPES):
        if dtype not in entry.dtypes:
            continue
        main = dtype in MAIN_TYPES
        for sample in samples(entry, dtype, 40 if main else 8):
            compare_sample(entry, function, parts_of(sample), cells, "value" if main else "types")
    for dtype in (torch.float32, torch.int64):
        if dtype not in entry.dtypes:
            continue
        for sample in samples(entry, dtype, 8 if dtype is torch.float32 else 3):
            for name, layout in LAYOUTS.items():
                if name == "expanded" and entry.name in NOT_EXPANDED:
                    continue
                parts, changed = laid_out(parts_of(sample), layout)
                if changed:
                    compare_sample(entry, function, parts, cells, "layouts")
    return cells


def run_threads(entry, function):
    """Run with HWARO_GRAIN=1: PyTorch's values, and the same bits with 1, 2, 3 and 8 threads."""
    cell = Cell()
    for dtype in MAIN_TYPES:
        if dtype not in entry.dtypes:
            continue
        for sample in samples(entry, dtype, 12):
            text = call_text(sample)
            try:
                inputs = [carried(sample) for _ in THREADS]
                error, theirs = error_of(lambda sample=sample: call(entry.op, parts_of(sample)))
                if error:
                    continue
                results = []
                for threads, parts in zip(THREADS, inputs):
                    hwaro.set_num_threads(threads)
                    error, result = error_of(lambda parts=parts: call(function, parts))
                    if error:
                        break
                    results.append(result)
                if error:
                    cell.add(f"{error[0]}: {error[1]}", text)
                    continue
                filled = entry.name not in UNINITIALISED
                found = difference(
                    untied(entry, inputs[0], results[0]),
                    untied(entry, parts_of(sample), theirs),
                    values=filled,
                    scale=scale_of(entry, parts_of(sample)),
                )
                bits = [
                    [
                        to_torch(t).numpy().tobytes()
                        if str(t.dtype) != "torch.bfloat16"
                        else to_torch(t).view(torch.int16).numpy().tobytes()
                        for t in flat_tensors(r)
                    ]
                    for r in results
                ]
            except NotCarried as reason:
                cell.skip(f"{reason} is not carried")
                continue
            other = [n for n, b in zip(THREADS, bits) if b != bits[0]] if filled else []
            cell.add(found or (f"other bits with {other} threads than with 1" if other else None), text)
    return {"threads": cell}


def run_inplace(entry, function):
    cell = Cell()
    variant = entry.inplace_variant
    ours_variant = variant and translate(variant)
    if variant is None or ours_variant is None:
        return {
            "inplace": "none: no in-place variant" if variant is None else f"no {getattr(variant, '__name__', variant)}"
        }
    for dtype in (torch.float32, torch.int64):
        if dtype not in entry.dtypes:
            continue
        for sample in samples(entry, dtype, 12):
            text = call_text(sample)
            try:
                target = sample.input.clone()
                sample.input = target
                ours_in = carried(sample)
                expected, theirs = error_of(lambda sample=sample: call(variant, parts_of(sample)))
                got, ours = error_of(lambda ours_in=ours_in: call(ours_variant, ours_in))
                if expected or got:
                    cell.add(
                        None if expected == got else f"{got or 'no error'} instead of {expected or 'a result'}", text
                    )
                    continue
                same = (ours is ours_in[0]) == (theirs is target)
                cell.add(
                    difference(ours_in[0], target, scale=scale_of(entry, parts_of(sample)))
                    or (None if same else "another object is returned"),
                    text,
                )
            except NotCarried as reason:
                cell.skip(f"{reason} is not carried")
    return {"inplace": cell}


def outs_for(theirs):
    """Kinds of out= for results like theirs: {kind: tensors}."""
    results = flat_tensors(theirs)
    other = torch.int64 if results[0].dtype != torch.int64 else torch.float32
    return {
        "right": [torch.zeros_like(t) for t in results],
        "sliced": [
            torch.zeros((*t.shape[:-1], 2 * t.shape[-1] + 1), dtype=t.dtype)[..., 1::2]
            if t.dim()
            else torch.zeros_like(t)
            for t in results
        ],
        "empty": [torch.empty(0, dtype=t.dtype) for t in results],
        "other type": [torch.zeros_like(t, dtype=other) for t in results],
    }


def run_out(entry, function):
    cells = {"out": Cell(), "out_type": Cell()}
    if not entry.supports_out:
        return dict.fromkeys(cells, "none: no out=")
    dtype = next((d for d in MAIN_TYPES if d in entry.dtypes), None)
    for sample in samples(entry, dtype, 4) if dtype else ():
        try:
            error, theirs = error_of(lambda sample=sample: call(entry.op, parts_of(sample)))
            if error or not flat_tensors(theirs) or not isinstance(theirs, (torch.Tensor, tuple)):
                continue
            for kind, outs in outs_for(theirs).items():
                text, cell = f"{call_text(sample)}, out: {kind}", cells["out_type" if kind == "other type" else "out"]
                ours_in, ours_outs = carried(sample), to_hwaro(outs)
                ours_before = [t.untyped_storage().data_ptr() for t in ours_outs]
                before = [t.untyped_storage().data_ptr() for t in outs]
                pack = (lambda o: tuple(o)) if isinstance(theirs, tuple) else (lambda o: o[0])
                with_out = {**sample.kwargs, "out": pack(outs)}
                expected, _ = error_of(lambda: call(entry.op, (sample.input, sample.args, with_out)))
                got, _ = error_of(
                    lambda: call(function, (ours_in[0], ours_in[1], {**ours_in[2], "out": pack(ours_outs)}))
                )
                if expected or got:
                    cell.add(
                        None if expected == got else f"{got or 'no error'} instead of {expected or 'a result'}", text
                    )
                    continue
                kept = [a == t.untyped_storage().data_ptr() for a, t in zip(before, outs)]
                ours_kept = [a == t.untyped_storage().data_ptr() for a, t in zip(ours_before, ours_outs)]
                untied_outs = (lambda o: untied(entry, parts_of(sample), o)) if entry.name in EIGENVECTORS else list
                kept_values = entry.name not in UNINITIALISED and (entry.name not in TIES or len(outs) == 1)
                found = difference(
                    untied_outs(ours_outs) if kept_values else ours_outs[:1],
                    flat_tensors(theirs)
                    if entry.name in STRIDED_OUT and kind == "sliced"
                    else untied_outs(outs)
                    if kept_values
                    else outs[:1],
                    values=entry.name not in UNINITIALISED,
                    scale=scale_of(entry, parts_of(sample)),
                ) or stride_difference(ours_outs, outs)
                cell.add(
                    found or (None if kind == "empty" or kept == ours_kept else "memory of out was replaced"), text
                )
        except NotCarried as reason:
            for cell in cells.values():
                cell.skip(f"{reason} is not carried")
    return cells


def run_errors(entry, function):
    cell = Cell()
    if entry.error_inputs_func is None:
        return {"errors": "none: no error inputs"}
    seed_all()
    for case in entry.error_inputs("cpu"):
        sample = case.sample_input
        try:
            ours = carried(sample)
        except (NotCarried, AttributeError, TypeError) as reason:
            cell.skip(f"{reason} is not carried")
            continue
        expected, _ = error_of(lambda sample=sample: call(entry.op, parts_of(sample)))
        if expected is None:
            continue
        got, _ = error_of(lambda ours=ours: call(function, ours))
        same = got == expected or allowed(entry.full_name, got, expected)
        cell.add(None if same else f"{got or 'no error'} instead of {expected}", call_text(sample))
    return {"errors": cell}
