"""Mixed precision. Casting inside `autocast` is not built in: it is off on devices that are not there, as in PyTorch,
and an error on the CPU; loss scaling works.
"""

from hwaro.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available  # noqa: F401
from hwaro.amp.grad_scaler import GradScaler  # noqa: F401
