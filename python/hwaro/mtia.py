"""Meta's accelerators: this build has no such backend."""


def is_available():
    return False


def is_initialized():
    return False


def device_count():
    return 0


def manual_seed(seed):
    int(seed)


manual_seed_all = manual_seed
