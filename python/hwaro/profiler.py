"""The names of the profiler that programs leave in their code. Nothing is measured: what would measure says so."""

import enum

from hwaro.autograd.profiler import record_function  # noqa: F401


class ProfilerActivity(enum.Enum):
    CPU = 0
    CUDA = 1
    XPU = 2
    MTIA = 3


class ProfilerAction(enum.Enum):
    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """What to do at each step: wait, warm up, record, and again."""

    def action(step):
        step -= skip_first
        length = wait + warmup + active
        if step < 0 or (repeat > 0 and step // length >= repeat):
            return ProfilerAction.NONE
        at = step % length
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def _missing(name):
    def function(*args, **kwargs):
        raise NotImplementedError(
            f"Hwaro has no torch.profiler.{name}; measure with Python's cProfile or time.perf_counter"
        )

    return function


profile = _missing("profile")
tensorboard_trace_handler = _missing("tensorboard_trace_handler")
