"""The same seed gives PyTorch's numbers, and leaves the generator in PyTorch's state."""

import pytest

from both import assert_same

SIZES = (1, 7, 15, 16, 17, 31, 1000, 2**20)
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


def state(lib, generator=None):
    """The state as integers, so that every byte counts."""
    return (generator.get_state() if generator is not None else lib.get_rng_state()).to(lib.int64)


def seeded(draw):
    """A program: seed, draw twice (the second draw shows what the first one cached), and the state afterwards."""

    def program(lib):
        lib.manual_seed(1234)
        return [draw(lib), draw(lib), state(lib)]

    return program


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["rand", "randn"])
def test_rand_and_randn(name, dtype, size):
    assert_same(seeded(lambda lib: getattr(lib, name)(size, dtype=getattr(lib, dtype))))


@pytest.mark.parametrize("name", ["rand", "randn"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex(name, dtype):
    for size in (1, 7, 8, 16, 33):
        assert_same(seeded(lambda lib: getattr(lib, name)(size, dtype=getattr(lib, dtype))))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "name,args",
    [
        ("uniform_", (-2.0, 3.0)),
        ("normal_", (1.5, 0.25)),
        ("exponential_", (1.5,)),
        ("log_normal_", (0.5, 0.75)),
        ("cauchy_", (1.0, 2.0)),
        ("geometric_", (0.3,)),
        ("bernoulli_", (0.3,)),
        ("random_", ()),
    ],
)
def test_in_place(name, args, dtype, size):
    assert_same(seeded(lambda lib: getattr(lib.zeros(size, dtype=getattr(lib, dtype)), name)(*args)))


@pytest.mark.parametrize(
    "name,args", [("uniform_", ()), ("normal_", ()), ("exponential_", ()), ("bernoulli_", (0.4,)), ("random_", (7,))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_targets_that_are_not_contiguous(name, args, dtype):
    for size in (3, 8, 17):
        assert_same(seeded(lambda lib: getattr(lib.zeros(size, 5, dtype=getattr(lib, dtype)).t(), name)(*args)))
        assert_same(seeded(lambda lib: getattr(lib.zeros(size, 9, dtype=getattr(lib, dtype))[:, 1::2], name)(*args)))


@pytest.mark.parametrize("dtype", INTEGERS + ("bool",) + FLOATS)
def test_random_of_integers(dtype):
    for bounds in ((), (2,), (100,), (5, 90), (-100, 100)):
        assert_same(seeded(lambda lib: lib.zeros(37, dtype=getattr(lib, dtype)).random_(*bounds)))


@pytest.mark.parametrize(
    "high",
    [
        1,
        2,
        10,
        255,
        2**16,
        2**24,
        2**28 - 1,
        2**28,
        2**28 + 1,
        2**31,
        2**32 - 1,
        2**32,
        2**32 + 1,
        2**40,
        2**62,
        2**63 - 1,
    ],
)
@pytest.mark.parametrize("low", [0, -1, -(2**31)])
def test_randint_at_the_borders_of_a_word(low, high):
    for size in (1, 16, 1000):
        assert_same(seeded(lambda lib: lib.randint(low, high, (size,))))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 16, 1000, 100_000])
def test_randperm(size):
    assert_same(seeded(lambda lib: lib.randperm(size)))
    assert_same(seeded(lambda lib: lib.randperm(size, dtype=lib.float32)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_probabilities(dtype):
    for size in SIZES[:-1]:
        assert_same(seeded(lambda lib: lib.bernoulli(lib.linspace(0, 1, size, dtype=getattr(lib, dtype)))))
        assert_same(seeded(lambda lib: lib.zeros(size).bernoulli_(lib.linspace(0, 1, size, dtype=getattr(lib, dtype)))))


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial(replacement):
    for weights in ([1.0, 2.0, 3.0, 0.0, 5.0], [[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]]):
        for count in (1, 2, 3):
            assert_same(seeded(lambda lib: lib.multinomial(lib.tensor(weights), count, replacement=replacement)))


def test_normal_with_tensors():
    assert_same(seeded(lambda lib: lib.normal(lib.arange(20.0), lib.linspace(0.1, 2, 20))))
    assert_same(seeded(lambda lib: lib.normal(lib.arange(20.0), 0.5)))
    assert_same(seeded(lambda lib: lib.normal(1.0, lib.linspace(0.1, 2, 20))))
    assert_same(seeded(lambda lib: lib.normal(1.0, 2.0, (3, 7))))
    assert_same(seeded(lambda lib: lib.poisson(lib.linspace(0.5, 30, 40))))


@pytest.mark.parametrize(
    "name", ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]
)
def test_dropout(name):
    shape = {"dropout1d": (4, 6, 5), "dropout3d": (2, 6, 2, 3, 3)}.get(name, (4, 6, 5, 3))
    for p in (0.0, 0.2, 0.5, 1.0):
        assert_same(seeded(lambda lib: getattr(lib.nn.functional, name)(lib.ones(shape), p, training=True)))


def test_rrelu_and_gumbel():
    assert_same(seeded(lambda lib: lib.nn.functional.rrelu(lib.linspace(-3, 3, 41), training=True)))
    assert_same(seeded(lambda lib: lib.nn.functional.gumbel_softmax(lib.linspace(-1, 1, 12).reshape(3, 4), tau=0.5)))
    assert_same(seeded(lambda lib: lib.nn.functional.gumbel_softmax(lib.linspace(-1, 1, 12).reshape(3, 4), hard=True)))


@pytest.mark.parametrize(
    "draw",
    [
        lambda lib, g: lib.rand(20, generator=g),
        lambda lib, g: lib.randn(20, generator=g),
        lambda lib, g: lib.randn(3, generator=g),
        lambda lib, g: lib.randint(0, 9, (20,), generator=g),
        lambda lib, g: lib.randperm(20, generator=g),
        lambda lib, g: lib.empty(5).uniform_(1, 2, generator=g),
        lambda lib, g: lib.bernoulli(lib.full((20,), 0.4), generator=g),
        lambda lib, g: lib.multinomial(lib.ones(9), 4, generator=g),
        lambda lib, g: lib.normal(0.0, 1.0, (20,), generator=g),
    ],
)
def test_generator_of_its_own(draw):
    def program(lib):
        lib.manual_seed(5)
        g = lib.Generator().manual_seed(99)
        out = [draw(lib, g), draw(lib, g)]
        return [*out, state(lib), state(lib, g), g.initial_seed()]

    assert_same(program)


def test_states_are_restored():
    def program(lib):
        lib.manual_seed(3)
        lib.randn(5)
        saved = lib.get_rng_state()
        first = lib.randn(5)
        lib.set_rng_state(saved)
        again = lib.randn(5)
        with lib.random.fork_rng():
            lib.rand(3)
        return [first, again, lib.rand(2), lib.initial_seed(), state(lib)]

    assert_same(program)


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32, 2**63 - 1, -1, -5])
def test_seeds(seed):
    def program(lib):
        lib.manual_seed(seed)
        return [lib.rand(4), lib.initial_seed()]

    assert_same(program)


@pytest.mark.parametrize("like", ["rand_like", "randn_like"])
def test_likes_keep_the_layout(like):
    assert_same(seeded(lambda lib: getattr(lib, like)(lib.zeros(6, 5).t())))
    assert_same(seeded(lambda lib: getattr(lib, like)(lib.zeros(6, 5, dtype=lib.float64)[:, ::2])))
    assert_same(seeded(lambda lib: lib.randint_like(lib.zeros(6, 5).t(), 3, 50)))
