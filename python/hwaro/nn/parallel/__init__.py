"""Data parallelism. With one device, DataParallel is the module itself under the name `module`."""
from hwaro.nn.modules.module import Module

__all__ = ["DataParallel", "data_parallel"]

_MISSING = frozenset(["DistributedDataParallel", "scatter", "gather", "parallel_apply", "replicate"])


class DataParallel(Module):
    """Runs a module; there is no second device to split the batch over."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """module(*inputs) on the one device."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*inputs, **(module_kwargs or {}))


def __getattr__(name):
    # Programs import these and use them with several devices only.
    if name in _MISSING:
        from hwaro._alias import MissingName
        return MissingName(f"torch.nn.parallel.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
