"""torch.torch_version: the class of torch.__version__."""

from hwaro._torch_version import TorchVersion

__all__ = ["TorchVersion"]
