"""What a worker process knows about itself."""


class WorkerInfo:
    """id, num_workers, seed and dataset of the worker process that this code runs in."""

    def __init__(self, **values):
        self.__keys = tuple(values)
        for key, value in values.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_frozen", True)

    def __setattr__(self, key, value):
        if getattr(self, "_frozen", False):
            raise RuntimeError(f"Cannot assign attributes to {type(self).__name__} objects")
        object.__setattr__(self, key, value)

    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join(f"{key}={getattr(self, key)}" for key in self.__keys) + ")"


_current = None


def get_worker_info():
    """The WorkerInfo in a DataLoader's worker process, None elsewhere."""
    return _current
