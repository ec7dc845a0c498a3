"""torch.fft."""
from hwaro._C.fft import *  # noqa: F401,F403
