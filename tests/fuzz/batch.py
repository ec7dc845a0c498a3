"""Runs many programs in forked children: a crash or a hang costs one program, and says which."""

import collections
import faulthandler
import mmap
import os
import pickle
import select
import signal
import struct
import time
import traceback

BATCH = 400
SECONDS = 60  # a program that takes longer hangs

Finding = collections.namedtuple("Finding", "seed kind text source exact step_kind")


class Child:
    """A forked process that runs the programs of a range of seeds."""

    def __init__(self, seeds):
        self.seeds, self.data = seeds, b""
        self.board = mmap.mmap(-1, 16)  # programs done, and whether PyTorch is through with the next
        self.fd, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self.fd)
                work(seeds, writing, self.board)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(writing)
        self.began = time.monotonic()
        self.last = 0

    def done(self):
        return struct.unpack("q", self.board[:8])[0]

    def hangs(self):
        now = self.done()
        if now != self.last:
            self.last, self.began = now, time.monotonic()
        return time.monotonic() - self.began > SECONDS


def work(seeds, fd, board):
    from judge import judge

    faulthandler.disable()
    counts = collections.Counter()
    findings = []
    for i, seed in enumerate(seeds):
        board[:16] = struct.pack("qq", i, 0)
        finding = judge(seed, counts, lambda: board.__setitem__(slice(8, 16), struct.pack("q", 1)))
        if finding:
            findings.append(finding)
    board[:8] = struct.pack("q", len(seeds))
    with os.fdopen(fd, "wb") as pipe:
        pickle.dump((findings, counts), pipe)


def run(seeds, jobs, report):
    """Judges all seeds; report(done, findings, counts) is called after each batch."""
    waiting = [seeds[i : i + BATCH] for i in range(0, len(seeds), BATCH)][::-1]
    active = {}
    while waiting or active:
        while waiting and len(active) < jobs:
            child = Child(waiting.pop())
            active[child.fd] = child
        for fd in select.select(list(active), [], [], 1)[0]:
            child = active[fd]
            piece = os.read(fd, 1 << 16)
            child.data += piece
            if not piece:
                del active[fd]
                finish(child, waiting, report)
        for fd, child in list(active.items()):
            if child.hangs():
                os.kill(child.pid, signal.SIGABRT)
                del active[fd]
                finish(child, waiting, report, hung=True)


def finish(child, waiting, report, hung=False):
    os.close(child.fd)
    _, status = os.waitpid(child.pid, 0)
    if child.data and not hung:
        findings, counts = pickle.loads(child.data)
        report(len(child.seeds), findings, counts)
        return
    # What came before the crash is lost with the child: it runs again, on its own.
    at = child.done()
    before, after = child.seeds[:at], child.seeds[at + 1 :]
    waiting.extend(part for part in (after, before) if len(part))
    if not struct.unpack("q", child.board[8:16])[0]:
        report(1, [], {"PyTorch itself crashed": 1})
        return
    how = "hangs" if hung else f"dies of signal {status & 127}" if status & 127 else f"exits with {status >> 8}"
    report(1, [Finding(child.seeds[at], "crash", how, None, False, "")], {})
