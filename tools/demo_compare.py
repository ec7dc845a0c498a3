#!/usr/bin/env python3
"""Train the Fashion-MNIST example with Hwaro and with PyTorch, from one seed, and put the losses side by side.

    python tools/demo_compare.py [--steps 50] [--limit-difference 1e-4] [options of the example...]

Exit status: 0 if the losses agree, 1 if they do not, 2 if a run failed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "python" / "fashion_mnist.py"


def run(name, prefix, arguments, directory):
    """The example's record of losses and times, run by `python <prefix> fashion_mnist.py`."""
    record = os.path.join(directory, name + ".json")
    command = [sys.executable, *prefix, str(EXAMPLE), *arguments, "--losses", record, "--out",
               os.path.join(directory, name)]
    print(f"{name}: python {' '.join([*prefix, EXAMPLE.name, *arguments])}", flush=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        print(f"{name}: the run failed with exit status {done.returncode}", file=sys.stderr)
        sys.exit(2)
    with open(record) as file:
        return json.load(file)


def relative(ours, theirs):
    return abs(ours - theirs) / max(abs(theirs), 1e-12)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit-difference", type=float, default=1e-4,
                        help="largest relative difference of a loss that passes (default: %(default)s)")
    options, rest = parser.parse_known_args()
    arguments = ["--steps", str(options.steps), "--seed", str(options.seed), *rest]
    with tempfile.TemporaryDirectory() as directory:
        ours = run("hwaro", ["-m", "hwaro"], arguments, directory)
        theirs = run("torch", [], arguments, directory)

    if len(ours["losses"]) != len(theirs["losses"]):
        print(f"{len(ours['losses'])} steps with Hwaro, {len(theirs['losses'])} with PyTorch", file=sys.stderr)
        return 2
    print(f"\n{'step':>5}  {'Hwaro':>10}  {'PyTorch':>10}  {'rel. diff.':>10}")
    width, top = 40, max(theirs["losses"])
    for step, (a, b) in enumerate(zip(ours["losses"], theirs["losses"]), 1):
        bar = "#" * round(width * min(b / top, 1.0))
        print(f"{step:>5}  {a:>10.6f}  {b:>10.6f}  {relative(a, b):>10.1e}  {bar}")
    worst = max(map(relative, ours["losses"], theirs["losses"]))
    print(f"\nlargest relative difference: {worst:.1e} (limit {options.limit_difference:.0e})")
    print(f"held-out accuracy: Hwaro {100 * ours['accuracies'][-1]:.2f} %, "
          f"PyTorch {100 * theirs['accuracies'][-1]:.2f} %")
    print(f"training time: Hwaro {ours['seconds']:.2f} s, PyTorch {theirs['seconds']:.2f} s "
          f"(PyTorch / Hwaro = {theirs['seconds'] / ours['seconds']:.2f})")
    if not worst <= options.limit_difference:
        print("the losses differ", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
