"""Runs every entry of op_db: `python coverage.py [--update] [--only CHECK,…] [--jobs 2] [--markdown FILE] [ENTRY…]`.

Prints what differs, then the totals. --update adds the cells that pass now to passing.txt, the list of cells that must
keep passing (test_op_db.py holds the project to it); a cell leaves that list by hand only. --markdown writes a report.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PASSING = HERE / "passing.txt"
THREADS = "threads"  # this check has its own process: the grain is read when the library is loaded


def worker(names, checks):
    """Results of op_db.py for some entries; a worker that ends early is told by what it left out."""
    many = checks == [THREADS]
    env = dict(
        os.environ,
        OMP_NUM_THREADS="1",
        HWARO_NUM_THREADS="3" if many else "1",
        **({"HWARO_GRAIN": "1"} if many else {}),
    )
    done = subprocess.run(
        [sys.executable, str(HERE / "op_db.py"), "--only", ",".join(checks), *names],
        capture_output=True,
        text=True,
        env=env,
    )
    results, stolen = {}, 0
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            result = json.loads(line)
            if "stolen" in result:
                stolen = result["stolen"]
            else:
                results[result["entry"]] = result
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        for name in names:
            results.setdefault(name, {"entry": name, "worker": f"exit {done.returncode}: {last}"})
    if many and not stolen and not all(r.get("missing") or "worker" in r for r in results.values()):
        for result in results.values():
            result[THREADS] = "no chunk ran on a thread of the pool"
    return results


def run(names, checks):
    """All checks of some entries: one process, and one more for the check with several threads."""
    results = collections.defaultdict(dict)
    for part in ([check for check in checks if check != THREADS], [THREADS] if THREADS in checks else []):
        for name, result in (worker(names, part) if part else {}).items():
            counts = {**results[name].get("counts", {}), **result.get("counts", {})}
            results[name].update(result, counts=counts)
    return results


def run_all(names, checks, jobs, chunk=24):
    chunks = [names[i : i + chunk] for i in range(0, len(names), chunk)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for part in pool.map(lambda chunk: run(chunk, checks), chunks):
            results.update(part)
    return results


def passing(results):
    from op_db import CELLS

    return {f"{name} {cell}" for name, result in results.items() for cell in CELLS if result.get(cell) == "ok"}


def read_passing():
    return set(PASSING.read_text().splitlines()) if PASSING.exists() else set()


def mark(found):
    if found is None or found.startswith("none"):
        return "–"
    return "skip" if found.startswith("skip") else "ok" if found == "ok" else "differs"


class Totals:
    """Over some entries: cells by mark, and samples that were left out, by reason."""

    def __init__(self, results, cells):
        self.marks = {cell: collections.Counter(mark(r.get(cell)) for r in results) for cell in cells}
        self.all = sum(self.marks.values(), collections.Counter())
        self.samples, self.reasons = 0, collections.Counter()
        for result in results:
            for seen, skipped in result.get("counts", {}).values():
                self.samples += seen
                self.reasons.update(skipped)

    def of(self, cell):
        return self.marks[cell]["ok"] + self.marks[cell]["differs"]

    def skips(self):
        """Cells and samples that exist and were not compared, with their part of all that exist."""
        cells, left = self.all["ok"] + self.all["differs"] + self.all["skip"], sum(self.reasons.values())
        return (
            f"Skipped: {self.all['skip']} of {cells} cells ({self.all['skip'] / max(cells, 1):.2%}) and "
            f"{left} of {self.samples + left} samples ({left / max(self.samples + left, 1):.2%})"
        )


CELL_TEXT = {
    "value": "values, types and shapes of float32, int64, bool and complex64 samples",
    "types": "the same for the eight other types",
    "layouts": "the same with transposed, sliced, expanded and channels-last operands",
    "strides": "strides of the results of all these",
    "alias": "which results share memory with which operands",
    "gradient": "first gradients, float64",
    "grad_fn": "names of the results' nodes",
    "graph": "names of the nodes before those",
    "complex_gradient": "first gradients, complex128",
    "second": "gradients of gradients, float64",
    "inplace": "the in-place method: values, object, errors",
    "out": "`out=`: of the right shape, strided, empty",
    "out_type": "`out=` of another type: the cast or the error",
    "errors": "class and first line of every error of `error_inputs`",
    "threads": "the same bits with 1, 2, 3 and 8 threads, one element per chunk",
}


def report(results, names, cells):
    there = sorted((r for r in results.values() if not r.get("missing")), key=lambda r: r["entry"])
    found = Totals(there, cells)
    whole = sum(all(mark(r.get(cell)) != "differs" for cell in cells) and "worker" not in r for r in there)
    summary = (
        f"{len(there)} of {len(names)} entries exist, {whole} pass every cell; {found.all['ok']} of "
        f"{found.all['ok'] + found.all['differs']} cells pass, {found.all['–']} do not apply"
    )
    return there, found, summary


def markdown(there, found, summary, results, cells):
    lines = [
        "# Conformance with PyTorch 2.13.0",
        "",
        "Printed by `make coverage`; entries and samples are those of PyTorch's own `op_db`. A cell passes if all "
        "samples of the entry agree with PyTorch, which runs beside it.",
        "",
        f"{summary}.",
        "",
        f"{found.skips()}: cells and samples that PyTorch has and that could not be compared, by reason:",
        "",
        "| why a sample is skipped | samples |",
        "| --- | --- |",
        *(f"| {reason} | {count} |" for reason, count in found.reasons.most_common()),
        "",
        "| cell | compared | pass | of |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {cell} | {CELL_TEXT[cell]} | {found.marks[cell]['ok']} | {found.of(cell)} |" for cell in cells]
    lines += [
        "",
        "`–`: PyTorch has no such check for the entry (no gradient, no in-place method, no errors among its samples). "
        "`skip`: it has, and no sample of it could be compared.",
        "",
        "| entry | " + " | ".join(cells) + " |",
        "| --- |" + " --- |" * len(cells),
    ]
    lines += [f"| {r['entry']} | " + " | ".join(mark(r.get(cell)) for cell in cells) + " |" for r in there]
    lines += ["", "Not there: " + ", ".join(sorted(n for n, r in results.items() if r.get("missing"))) + "."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="checks, separated by commas")
    parser.add_argument("--json", help="also write all results here")
    parser.add_argument("--markdown")
    parser.add_argument("entries", nargs="*")
    options = parser.parse_args()
    from op_db import CHECKS, op_db

    names = options.entries or sorted({entry.full_name for entry in op_db})
    checks = options.only.split(",") if options.only else list(CHECKS)
    cells = [cell for check in checks for cell in CHECKS[check][1]]
    results = run_all(names, checks, options.jobs)
    there, found, summary = report(results, names, cells)
    for r in there:
        for cell in cells if "worker" not in r else ():
            if mark(r.get(cell)) == "differs":
                print(f"  {r['entry']} {cell}: {r[cell]}"[:400])
        if "worker" in r:
            print(f"  {r['entry']}: the worker ended: {r['worker']}")
    for cell in cells:
        marks = found.marks[cell]
        print(f"{cell:18} {marks['ok']:5} of {found.of(cell):5} pass, {marks['–']:5} do not apply, {marks['skip']} skipped")
    for reason, count in found.reasons.most_common():
        print(f"{count:6} samples skipped: {reason}")
    print(found.skips())
    print(summary)
    before, now = read_passing(), passing(results)
    print(f"{len(now - before)} cells pass that are not in passing.txt")
    if options.update:
        PASSING.write_text("\n".join(sorted(before | now)) + "\n")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown(there, found, summary, results, cells))


if __name__ == "__main__":
    main()
