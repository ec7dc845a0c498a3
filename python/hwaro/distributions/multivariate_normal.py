"""Normal vectors with a covariance matrix."""

import math

import hwaro as torch
from hwaro.distributions import constraints
from hwaro.distributions.distribution import Distribution
from hwaro.distributions.normal import _standard_normal
from hwaro.distributions.utils import lazy_property


def _mahalanobis(factor, x):
    """|L^-1 x|^2 of vectors x and lower triangles L, which broadcast."""
    shape = torch.broadcast_shapes(factor.shape[:-2], x.shape[:-1])
    size = x.shape[-1]
    solved = torch.linalg.solve_triangular(factor.expand(shape + (size, size)), x.expand(shape + (size,)).unsqueeze(-1),
                                           upper=False)
    return solved.squeeze(-1).pow(2).sum(-1)


def _log_diagonal(factor):
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class MultivariateNormal(Distribution):
    """MultivariateNormal(loc, covariance_matrix) of vectors (…, n); or with precision_matrix, or scale_tril, the lower
    triangle L of the covariance L L^T."""

    arg_constraints = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        (name, matrix), = given.items()
        if matrix.dim() < 2:
            raise ValueError(f"{name} {'matrix ' if name == 'scale_tril' else ''}must be at least two-dimensional, "
                             "with optional leading batch dimensions")
        batch = torch.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(batch + (-1, -1)))
        self.loc = loc.expand(batch + (-1,))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._factor = matrix
        elif name == "covariance_matrix":
            self._factor = torch.linalg.cholesky(matrix)
        else:  # the inverse of the precision's factor, turned round so that it is lower
            upper = torch.flip(torch.linalg.cholesky(torch.flip(matrix, (-2, -1))), (-2, -1)).mT
            eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
            self._factor = torch.linalg.solve_triangular(upper.mT, eye, upper=True).mT

    def _expand_into(self, new, batch_shape):
        super()._expand_into(new, batch_shape)
        new._factor = self._factor

    def _full(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        return self._full(self._factor)

    @lazy_property
    def covariance_matrix(self):
        return self._full(self._factor @ self._factor.mT)

    @lazy_property
    def precision_matrix(self):
        return self._full(torch.cholesky_inverse(self._factor))

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self._factor.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=torch.Size()):
        shape = self._extended_shape(sample_shape)
        noise = _standard_normal(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + torch.matmul(self._factor, noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _mahalanobis(self._factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - _log_diagonal(self._factor)

    def entropy(self):
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + _log_diagonal(self._factor)
        return entropy if len(self._batch_shape) == 0 else entropy.expand(self._batch_shape)
