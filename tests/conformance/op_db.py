"""PyTorch's own samples (op_db) on Hwaro: `python op_db.py [--only CELL,…] ENTRY…` prints one JSON line per entry.

Each entry runs in forks of this process, which has loaded both libraries: a crash or a hang is one failure, and the
cells after it still run. Cells: see cells.py and gradients.py.
"""

import json
import os
import select
import signal
import sys
import time
import warnings

import torch
from torch.testing._internal.common_methods_invocations import op_db

import hwaro
from cells import Cell, Missing, run_errors, run_inplace, run_out, run_threads, run_values
from gradients import run_complex, run_gradients, run_second
from translate import is_missing, translate

# Checks by name; each gives one or more cells.
CHECKS = {
    "values": (run_values, ("value", "types", "layouts", "strides", "alias")),
    "gradients": (run_gradients, ("gradient", "grad_fn", "graph")),
    "complex": (run_complex, ("complex_gradient",)),
    "second": (run_second, ("second",)),
    "inplace": (run_inplace, ("inplace",)),
    "out": (run_out, ("out", "out_type")),
    "errors": (run_errors, ("errors",)),
    "threads": (run_threads, ("threads",)),
}
CELLS = [cell for _, cells in CHECKS.values() for cell in cells]
STOLEN = "chunks run by the pool"  # the last line of output
SECONDS = 60  # for one check of one entry


def run_check(entry, function, check):
    run, cells = CHECKS[check]
    try:
        found = run(entry, function)
        counts = {cell: [f.seen, f.skipped] for cell, f in found.items() if isinstance(f, Cell)}
        return dict({cell: str(f) for cell, f in found.items()}, counts=counts)
    except Missing as missing:
        return {"missing": str(missing)}
    except Exception as error:  # noqa: BLE001  (PyTorch's own samples may fail: that is a result too)
        if is_missing(error):
            return {"missing": str(error)}
        return {cell: f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}" for cell in cells}


def run_forked(entry, function, checks):
    """Runs checks in a fork. Returns (results by check, None or why it ended early)."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            for check in checks:
                before = hwaro._C._parallel_chunks_stolen()
                cells = run_check(entry, function, check)
                stolen = hwaro._C._parallel_chunks_stolen() - before
                print(json.dumps({"check": check, "cells": cells, "stolen": stolen}), file=out, flush=True)
        os._exit(0)
    os.close(writer)
    data, why, limit = b"", None, time.monotonic() + SECONDS
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, limit - time.monotonic()))
        if not ready:
            why = f"no result after {SECONDS} s"
            os.kill(child, signal.SIGKILL)
            break
        part = os.read(reader, 1 << 16)
        if not part:
            break
        data += part
        limit = time.monotonic() + SECONDS
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if why is None and status != 0:
        why = (
            f"crash: signal {os.WTERMSIG(status)}"
            if os.WIFSIGNALED(status)
            else f"crash: exit {os.WEXITSTATUS(status)}"
        )
    lines = [json.loads(line) for line in data.decode().splitlines()]
    run_forked.stolen += sum(line["stolen"] for line in lines)
    return {line["check"]: line["cells"] for line in lines}, why


run_forked.stolen = 0  # chunks that threads of the pool ran, over all forks


def run_entry(entry, checks):
    function = translate(entry.op)
    result = {"entry": entry.full_name}
    if function is None:
        return dict(result, missing=True)
    left = list(checks)
    while left:
        done, why = run_forked(entry, function, left)
        for cells in done.values():
            if "missing" in cells:
                return dict(result, missing=True)
            result.setdefault("counts", {}).update(cells.pop("counts", {}))
            result.update(cells)
        left = [check for check in left if check not in done]
        if left:
            result.update({cell: why or "no result" for cell in CHECKS[left[0]][1]})
            left = left[1:]
    return result


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    words = sys.argv[1:]
    checks = [check for check in CHECKS if check != "threads"]
    if words and words[0] == "--only":
        checks, words = words[1].split(","), words[2:]
    if checks != ["threads"]:
        hwaro.set_num_threads(1)
    wanted = set(words)
    for entry in op_db:
        if entry.full_name in wanted:
            print(json.dumps(run_entry(entry, checks)), flush=True)
    print(json.dumps({"entry": STOLEN, "stolen": run_forked.stolen}), flush=True)


if __name__ == "__main__":
    main()
