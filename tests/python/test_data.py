"""Datasets, samplers, collation and the DataLoader, in this process and with workers."""
import collections
import os
import random
import signal
import time

import pytest

from recorded import recorded_test

CASES = {}
Point = collections.namedtuple("Point", "x y")


def case(function):
    CASES[function.__name__] = function
    return function


def attempt(action):
    """What an action gives, or the class and first line of what it raises."""
    try:
        return action()
    except Exception as error:
        return [type(error).__name__, str(error).split("\n")[0]]


def numbers(torch):
    return torch.utils.data.TensorDataset(torch.arange(23.0).view(23, 1), torch.arange(23))


def seeded(torch):
    return torch.Generator().manual_seed(7)


LOADERS = {
    "in order": lambda t, D: D.DataLoader(numbers(t), 4),
    "shuffled": lambda t, D: D.DataLoader(numbers(t), 4, shuffle=True),
    "shuffled, without the rest": lambda t, D: D.DataLoader(numbers(t), 4, shuffle=True, drop_last=True),
    "with a generator": lambda t, D: D.DataLoader(numbers(t), 4, shuffle=True, generator=seeded(t)),
    "without batches": lambda t, D: D.DataLoader(numbers(t), None, shuffle=True),
    "with replacement": lambda t, D: D.DataLoader(numbers(t), 8, sampler=D.RandomSampler(numbers(t), True, 70)),
    "more samples than there are": lambda t, D: D.DataLoader(
        numbers(t), 8, sampler=D.RandomSampler(numbers(t), num_samples=50, generator=seeded(t))),
    "a random subset": lambda t, D: D.DataLoader(numbers(t), 4, sampler=D.SubsetRandomSampler([3, 1, 4, 1, 5])),
    "batches by hand": lambda t, D: D.DataLoader(numbers(t), batch_sampler=[[1, 2], [3], [0, 5, 4]]),
    "concatenated": lambda t, D: D.DataLoader(D.ConcatDataset([numbers(t), D.Subset(numbers(t), [3, 5])]), 8,
                                              shuffle=True),
    "side by side by name": lambda t, D: D.DataLoader(D.StackDataset(a=numbers(t), b=range(23)), 8, shuffle=True),
    "side by side": lambda t, D: D.DataLoader(
        D.StackDataset(numbers(t), D.Subset(range(23), list(range(22, -1, -1)))), 8),
    "named tuples": lambda t, D: D.DataLoader([Point(i, f"s{i}") for i in range(7)], 3),
    "nested": lambda t, D: D.DataLoader(
        [{"a": t.full((2,), i), "b": [float(i), (i, t.tensor(i))]} for i in range(7)], 3),
    "own collation": lambda t, D: D.DataLoader(list(range(10)), 4, collate_fn=sum),
}
for title, make in LOADERS.items():
    CASES[title] = lambda torch, make=make: [
        [list(loader), list(loader), len(loader), torch.get_rng_state()]
        for loader in [make(torch, torch.utils.data)]]


def streams(torch):
    class Stream(torch.utils.data.IterableDataset):
        def __init__(self, count):
            self.count = count

        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            start, step = (info.id, info.num_workers) if info else (0, 1)
            return iter(range(start, self.count, step))

    return Stream


def noisy(torch):
    class Noisy(torch.utils.data.Dataset):
        """Every kind of random number that a worker seeds."""

        def __len__(self):
            return 12

        def __getitem__(self, index):
            return index, torch.rand(2), random.random()

    return Noisy()


for workers in (0, 1, 2, 3):
    @case
    def streamed(torch, workers=workers):
        D, Stream = torch.utils.data, streams(torch)
        return [list(D.DataLoader(Stream(17), 4, num_workers=workers)),
                list(D.DataLoader(Stream(17), 4, drop_last=True, num_workers=workers)),
                list(D.DataLoader(Stream(5), None, num_workers=workers)), list(Stream(2) + Stream(3))]

    CASES[f"streams with {workers} workers"] = CASES.pop("streamed")
    if workers:
        @case
        def seeds(torch, workers=workers):
            D = torch.utils.data
            return [list(D.DataLoader(numbers(torch), 4, shuffle=True, num_workers=workers)),
                    list(D.DataLoader(noisy(torch), 2, shuffle=True, num_workers=workers)),
                    list(D.DataLoader(noisy(torch), 3, num_workers=workers, worker_init_fn=torch.manual_seed)),
                    torch.get_rng_state()]

        CASES[f"order and seeds with {workers} workers"] = CASES.pop("seeds")

        @case
        def persistent(torch, workers=workers):
            D = torch.utils.data
            loader = D.DataLoader(noisy(torch), 2, shuffle=True, num_workers=workers, persistent_workers=True,
                                  prefetch_factor=1)
            out = [list(loader) for _ in range(3)]
            half = iter(loader)
            next(half)
            return out + [list(loader), torch.get_rng_state()]

        CASES[f"{workers} workers that stay"] = CASES.pop("persistent")


