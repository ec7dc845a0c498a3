"""torch.special."""
from hwaro._C.special import *  # noqa: F401,F403
