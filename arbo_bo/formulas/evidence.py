"""The log posterior density of a Gaussian process's hyperparameters, with its gradient (numpy).

Source of the marginal likelihood and its gradient: C. E. Rasmussen and C. K. I. Williams, Gaussian
Processes for Machine Learning, MIT Press 2006, equations 2.30 and 5.9.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri

from arbo_bo.formulas.kernel import SQRT5, matern52, matern52_slope

Vector = NDArray[np.float64]
LOG_2PI = math.log(2 * math.pi)

MeanWithJacobian = Callable[[Vector], tuple[Vector, Vector]]
"""Mean parameters of shape (m,) -> values of shape (n,) and their Jacobian of shape (n, m)."""


@dataclass(frozen=True)
class NormalPriors:
    """Independent normal priors on a vector; where `logarithmic`, lognormal on its exponential.

    Attributes:
        location: Means, shape (m,).
        scale: Standard deviations, above 0, shape (m,).
        logarithmic: Shape (m,), bool. The density is then that of exp(x) by exp(x), so it carries
            the factor exp(-x): the convention of a `LogNormalPrior` on a positive hyperparameter.
    """

    location: Vector
    scale: Vector
    logarithmic: NDArray[np.bool_]

    def log_density(self, x: Vector) -> tuple[float, Vector]:
        """The log density at x, and its gradient of shape (m,)."""
        z = (x - self.location) / self.scale
        value = -0.5 * (z @ z) - np.log(self.scale).sum() - 0.5 * len(x) * LOG_2PI
        value -= x[self.logarithmic].sum()
        return float(value), -z / self.scale - self.logarithmic


@dataclass(frozen=True)
class Evidence:
    """log p(y | hyperparameters) + log p(hyperparameters), over n observations.

    The hyperparameters are one vector: the mean's m parameters, then log outputscale, d log
    lengthscales and log noise variance. The covariance is outputscale * Matern-5/2 + noise * I.

    Attributes:
        mean: The mean at the training inputs as a function of its parameters.
        features: Kernel features of the inputs, shape (n, d).
        y: Outcomes, shape (n,).
        priors: Priors on the whole vector, shape (m + d + 2,).
    """

    mean: MeanWithJacobian
    features: Vector
    y: Vector
    priors: NormalPriors

    def __post_init__(self) -> None:
        difference = self.features[:, None, :] - self.features[None, :, :]
        object.__setattr__(self, "_squared", difference**2)

    def log_density(self, x: Vector) -> tuple[float, Vector]:
        """The log posterior density at x, up to the evidence's constant, and its gradient.

        Raises:
            numpy.linalg.LinAlgError: The covariance is not positive definite in double precision.
        """
        n, d = self.features.shape
        m = len(x) - d - 2
        outputscale, noise = math.exp(x[m]), math.exp(x[-1])
        weights = np.exp(-2 * x[m + 1 : -1])
        squared: Vector = self._squared  # type: ignore[attr-defined]  # set above
        r = np.sqrt(squared @ weights)
        decay = outputscale * np.exp(-SQRT5 * r)
        covariance = matern52(r, decay)
        values, jacobian = self.mean(x[:m])
        residual = self.y - values

        factor, failed = dpotrf(covariance + noise * np.eye(n), lower=1, clean=0)
        if failed:
            raise np.linalg.LinAlgError("the covariance is not positive definite")
        inverse, _ = dpotri(factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        alpha = inverse @ residual
        by_covariance = 0.5 * (np.outer(alpha, alpha) - inverse)

        value = -0.5 * (residual @ alpha) - np.log(np.diag(factor)).sum() - 0.5 * n * LOG_2PI
        by_distance = (by_covariance * matern52_slope(r, decay)).reshape(-1)
        gradient = np.concatenate(
            [
                jacobian.T @ alpha,
                [np.vdot(by_covariance, covariance)],
                (by_distance @ squared.reshape(-1, d)) * weights,
                [noise * np.trace(by_covariance)],
            ]
        )
        prior, prior_gradient = self.priors.log_density(x)
        return float(value + prior), gradient + prior_gradient
