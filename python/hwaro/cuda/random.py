"""Seeds of CUDA devices: kept for the day there is one, like PyTorch does."""

__all__ = [
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "get_rng_state",
    "get_rng_state_all",
    "set_rng_state",
    "set_rng_state_all",
    "initial_seed",
]


def _lazy_init():
    raise AssertionError("Torch not compiled with CUDA enabled")


def manual_seed(seed):
    int(seed)


manual_seed_all = manual_seed


def seed():
    pass


seed_all = seed


def get_rng_state(device="cuda"):
    _lazy_init()


def get_rng_state_all():
    return []


def set_rng_state(new_state, device="cuda"):
    pass


def set_rng_state_all(new_states):
    for state in new_states:
        set_rng_state(state)


def initial_seed():
    _lazy_init()
