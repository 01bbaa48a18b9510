"""The execution time's own distribution, from the posterior of an outcome."""

import math
from statistics import NormalDist

import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from torch import Tensor
from torch.special import log_ndtr, ndtr, ndtri

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Residual, validation
from arbo_bo.numerics.moments import log_mean_time

TAIL = -5.0
"""Below this mu / sigma the cut normal's quantile is found on the logarithm of its tail."""


class TimePosterior:
    """T [s] at each of some inputs, for log T ~ N(mu, sigma^2) or T ~ N(mu, sigma^2) on T > 0.

    Args:
        posterior: Of the outcome, ``batch_shape x q x 1``: log seconds, or seconds.
        residual: Which of the two it is.

    Attributes:
        mu: The outcome's mean, ``batch_shape x q``.
        sigma: Its standard deviation, ``batch_shape x q``.
    """

    def __init__(self, posterior: GPyTorchPosterior, residual: Residual) -> None:
        self.posterior, self.residual = posterior, residual
        self.mu: Tensor = posterior.mean.squeeze(-1)
        self.sigma: Tensor = posterior.variance.squeeze(-1).sqrt()

    @property
    def mean(self) -> Tensor:
        """E[T] [s]: exp(mu + sigma^2 / 2), or mu + sigma h, ``batch_shape x q``."""
        return self.log_mean.exp()

    @property
    def log_mean(self) -> Tensor:
        """Log E[T], ``batch_shape x q``."""
        value: Tensor = log_mean_time(self.mu, self.sigma, self.residual)
        return value

    @property
    def variance(self) -> Tensor:
        """Var[T] [s squared]: E[T]^2 (exp(sigma^2) - 1), or that of the cut normal.

        With z = mu / sigma and r = E[T] / sigma = z + h the latter is sigma^2 (1 - h r); below z =
        -30, where h r is 1 to most digits, (sigma / z)^2.
        """
        if self.residual is Residual.MULTIPLICATIVE:
            return self.mean**2 * torch.expm1(self.sigma**2)
        z, ratio = self.mu / self.sigma, self.mean / self.sigma
        near = 1 - (ratio - z) * ratio
        return self.sigma**2 * torch.where(z > -30, near, z.clamp_max(-1.0) ** -2)

    def quantile(self, q: float) -> Tensor:
        """The time that T stays under with probability q [s], ``batch_shape x q``.

        Raises:
            InvalidValueError: q is outside (0, 1).
        """
        q = validation.real("q", q)
        if not 0 < q < 1:
            raise InvalidValueError(f"q must lie strictly between 0 and 1, got {q:g}")
        if self.residual is Residual.MULTIPLICATIVE:
            return (self.mu + self.sigma * NormalDist().inv_cdf(q)).exp()
        z = self.mu / self.sigma
        # By symmetry P(T > t | T > 0) = Phi((mu - t) / sigma) / Phi(z).
        near = self.mu - self.sigma * ndtri((1 - q) * ndtr(z))
        return torch.where(z > TAIL, near, self.sigma * _tail_quantile(z.clamp_max(TAIL), q))

    def moment(self, urgency: float) -> Tensor:
        """E[T]^a, what a score is made of; not E[T^a]."""
        return (validation.positive("urgency", urgency) * self.log_mean).exp()

    def probability_within(self, limit_s: float) -> Tensor:
        """P(T <= t), ``batch_shape x q``.

        Args:
            limit_s: t, above 0 [s].
        """
        limit = validation.positive("limit_s", limit_s)
        if self.residual is Residual.MULTIPLICATIVE:
            return ndtr((math.log(limit) - self.mu) / self.sigma)
        # 1 - Phi((mu - t) / sigma) / Phi(mu / sigma), as logarithms.
        beyond = log_ndtr((self.mu - limit) / self.sigma) - log_ndtr(self.mu / self.sigma)
        return -torch.expm1(beyond)

    def rsample(self, sample_shape: torch.Size) -> Tensor:
        """Joint draws of T [s], ``sample_shape x batch_shape x q``.

        Those of an additive outcome are of the normal law itself, which is not cut at 0.

        Args:
            sample_shape: How many.
        """
        outcome = self.posterior.rsample(sample_shape).squeeze(-1)
        return outcome.exp() if self.residual is Residual.MULTIPLICATIVE else outcome


def _tail_quantile(z: Tensor, q: float) -> Tensor:
    """Solves log Phi(z - u) = log Phi(z) + log(1 - q) by Newton, from the exponential quantile."""
    wanted = log_ndtr(z) + math.log1p(-q)
    u = -math.log1p(-q) / -z
    for _ in range(4):
        log_density = -0.5 * (z - u) ** 2 - 0.5 * math.log(2 * math.pi)
        u = u + (log_ndtr(z - u) - wanted) * (log_ndtr(z - u) - log_density).exp()
    return u
