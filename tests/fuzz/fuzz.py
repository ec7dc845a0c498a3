"""Random programs, run with Hwaro and with PyTorch: values, errors, versions, gradients, aliases must agree.

    python tests/fuzz/fuzz.py --count 2000 --seed 1 [--jobs 2] [--pool] [--keep]
    python tests/fuzz/fuzz.py --show 1234          the program of a seed, and how it parts

--pool cuts all work of Hwaro into chunks of one element for three threads. --keep shrinks each kind of failure and
writes it to tests/fuzz/found, where it is a test of `make conformance`.
"""

import argparse
import collections
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FOUND = HERE / "found"
sys.path.insert(0, str(HERE))


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="of the first program; they follow one by one")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--pool", action="store_true", help="three threads, chunks of one element")
    parser.add_argument("--keep", action="store_true", help="shrink failures into tests/fuzz/found")
    parser.add_argument("--show", type=int, help="print one program and shrink its failure")
    parser.add_argument(
        "--allow", type=int, default=0, help="differences, crashes never among them, that are no failure"
    )
    parser.add_argument("--most", type=int, default=12, help="kinds of failures to shrink")
    return parser.parse_args(argv)


def in_child(function):
    """Runs function() in a fork, whose crash is its own."""
    from support import in_child

    outcome = in_child(function)
    return None if outcome[0] else outcome[1]


def shrunk(finding):
    """The small program of a finding, as source with its difference."""

    def work():
        import hwaro
        import torch

        import shrink
        from generate import generate
        from program import to_source

        program = generate(finding.seed)
        found = shrink.part(program.steps, program.exact, hwaro, torch)
        if found is None:
            return None
        steps = shrink.Shrinker(program.steps, program.exact, found, hwaro, torch).shrink()
        return to_source(steps), str(shrink.part(steps, program.exact, hwaro, torch))

    return in_child(work)


class Report:
    def __init__(self, total):
        self.total, self.done, self.began = total, 0, time.monotonic()
        self.findings, self.counts = [], collections.Counter()
        self.printed = self.began

    def __call__(self, done, findings, counts):
        self.done += done
        self.findings += findings
        self.counts.update(counts)
        now = time.monotonic()
        if now - self.printed > 20 or self.done >= self.total:
            self.printed = now
            print(
                f"{self.done} programs, {self.done / (now - self.began):.0f}/s, {len(self.findings)} differ", flush=True
            )

    def summary(self):
        seconds = time.monotonic() - self.began
        print(
            f"{self.done} programs of {self.counts['steps']} steps, of which {self.counts['errors']} raised, "
            f"in {seconds:.0f} s: "
            f"{self.done / seconds:.1f} programs/s; {len(self.findings)} differ"
        )
        for name, n in self.counts.items():
            if name not in ("steps", "errors"):
                print(f"  {n} {name}")


def keep(finding, source, difference):
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"seed_{finding.seed}.py"
    path.write_text(
        f'"""Found by the fuzzer: {difference.replace(chr(34), chr(39)).replace(chr(92), "/")}"""\n\n{source}'
    )
    print(f"kept as {path.relative_to(HERE.parents[1])}")


def main(argv=None):
    options = arguments(argv)
    if options.pool:
        os.environ.update(HWARO_GRAIN="1", HWARO_NUM_THREADS="3")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import batch
    import judge

    if options.show is not None:
        from generate import generate
        from program import to_source

        print(to_source(generate(options.show).steps))
        finding = judge.judge(options.show, collections.Counter())
        print("#", finding.text if finding else "no difference")
        if finding:
            print(*shrunk(finding), sep="\n# ")
        return bool(finding)

    report = Report(options.count)
    batch.run(range(options.seed, options.seed + options.count), options.jobs, report)
    report.summary()
    groups = collections.defaultdict(list)
    for finding in report.findings:
        groups[judge.signature(finding)].append(finding)
    for name, findings in sorted(groups.items(), key=lambda g: -len(g[1]))[: options.most]:
        first = min(findings, key=lambda f: len(f.source or ""))
        print(f"\n== {len(findings)} like seed {first.seed}: {first.text}  [{first.step_kind}]")
        small = shrunk(first) if first.source else None
        if small is None:
            print("(the crash needs what ran before it)" if first.source is None else "(alone it does not differ)")
            continue
        print(small[0].rstrip(), f"\n# {small[1]}", flush=True)
        if options.keep:
            keep(first, *small)
    if len(groups) > options.most:
        print(f"\nand {len(groups) - options.most} kinds more")
    crashes = sum(finding.kind == "crash" for finding in report.findings)
    return crashes > 0 or len(report.findings) > options.allow


if __name__ == "__main__":
    sys.exit(main())
