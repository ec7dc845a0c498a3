"""The order of samples and what batches are made of: samplers, loaders, splits."""

import warnings

import pytest

from both import assert_same


def loaded(lib, dataset, **kwargs):
    """Two epochs, and a number drawn afterwards: how much of the stream was used."""
    lib.manual_seed(77)
    loader = lib.utils.data.DataLoader(dataset, **kwargs)
    return [[batch for batch in loader], [batch for batch in loader], len(loader), lib.rand(2)]


def pairs(lib, count=23):
    return lib.utils.data.TensorDataset(lib.arange(count), lib.arange(count, dtype=lib.float64) / 2)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "shuffle": True},
        {"batch_size": 5, "shuffle": True, "drop_last": True},
        {"batch_size": None},
    ],
    ids=str,
)
def test_order(kwargs, workers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same(lambda lib: loaded(lib, pairs(lib), num_workers=workers, **kwargs))


def test_generator_and_samplers():
    def program(lib):
        data, out = lib.utils.data, []
        with_generator = loaded(lib, pairs(lib), batch_size=6, shuffle=True, generator=lib.Generator().manual_seed(5))
        for sampler in (
            data.RandomSampler(range(20)),
            data.RandomSampler(range(20), replacement=True, num_samples=35),
            data.SequentialSampler(range(5)),
            data.RandomSampler(range(6), num_samples=15),
            data.SubsetRandomSampler([3, 1, 4, 1, 5]),
            data.WeightedRandomSampler([0.1, 0.9, 3.0, 0.0], 9),
            data.WeightedRandomSampler([0.1, 0.9, 3.0], 2, replacement=False),
            data.BatchSampler(data.RandomSampler(range(11)), 3, False),
            data.BatchSampler(range(11), 4, True),
        ):
            lib.manual_seed(4)
            out.append([list(sampler), list(sampler), len(sampler), lib.rand(1)])
        return [with_generator, out]

    assert_same(program)


@pytest.mark.parametrize("lengths", [[10, 13], [0.5, 0.5], [0.3, 0.3, 0.4], [23]], ids=str)
def test_random_split(lengths):
    def program(lib):
        lib.manual_seed(8)
        parts = lib.utils.data.random_split(pairs(lib), lengths)
        mine = lib.utils.data.random_split(range(23), lengths, generator=lib.Generator().manual_seed(3))
        return [[list(p.indices) for p in parts], [len(p) for p in parts], [list(p) for p in mine], parts[0][0]]

    assert_same(program)


def test_distributed_sampler():
    def program(lib):
        sampler = lib.utils.data.distributed.DistributedSampler
        out = []
        for rank in range(3):
            one = sampler(range(20), num_replicas=3, rank=rank, shuffle=True, seed=2)
            one.set_epoch(4)
            out.append(
                [
                    list(one),
                    list(sampler(range(20), num_replicas=3, rank=rank, shuffle=False, drop_last=True)),
                    len(one),
                ]
            )
        return out

    assert_same(program)


def test_collating():
    def program(lib):
        collate = lib.utils.data.default_collate
        return [
            collate([1, 2]),
            collate([1.5, 2.5]),
            collate([True, False]),
            collate(["a", "b"]),
            collate([(1, 2.0), (3, 4.0)]),
            collate([[1, 2], [3, 4]]),
            list(collate([{"a": 1, "b": lib.ones(2)}, {"a": 2, "b": lib.zeros(2)}]).items()),
            collate([lib.ones(2, 2), lib.zeros(2, 2)]),
        ]

    assert_same(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.utils.data.default_collate([lib.ones(2), lib.ones(3)]),
        lambda lib: lib.utils.data.default_collate([None]),
        lambda lib: lib.utils.data.default_collate([[1], [1, 2]]),
        lambda lib: lib.utils.data.DataLoader([1], batch_size=0),
        lambda lib: lib.utils.data.DataLoader([1], shuffle=True, sampler=[0]),
        lambda lib: lib.utils.data.DataLoader([], shuffle=True),
        lambda lib: lib.utils.data.random_split(range(5), [2, 2]),
        lambda lib: lib.utils.data.RandomSampler([], num_samples=0),
        lambda lib: lib.utils.data.DataLoader([1], num_workers=-1),
        lambda lib: lib.utils.data.TensorDataset(lib.ones(2), lib.ones(3)),
        lambda lib: lib.utils.data.DataLoader([1], batch_size=2, batch_sampler=[[0]]),
        lambda lib: list(lib.utils.data.DataLoader([1, 2], sampler=[5])),
    ],
)
def test_errors(program):
    assert_same(lambda lib: bool(program(lib)) and None)


def test_iterable_stack_and_concatenated_datasets():
    def program(lib):
        data = lib.utils.data

        class Count(data.IterableDataset):
            def __iter__(self):
                return iter(range(7))

        joined = data.ConcatDataset([pairs(lib, 4), pairs(lib, 3)])
        return [
            loaded(lib, joined, batch_size=3),
            list(data.DataLoader(Count(), batch_size=3)),
            list(data.ChainDataset([Count(), Count()])),
            [joined[-1], len(joined)],
            list(data.Subset(range(10), [3, 1])),
        ]

    assert_same(program)