@case
def splitting(torch):
    D, data = torch.utils.data, numbers(torch)
    return [[s.indices for s in D.random_split(data, lengths, seeded(torch))]
            for lengths in ([20, 3], [0.33, 0.33, 0.34], [0.5, 0.5])] + [
        attempt(lambda: D.random_split(data, [3, 4])), attempt(lambda: D.random_split(data, [0.3, 0.8])),
        D.random_split(data, [1, 22])[0].indices, torch.get_rng_state()]


@case
def weighted_sampling(torch):
    D, weights = torch.utils.data, [0.1, 0.9, 0.5, 0.05, 0.3]
    return [list(D.WeightedRandomSampler(weights, 9, generator=seeded(torch))),
            list(D.WeightedRandomSampler(weights, 4, False, generator=seeded(torch)))]


@case
def sampling_for_one_of_several_processes(torch):
    D, out = torch.utils.data, []
    for drop in (True, False):
        for rank in range(4):
            sampler = D.DistributedSampler(range(23), 4, rank, seed=3, drop_last=drop)
            sampler.set_epoch(2)
            out.append([list(sampler), len(sampler)])
    return out


@case
def collation(torch):
    collate = torch.utils.data.default_collate
    return [collate([1, 2]), collate([1.0, 2.0]), collate([True, False]), collate(["a", "b"]),
            collate([(1, torch.ones(1)), (2, torch.ones(1))]), collate([{"a": 1}, {"a": 2}]), collate([[1, 2], [3, 4]]),
            collate([Point(1, 2), Point(3, 4)]), torch.utils.data.default_convert([1, "x", (torch.ones(1),)])] + [
        attempt(action) for action in (
            lambda: collate([object()]), lambda: collate([torch.ones(2), torch.ones(3)]),
            lambda: collate([[1, 2], [3]]), lambda: collate([]))]


@case
def errors(torch):
    D, data, Stream = torch.utils.data, numbers(torch), streams(torch)
    loader = D.DataLoader(data)
    return [attempt(action) for action in (
        lambda: D.TensorDataset(torch.ones(2), torch.ones(3)), lambda: D.DataLoader(data, batch_size=0),
        lambda: D.DataLoader(data, num_workers=-1), lambda: D.DataLoader(data, timeout=-1),
        lambda: D.DataLoader(data, prefetch_factor=2), lambda: D.DataLoader(data, persistent_workers=True),
        lambda: D.DataLoader(data, shuffle=True, sampler=D.SequentialSampler(data)),
        lambda: D.DataLoader(data, batch_sampler=[[1]], batch_size=4),
        lambda: D.DataLoader(data, batch_size=None, drop_last=True),
        lambda: D.DataLoader(data, num_workers=0, multiprocessing_context="fork"),
        lambda: D.DataLoader(Stream(3), shuffle=True), lambda: D.DataLoader(Stream(3), sampler=[1]),
        lambda: D.DataLoader(Stream(3), batch_sampler=[[1]]), lambda: D.RandomSampler(data, replacement=3),
        lambda: D.RandomSampler(data, num_samples=0), lambda: D.RandomSampler([]),
        lambda: D.BatchSampler([1], 0, False),
        lambda: D.BatchSampler([1], 2, 3), lambda: D.WeightedRandomSampler([1, 2.0], 0),
        lambda: D.WeightedRandomSampler([[1, 2.0]], 2), lambda: D.ConcatDataset([]),
        lambda: D.ConcatDataset([Stream(3)]), lambda: D.ConcatDataset([data])[-30], lambda: D.StackDataset(),
        lambda: D.StackDataset(data, range(3)), lambda: D.StackDataset(data, a=data),
        lambda: list(D.ChainDataset([data])), lambda: D.Dataset()[3], lambda: setattr(loader, "batch_size", 3))]


