"""The names of the profiler that programs leave in their code. What they enclose runs; nothing is measured."""

import contextlib


class record_function(contextlib.ContextDecorator):
    """Names a part of a program for a profiler."""

    def __init__(self, name, args=None):
        self.name = name
        self.args = args

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


class profile:
    """PyTorch's profiler is not there: making one raises."""

    def __init__(self, enabled=True, **kwargs):
        if enabled:
            raise NotImplementedError(
                "Hwaro has no torch.autograd.profiler.profile; measure with Python's cProfile or time.perf_counter"
            )

    def __enter__(self):
        return None

    def __exit__(self, *error):
        pass
