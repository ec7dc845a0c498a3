"""torch.testing: what assert_close accepts and how it says what differs; results recorded from PyTorch."""
import numpy
from recorded import recorded_test


def said(torch, actual, expected, **options):
    try:
        return torch.testing.assert_close(actual, expected, **options)
    except (AssertionError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


NAN = float("nan")
PAIRS = {
    "equal": lambda t: (t.ones(3), t.ones(3)),
    "vector": lambda t: (t.ones(3), t.tensor([1, 2, 3.0])),
    "matrix": lambda t: (t.ones(2, 3), t.ones(2, 3) + t.eye(2, 3) * 1e-3),
    "close": lambda t: (t.ones(3), t.ones(3) + 1e-7),
    "shape": lambda t: (t.ones(3), t.ones(2)),
    "dtype": lambda t: (t.ones(3), t.ones(3, dtype=t.float64)),
    "integers": lambda t: (t.tensor([1, 2]), t.tensor([1, 3])),
    "lists": lambda t: ([1.0, 2.0], [1.0, 3.0]),
    "dicts": lambda t: ({"a": t.ones(1)}, {"a": t.zeros(1)}),
    "keys": lambda t: ({"a": 1}, {"b": 1}),
    "lengths": lambda t: ([1], [1, 2]),
    "nested": lambda t: ({"a": [t.ones(1), t.ones(2)]}, {"a": [t.ones(1), t.zeros(2)]}),
    "numbers": lambda t: (1.0, 2.0),
    "complex numbers": lambda t: (1 + 1j, 1 + 1j),
    "scalars": lambda t: (t.tensor(1.0), t.tensor(2.0)),
    "nan": lambda t: (t.tensor(NAN), t.tensor(NAN)),
    "tensor and number": lambda t: (t.ones(1), 1.0),
    "strings": lambda t: ("a", "b"),
    "bools": lambda t: (True, False),
    "int and float": lambda t: (1, 1.0),
    "meta": lambda t: (t.ones(2, device="meta"), t.ones(2)),
    "truth values": lambda t: (t.tensor([True, False]), t.tensor([True, True])),
    "arrays": lambda t: (numpy.ones(2), numpy.zeros(2)),
    "none": lambda t: (None, None),
    "half": lambda t: (t.ones(2, dtype=t.float16), t.ones(2, dtype=t.float16) * 1.01),
    "empty": lambda t: (t.empty(0), t.empty(0)),
    "infinities": lambda t: (t.tensor([float("inf"), 1.0]), t.tensor([float("inf"), 1.0])),
}
OPTIONS = {
    "equal_nan": (lambda t: (t.tensor(NAN), t.tensor(NAN)), dict(equal_nan=True)),
    "only rtol": (lambda t: (t.ones(1), t.zeros(1)), dict(rtol=1e-3)),
    "exact": (lambda t: (t.zeros(1), t.ones(1)), dict(rtol=0, atol=0)),
    "loose": (lambda t: (t.zeros(1), t.ones(1)), dict(rtol=0, atol=2)),
    "message": (lambda t: (t.ones(1), t.zeros(1)), dict(msg="hi")),
    "made message": (lambda t: (t.ones(1), t.zeros(1)), dict(msg=lambda m: "X" + m)),
    "other dtype": (lambda t: (t.ones(1), t.ones(1, dtype=t.float64)), dict(check_dtype=False)),
    "stride": (lambda t: (t.ones(2, 2), t.ones(2, 2).t()), dict(check_stride=True)),
}
CASES = {name: (lambda make: lambda t: said(t, *make(t)))(make) for name, make in PAIRS.items()}
CASES.update({name: (lambda make, o: lambda t: said(t, *make(t), **o))(make, o) for name, (make, o) in OPTIONS.items()})
test_case = recorded_test(__file__, CASES)


def test_make_tensor():
    import hwaro as torch
    t = torch.testing.make_tensor((3, 4), dtype=torch.float32, device="cpu", low=-1, high=1, requires_grad=True)
    assert t.shape == (3, 4) and t.requires_grad and bool((t.abs() <= 1).all())
    assert not torch.testing.make_tensor(3, 4, dtype=torch.int64, noncontiguous=True).is_contiguous()


def spawned(rank, shared, fail):
    if fail:
        raise ValueError(f"rank {rank}")
    shared[rank] = rank + 1


def test_processes_share_tensors_and_report_errors():
    import hwaro as torch
    import hwaro.multiprocessing as processes
    import pytest
    shared = torch.zeros(2).share_memory_()
    processes.start_processes(spawned, (shared, False), nprocs=2, start_method="fork")
    assert shared.tolist() == [1.0, 2.0]
    with pytest.raises(processes.ProcessRaisedException, match="ValueError: rank 0"):
        processes.start_processes(spawned, (shared, True), nprocs=1, start_method="fork")


def test_tensors_go_through_queues():
    import hwaro as torch
    import hwaro.multiprocessing as processes
    context = processes.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put({"x": torch.arange(3.0)}))
    child.start()
    assert queue.get()["x"].tolist() == [0.0, 1.0, 2.0]
    child.join()
