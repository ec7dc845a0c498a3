"""Python's multiprocessing. Tensors go to other processes as copies, or are shared after share_memory_()."""

from multiprocessing import *  # noqa: F401,F403
from multiprocessing import connection, context, get_context, process, queues, reduction, set_start_method  # noqa: F401

from hwaro.multiprocessing.spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,  # noqa: F401
    SpawnContext,
    spawn,
    start_processes,
)


def set_sharing_strategy(new_strategy):
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"unknown sharing strategy {new_strategy}")


def get_sharing_strategy():
    return "file_descriptor"


def get_all_sharing_strategies():
    return {"file_descriptor", "file_system"}


def init_reductions():
    pass
