"""Distributions of the exponential family."""
from hwaro.distributions.distribution import ExponentialFamily  # noqa: F401
