"""Data parallelism. With one device, DataParallel is the module itself under the name `module`."""
from hwaro.nn.modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Runs a module; there is no second device to split the batch over."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)
