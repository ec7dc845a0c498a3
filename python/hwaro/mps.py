"""Metal: this build has no such backend; the functions answer as PyTorch's do without it."""


def is_available():
    return False


def device_count():
    return 0


def manual_seed(seed):
    int(seed)


def seed():
    pass


def _missing(function):
    def call(*args, **kwargs):
        raise RuntimeError(f"Cannot execute {function}() without MPS backend.")
    return call


synchronize = _missing("deviceSynchronize")
empty_cache = _missing("emptyCache")
current_allocated_memory = _missing("getCurrentAllocatedMemory")
driver_allocated_memory = _missing("getDriverAllocatedMemory")
recommended_max_memory = _missing("getRecommendedMaxMemory")
set_per_process_memory_fraction = _missing("setMemoryFraction")
get_rng_state = _missing("getDefaultMPSGenerator")
set_rng_state = _missing("getDefaultMPSGenerator")
