"""Intel's GPUs: this build has no such backend; the functions answer as PyTorch's do without it."""


def is_available():
    return False


def device_count():
    return 0


def is_initialized():
    return False


def is_bf16_supported():
    return False


def _missing(*args, **kwargs):
    raise AssertionError("Torch not compiled with XPU enabled")


init = current_device = set_device = get_device_name = get_device_properties = get_device_capability = _missing
synchronize = current_stream = _missing


def empty_cache():
    pass


def manual_seed(seed):
    int(seed)


manual_seed_all = manual_seed