@case
def a_stream_that_is_longer_than_it_says(torch):
    class Longer(streams(torch)):
        def __len__(self):
            return 2

    loader = torch.utils.data.DataLoader(Longer(3))
    len(loader)
    return [next(iter(loader)), torch.utils.data.get_worker_info()]


test_agrees_with_pytorch = recorded_test(__file__, CASES)


@pytest.fixture
def torch():
    import hwaro
    return hwaro


def fails_at_six(torch):
    class Fails(torch.utils.data.Dataset):
        def __len__(self):
            return 12

        def __getitem__(self, index):
            if index == 6:
                raise KeyError("six")
            return index

    return Fails()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_s_error_is_raised_here_with_its_traceback(torch, workers):
    seen = []
    with pytest.raises(KeyError) as caught:
        for batch in torch.utils.data.DataLoader(fails_at_six(torch), 2, num_workers=workers):
            seen.append(batch.tolist())
    assert seen == [[0, 1], [2, 3], [4, 5]]
    text = str(caught.value)
    assert text.startswith("Caught KeyError in DataLoader worker process ")
    assert "Original Traceback (most recent call last):" in text and "in __getitem__" in text
    assert text.rstrip().endswith("KeyError: 'six'")


def test_an_error_in_worker_init_fn_is_raised_here(torch):
    def init(worker_id):
        raise ValueError("no start")

    with pytest.raises(ValueError, match="Caught ValueError in DataLoader worker process 0."):
        list(torch.utils.data.DataLoader(numbers(torch), num_workers=1, worker_init_fn=init))


def test_a_worker_that_dies_is_reported(torch):
    class Dies(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            if index == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return index

    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"):
        list(torch.utils.data.DataLoader(Dies(), num_workers=2))


def test_a_slow_worker_times_out(torch):
    class Slow(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            time.sleep(30)

    start = time.monotonic()
    with pytest.raises(RuntimeError, match="DataLoader timed out after 0.5 seconds"):
        list(torch.utils.data.DataLoader(Slow(), num_workers=1, timeout=0.5))
    assert time.monotonic() - start < 20


def test_large_requests_and_batches_do_not_block_each_other(torch):
    loader = torch.utils.data.DataLoader(range(200000), 20000, num_workers=2, shuffle=True)
    assert sum(int(batch.sum()) for batch in loader) == 199999 * 100000


def test_workers_end_with_the_iterator(torch):
    iterator = iter(torch.utils.data.DataLoader(range(1000), 10, num_workers=2))
    next(iterator)
    workers = iterator._workers
    del iterator
    assert not any(worker.is_alive() for worker in workers)


def test_a_batch_of_a_tensor_dataset_is_a_copy(torch):
    data = torch.arange(6.0)
    for shuffle in (False, True):
        for (batch,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), 6, shuffle=shuffle):
            batch.zero_()
    assert data.tolist() == [0, 1, 2, 3, 4, 5]


def test_numpy_samples_become_tensors(torch):
    np = pytest.importorskip("numpy")
    collate = torch.utils.data.default_collate
    assert torch.equal(collate([np.ones(2), np.zeros(2)]), torch.tensor([[1.0, 1], [0, 0]], dtype=torch.float64))
    assert collate([np.float32(1), np.float32(2)]).tolist() == [1, 2]
    with pytest.raises(TypeError, match="default_collate: batch must contain tensors"):
        collate([np.array("a")])
    assert torch.utils.data.default_convert({"a": np.ones(1)})["a"].dtype == torch.float64


def test_workers_seed_numpy_as_pytorch_does(torch):
    np = pytest.importorskip("numpy")

    class Draws(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return float(np.random.rand())

    torch.manual_seed(0)
    found = [batch.item() for batch in torch.utils.data.DataLoader(Draws(), num_workers=2)]
    assert found == pytest.approx(NUMPY_DRAWS, abs=1e-12)


NUMPY_DRAWS = [0.8371640508861415, 0.6702704958690073, 0.38757835109739946, 0.07589687641367027]
