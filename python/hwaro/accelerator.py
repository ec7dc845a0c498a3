"""The accelerator of this machine: none."""


def is_available():
    return False


def device_count():
    return 0


def current_accelerator(check_available=False):
    return None


def _missing(*args, **kwargs):
    raise RuntimeError("Cannot access accelerator device when none is available.")


current_device_index = current_device_idx = set_device_index = set_device_idx = current_stream = set_stream = (
    synchronize
) = _missing
empty_cache = memory_stats = memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = _missing
reset_peak_memory_stats = reset_accumulated_memory_stats = get_memory_info = get_device_capability = _missing


class device_index:
    """Nothing for None or a negative index; otherwise there is no device to change to."""

    def __init__(self, device):
        self.idx = device

    def __enter__(self):
        if self.idx is not None and self.idx >= 0:
            _missing()

    def __exit__(self, *error):
        return False
