"""Threads: many callers, forks, affinity, errors from chunks, workers of DataLoader; the same bits in every case."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time

import numpy
import pytest

import hwaro as torch

TSAN = os.environ.get("HWARO_PRESET") == "tsan"  # after a fork no thread may be started there
after_fork = pytest.mark.skipif(TSAN, reason="ThreadSanitizer does not support threads that are started after a fork")


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def work(seed=0):
    """Work of many kinds, large enough for several chunks; gives the bytes of all results."""
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(257, 1023, generator=g, requires_grad=True)
    w = torch.rand(1023, 64, generator=g, requires_grad=True)
    image = torch.rand(4, 3, 40, 40, generator=g)
    kernel = torch.rand(8, 3, 3, 3, generator=g, requires_grad=True)
    y = torch.tanh(x @ w).softmax(1)
    z = torch.nn.functional.conv2d(image, kernel)
    (y.square().sum() + z.mean()).backward()
    results = [y, z, x.grad, w.grad, kernel.grad, x.sort(1).values, x.cumsum(0), x.t().contiguous(), x.sum(0)]
    return b"".join(r.detach().numpy().tobytes() for r in results)


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )


def in_child(function):
    """Runs function() in a forked child; its exit status is 0 if that gave True."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            import signal

            signal.alarm(120)  # a deadlock ends the child with a signal
            status = 0 if function() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# ---- the number of threads ----


def test_set_num_threads_checks_its_argument():
    torch.set_num_threads(5)
    for value, error, text in (
        (0, RuntimeError, "set_num_threads expects a positive integer"),
        (-3, RuntimeError, "set_num_threads expects a positive integer"),
        (1.5, RuntimeError, "set_num_threads expects an int, but got float"),
        ("a", RuntimeError, "set_num_threads expects an int, but got str"),
        (True, RuntimeError, "set_num_threads expects an int, but got bool"),
        (2**31, ValueError, "Overflow when unpacking long"),
        (2**70, ValueError, "Overflow when unpacking long long"),
    ):
        with pytest.raises(error) as raised:
            torch.set_num_threads(value)
        assert str(raised.value).splitlines()[0] == text
    assert torch.get_num_threads() == 5


PRINT = "import hwaro as torch; print(torch.get_num_threads())"


def test_environment_sets_the_number_of_threads():
    none = {"HWARO_NUM_THREADS": "", "OMP_NUM_THREADS": ""}
    assert run(PRINT, **{**none, "HWARO_NUM_THREADS": "7"}).stdout == "7\n"
    assert run(PRINT, **{**none, "OMP_NUM_THREADS": "5"}).stdout == "5\n"
    assert run(PRINT, HWARO_NUM_THREADS="7", OMP_NUM_THREADS="5").stdout == "7\n"
    done = run(PRINT, **{**none, "HWARO_NUM_THREADS": "many"})
    assert "ValueError: HWARO_NUM_THREADS must be a positive integer, but got 'many'" in done.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_affinity_is_respected():
    cpu = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{cpu}}}); {PRINT}"
    assert run(code, HWARO_NUM_THREADS="", OMP_NUM_THREADS="").stdout == "1\n"
    count = int(run(PRINT, HWARO_NUM_THREADS="", OMP_NUM_THREADS="").stdout)
    assert 1 <= count <= len(os.sched_getaffinity(0))


def test_the_pool_really_runs():
    x = torch.rand(1 << 20)
    before = torch._C._parallel_chunks_stolen()
    deadline = time.monotonic() + 60
    while torch._C._parallel_chunks_stolen() == before and time.monotonic() < deadline:
        x.exp()
    assert torch._C._parallel_chunks_stolen() > before


def test_results_do_not_depend_on_the_number_of_threads():
    torch.set_num_threads(1)
    expected = work()
    for threads in (2, 3, 8):
        torch.set_num_threads(threads)
        assert work() == expected, threads


# ---- many callers ----


def test_many_threads_at_once():
    expected = [work(seed) for seed in range(4)]
    wrong = []

    def user(seed):
        for _ in range(3):
            if work(seed) != expected[seed]:
                wrong.append(seed)

    threads = [threading.Thread(target=user, args=(seed,)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_threads_share_a_graph_and_a_leaf():
    """Backward passes of several threads accumulate into one leaf: nothing is lost."""
    x = torch.ones(1000, requires_grad=True)

    def user():
        for _ in range(20):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=user) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert torch.equal(x.grad, torch.full((1000,), 160.0))


def test_threads_accumulate_into_one_large_leaf():
    """The addition is long work: who waits for the leaf's lock must not keep the interpreter from who has it."""
    x = torch.ones(1 << 16, requires_grad=True)

    def user():
        for _ in range(100):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=user, daemon=True) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive()
    assert torch.equal(x.grad, torch.full((1 << 16,), 1600.0))


def test_grad_mode_belongs_to_a_thread():
    seen = []

    def user():
        seen.append(torch.is_grad_enabled())
        with torch.no_grad():
            time.sleep(0.01)
            seen.append(torch.is_grad_enabled())

    with torch.no_grad():
        t = threading.Thread(target=user)
        t.start()
        t.join()
        assert not torch.is_grad_enabled()
    assert seen == [True, False] and torch.is_grad_enabled()


def test_other_python_threads_run_during_long_work():
    torch.set_num_threads(2)
    x = torch.rand(700, 700)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(None)
            time.sleep(0)

    t = threading.Thread(target=tick)
    t.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # so only who releases the interpreter lets others run
    try:
        before = len(ticks)
        for _ in range(20):
            x = (x @ x) / 350.0
        during = len(ticks) - before
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        t.join()
    assert during > 0


