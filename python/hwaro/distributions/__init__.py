"""Probability distributions: sampling, log-probabilities, moments, entropies and divergences."""

from hwaro.distributions import constraints  # noqa: F401
from hwaro.distributions.bernoulli import Bernoulli
from hwaro.distributions.categorical import Categorical
from hwaro.distributions.cauchy import Cauchy
from hwaro.distributions.distribution import Distribution
from hwaro.distributions.exponential import Exponential
from hwaro.distributions.gamma import Beta, Chi2, Dirichlet, Gamma, StudentT
from hwaro.distributions.geometric import Geometric
from hwaro.distributions.half_normal import HalfNormal
from hwaro.distributions.independent import Independent
from hwaro.distributions.kl import kl_divergence, register_kl
from hwaro.distributions.laplace import Laplace
from hwaro.distributions.log_normal import LogNormal
from hwaro.distributions.multivariate_normal import MultivariateNormal
from hwaro.distributions.normal import Normal
from hwaro.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from hwaro.distributions.poisson import Poisson
from hwaro.distributions.uniform import Uniform

__all__ = [
    "Bernoulli",
    "Beta",
    "Chi2",
    "Dirichlet",
    "Gamma",
    "MultivariateNormal",
    "StudentT",
    "Categorical",
    "Cauchy",
    "Distribution",
    "Exponential",
    "Geometric",
    "HalfNormal",
    "Independent",
    "Laplace",
    "LogNormal",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Poisson",
    "Uniform",
    "kl_divergence",
    "register_kl",
]
