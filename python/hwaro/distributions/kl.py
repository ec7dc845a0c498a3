"""Kullback-Leibler divergences, by pairs of classes."""

import math

import hwaro as torch
from hwaro.distributions.bernoulli import Bernoulli
from hwaro.distributions.categorical import Categorical
from hwaro.distributions.distribution import Distribution
from hwaro.distributions.exponential import Exponential
from hwaro.distributions.gamma import Beta, Dirichlet, Gamma
from hwaro.distributions.independent import Independent, _sum_rightmost
from hwaro.distributions.laplace import Laplace
from hwaro.distributions.log_normal import LogNormal
from hwaro.distributions.multivariate_normal import MultivariateNormal, _log_diagonal, _mahalanobis
from hwaro.distributions.normal import Normal
from hwaro.distributions.one_hot_categorical import OneHotCategorical
from hwaro.distributions.poisson import Poisson
from hwaro.distributions.uniform import Uniform

_registered = {}


def register_kl(type_p, type_q):
    """A decorator: the function computes the divergence of these classes (and of classes that derive from them)."""
    for cls in (type_p, type_q):
        if not isinstance(cls, type) or not issubclass(cls, Distribution):
            raise TypeError(
                f"Expected type_{'p' if cls is type_p else 'q'} to be a Distribution subclass but got {cls}"
            )

    def decorator(function):
        _registered[type_p, type_q] = function
        return function

    return decorator


def _distance(cls, base):
    return cls.__mro__.index(base)


def kl_divergence(p, q):
    """The expectation under p of log p - log q."""
    fitting = [
        (_distance(type(p), a) + _distance(type(q), b), f)
        for (a, b), f in _registered.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not fitting:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
        )
    return min(fitting, key=lambda pair: pair[0])[1](p, q)


@register_kl(Normal, Normal)
def _normal_normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _log_normal_log_normal(p, q):
    return _normal_normal(p.base_dist, q.base_dist)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p, q):
    softplus = torch.nn.functional.softplus
    t1 = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    t1[q.probs == 0] = math.inf
    t1[p.probs == 0] = 0
    t2 = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    t2[q.probs == 1] = math.inf
    t2[p.probs == 1] = 0
    return t1 + t2


@register_kl(Categorical, Categorical)
def _categorical_categorical(p, q):
    t = p.probs * (p.logits - q.logits)
    t[(q.probs == 0).expand_as(t)] = math.inf
    t[(p.probs == 0).expand_as(t)] = 0
    return t.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_one_hot(p, q):
    return _categorical_categorical(p._categorical, q._categorical)


@register_kl(Exponential, Exponential)
def _exponential_exponential(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Poisson, Poisson)
def _poisson_poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Laplace, Laplace)
def _laplace_laplace(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * torch.exp(-distance / p.scale) - 1


@register_kl(Uniform, Uniform)
def _uniform_uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    result[(q.low > p.low) | (q.high < p.high)] = math.inf
    return result


@register_kl(Uniform, Normal)
def _uniform_normal(p, q):
    width = p.high - p.low
    t1 = (math.sqrt(math.pi * 2) * q.scale / width).log()
    t2 = width.pow(2) / 12
    t3 = ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return t1 + 0.5 * (t2 + t3) / q.scale.pow(2)


@register_kl(Independent, Independent)
def _independent_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Gamma, Gamma)
def _gamma_gamma(p, q):
    return (q.concentration * (p.rate / q.rate).log() + torch.lgamma(q.concentration) - torch.lgamma(p.concentration)
            + (p.concentration - q.concentration) * torch.digamma(p.concentration)
            + (q.rate - p.rate) * (p.concentration / p.rate))


@register_kl(Dirichlet, Dirichlet)
def _dirichlet_dirichlet(p, q):
    total, others = p.concentration.sum(-1), q.concentration.sum(-1)
    constants = torch.lgamma(total) - torch.lgamma(others)
    each = (torch.lgamma(p.concentration) - torch.lgamma(q.concentration)).sum(-1)
    distance = torch.digamma(p.concentration) - torch.digamma(total).unsqueeze(-1)
    return constants - each + ((p.concentration - q.concentration) * distance).sum(-1)


@register_kl(Beta, Beta)
def _beta_beta(p, q):
    return _dirichlet_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normals(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError("KL-divergence between two Multivariate Normals with different event shapes cannot be computed")
    shape = torch.broadcast_shapes(p._factor.shape[:-2], q._factor.shape[:-2])
    size = p.event_shape[0]
    solved = torch.linalg.solve_triangular(q._factor.expand(shape + (size, size)), p._factor.expand(shape + (size, size)),
                                           upper=False)
    spread = solved.pow(2).sum((-2, -1))
    distance = _mahalanobis(q._factor, q.loc - p.loc)
    return _log_diagonal(q._factor) - _log_diagonal(p._factor) + 0.5 * (spread + distance - size)