def test_backward_runs_python_functions_while_other_threads_compute():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    sums = []

    def user():
        for _ in range(10):
            x = torch.ones(70000, requires_grad=True)
            Double.apply(x).exp().sum().backward()
            sums.append(bool((x.grad > 14.7).all()))

    threads = [threading.Thread(target=user) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sums == [True] * 30


# ---- errors from chunks ----


def test_errors_from_chunks_reach_the_caller_and_work_goes_on():
    rows = torch.full((50000,), 3)
    rows[44444] = 10
    table = torch.rand(10, 64)
    for _ in range(3):
        with pytest.raises(IndexError, match="index out of range in self"):
            torch.embedding(table, rows)
        with pytest.raises(IndexError, match="index 10 is out of bounds for dimension 0 with size 10"):
            table[rows]
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            torch.ones(100000, dtype=torch.int64) // (rows[:1] - 3)
    assert torch.equal(torch.embedding(table, rows.clamp(max=9))[0], table[3])


def test_errors_in_many_threads_stay_apart():
    caught = []

    def user(seed):
        rows = torch.full((20000,), 10 + seed)
        for _ in range(20):
            try:
                torch.rand(10, 8)[rows]
            except IndexError as error:
                caught.append(str(error).startswith(f"index {10 + seed} is out of bounds"))

    threads = [threading.Thread(target=user, args=(seed,)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert caught == [True] * 80


# ---- forks ----


@after_fork
def test_fork_and_continue():
    expected = work()
    for _ in range(3):
        assert in_child(lambda: work() == expected) == 0
        assert work() == expected


@after_fork
def test_fork_in_a_thread_while_others_compute():
    expected = work()
    stop, statuses = threading.Event(), []

    def busy():
        while not stop.is_set():
            torch.rand(300000).exp().sum()

    def forks():
        for _ in range(3):
            statuses.append(in_child(lambda: work() == expected))

    threads = [threading.Thread(target=busy) for _ in range(2)]
    forking = [threading.Thread(target=forks) for _ in range(2)]
    for t in threads + forking:
        t.start()
    for t in forking:
        t.join()
    stop.set()
    for t in threads:
        t.join()
    assert statuses == [0] * 6


@after_fork
def test_child_of_a_child_computes():
    expected = work()
    assert in_child(lambda: work() == expected and in_child(lambda: work() == expected) == 0) == 0


@after_fork
def test_child_keeps_the_number_of_threads_and_may_change_it():
    def child():
        kept = torch.get_num_threads() == 3
        torch.set_num_threads(2)
        return kept and torch.get_num_threads() == 2 and len(work()) > 0

    assert in_child(child) == 0
    assert torch.get_num_threads() == 3


def _square_in_pool(n):
    return (torch.full((n,), 2.0) ** 2).sum().item()


@after_fork
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_pool_after_parallel_work(method):
    work()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_square_in_pool, [10, 100000, 300000]) == [40.0, 400000.0, 1200000.0]


class Images(torch.utils.data.Dataset):
    """Items that take parallel work to make."""

    def __len__(self):
        return 12

    def __getitem__(self, index):
        g = torch.Generator().manual_seed(index)
        x = torch.rand(200, 200, generator=g)
        return (x @ x).softmax(0).sum(1), index


@after_fork
@pytest.mark.parametrize("workers", [1, 2])
def test_data_loader_workers_after_parallel_work(workers):
    work()
    load = lambda n: list(torch.utils.data.DataLoader(Images(), batch_size=4, num_workers=n))  # noqa: E731
    expected = load(0)
    for _ in range(2):
        for (x, i), (want_x, want_i) in zip(load(workers), expected, strict=True):
            assert torch.equal(x, want_x) and torch.equal(i, want_i)
    assert work() == work()


@after_fork
def test_data_loader_in_a_thread_while_the_main_thread_trains():
    expected = [x.numpy().tobytes() for x, _ in torch.utils.data.DataLoader(Images(), batch_size=4)]
    results = []

    def load():
        for x, _ in torch.utils.data.DataLoader(Images(), batch_size=4, num_workers=2):
            results.append(x.numpy().tobytes())

    t = threading.Thread(target=load)
    t.start()
    while t.is_alive():
        work()
    t.join()
    assert results == expected


@after_fork
def test_child_that_ends_normally_ends():
    """Exit handlers of the child find no workers, and do not wait for any."""
    code = """
import hwaro as torch, os, sys
torch.set_num_threads(3)
torch.rand(1 << 20).exp()
child = os.fork()
if child == 0:
    torch.rand(1 << 20).exp()
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(code).stdout == "7\n"


def test_interpreter_ends_while_a_daemon_thread_computes():
    code = """
import hwaro as torch, threading
torch.set_num_threads(3)
started = threading.Event()
def loop():
    x = torch.rand(1 << 18)
    while True:
        x.exp()
        started.set()
threading.Thread(target=loop, daemon=True).start()
started.wait()
print("end")
"""
    for _ in range(3):
        done = run(code)
        assert done.stdout == "end\n" and done.returncode == 0, done.stderr


def test_numpy_and_torch_threads_mix():
    """A view that NumPy has is written by one thread while others compute on other tensors."""
    shared = torch.zeros(1 << 16)
    array = shared.numpy()

    def writer():
        for k in range(50):
            array[:] = k

    t = threading.Thread(target=writer)
    t.start()
    for _ in range(20):
        assert torch.rand(1 << 16).clamp(2, 3).eq(2).all()
    t.join()
    assert torch.equal(shared, torch.full((1 << 16,), 49.0))
    assert numpy.shares_memory(array, shared.numpy())
