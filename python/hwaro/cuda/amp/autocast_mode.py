"""torch.cuda.amp.autocast as a module."""
from hwaro.cuda.amp import autocast, custom_bwd, custom_fwd  # noqa: F401
