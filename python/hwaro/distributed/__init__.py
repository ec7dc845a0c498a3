"""Training on several machines is not there; programs can ask, and see that it is not."""


def is_available():
    return False


def is_initialized():
    return False


def is_nccl_available():
    return False


is_mpi_available = is_gloo_available = is_ucc_available = is_torchelastic_launched = is_nccl_available


def _uninitialized(*args, **kwargs):
    raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")


get_rank = get_world_size = get_backend = all_reduce = all_gather = broadcast = barrier = reduce = _uninitialized


def init_process_group(*args, **kwargs):
    raise NotImplementedError("Hwaro has no torch.distributed: it trains in one process")


def destroy_process_group(group=None):
    _uninitialized()
