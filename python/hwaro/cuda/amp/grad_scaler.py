"""torch.cuda.amp.GradScaler as a module."""
from hwaro.cuda.amp import GradScaler  # noqa: F401
