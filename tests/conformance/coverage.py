"""Runs every entry of op_db and writes what passes: `python coverage.py [--update] [--jobs 2] [--markdown FILE]`.

--update rewrites passing.txt, the list of cells that must keep passing (test_op_db.py holds the project to it).
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def run(names, timeout=300):
    """Runs entries in one process; entries that a crash or the time limit cut off are run again alone."""
    results, pending = {}, list(names)
    while pending:
        done = subprocess.run([sys.executable, str(HERE / "op_db.py"), *pending], capture_output=True, text=True,
                              timeout=timeout * max(1, len(pending)), env=dict(os.environ, OMP_NUM_THREADS="1", HWARO_NUM_THREADS="1"))
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                result = json.loads(line)
                results[result["entry"]] = result
        left = [name for name in pending if name not in results]
        if left and done.returncode != 0:
            results[left[0]] = {"entry": left[0], "crash": f"exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"}
            left = left[1:]
        elif left:
            for name in left:
                results[name] = {"entry": name, "missing": True}
            left = []
        pending = left
    return results


def run_all(names, jobs, chunk=12):
    chunks = [names[i:i + chunk] for i in range(0, len(names), chunk)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for part in pool.map(run, chunks):
            results.update(part)
    return results


def passing(results):
    return sorted(f"{name} {cell}" for name, r in results.items() for cell in ("value", "gradient", "errors")
                  if str(r.get(cell, "")) == "ok")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    from torch.testing._internal.common_methods_invocations import op_db
    names = sorted({entry.full_name for entry in op_db})
    results = run_all(names, options.jobs)
    here = [r for r in results.values() if not r.get("missing")]
    cells = [(r["entry"], cell, r.get(cell, "crash" if "crash" in r else "")) for r in here for cell in ("value", "gradient", "errors")]
    counted = [c for c in cells if not str(c[2]).startswith("skip")]
    good = [c for c in counted if c[2] == "ok"]
    whole = [r for r in here if all(str(r.get(c, "")) == "ok" or str(r.get(c, "")).startswith("skip") for c in ("value", "gradient", "errors"))]
    summary = f"{len(here)} of {len(names)} entries exist, {len(whole)} pass every cell; {len(good)} of {len(counted)} cells pass"
    print(summary)
    for entry, cell, found in sorted(counted):
        if found != "ok":
            print(f"  {entry} {cell}: {found}"[:220])
    if options.update:
        (HERE / "passing.txt").write_text("\n".join(passing(results)) + "\n")
    if options.markdown:
        lines = ["# Conformance with PyTorch 2.13.0", "", "Printed by `make coverage`; entries and samples are those of PyTorch's own `op_db`.", "",
                 f"{summary}.", "", "| entry | value | gradient | errors |", "| --- | --- | --- | --- |"]
        for r in sorted(here, key=lambda r: r["entry"]):
            row = ["ok" if r.get(c) == "ok" else "–" if str(r.get(c, "")).startswith("skip") else "differs" for c in ("value", "gradient", "errors")]
            lines.append(f"| {r['entry']} | " + " | ".join(row) + " |")
        lines += ["", "Not there: " + ", ".join(sorted(n for n, r in results.items() if r.get("missing"))) + "."]
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
