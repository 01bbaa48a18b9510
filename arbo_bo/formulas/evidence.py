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

from arbo_bo.formulas.kernel import SQRT5, matern52, matern52_slope, structure

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

    @property
    def mode(self) -> Vector:
        """Where the density is largest, shape (m,)."""
        return np.asarray(self.location - self.logarithmic * self.scale**2)

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
    lengthscales and log noise variance. The covariance is outputscale * (Matern-5/2 + `structure`)
    + noise * I, and `fixed`.

    Attributes:
        mean: The mean at the training inputs as a function of its parameters.
        features: Kernel features of the inputs, shape (n, d).
        y: Outcomes, shape (n,).
        priors: Priors on the whole vector, shape (m + d + 2,).
        fixed: A covariance that has no hyperparameters, shape (n, n).
    """

    mean: MeanWithJacobian
    features: Vector
    y: Vector
    priors: NormalPriors
    fixed: Vector | float = 0.0

    def __post_init__(self) -> None:
        difference = self.features[:, None, :] - self.features[None, :, :]
        object.__setattr__(self, "_squared", difference**2)
        object.__setattr__(self, "_structure", structure(self.features, self.features))

    def of(self, kept: NDArray[np.bool_], y: Vector) -> "Evidence":
        """The evidence of some of the observations, with other outcomes.

        Args:
            kept: Which observations, shape (n,), bool.
            y: Outcomes of all of them, shape (n,).
        """

        def mean(parameters: Vector) -> tuple[Vector, Vector]:
            values, jacobian = self.mean(parameters)
            return values[kept], jacobian[kept]

        fixed = self.fixed
        if isinstance(fixed, np.ndarray):
            fixed = fixed[np.ix_(kept, kept)]
        return Evidence(mean, self.features[kept], y[kept], self.priors, fixed)

    def with_step(self, step: Vector, spread: float) -> "Evidence":
        """The evidence with one more parameter of the mean, behind the others: a factor of `step`.

        Args:
            step: What the factor is multiplied by, shape (n,).
            spread: Standard deviation of its prior, which is normal around 0.
        """
        m = len(self.priors.location) - self.features.shape[1] - 2

        def mean(parameters: Vector) -> tuple[Vector, Vector]:
            values, jacobian = self.mean(parameters[:-1])
            return values + parameters[-1] * step, np.column_stack((jacobian, step))

        priors = NormalPriors(
            np.insert(self.priors.location, m, 0.0),
            np.insert(self.priors.scale, m, spread),
            np.insert(self.priors.logarithmic, m, False),
        )
        return Evidence(mean, self.features, self.y, priors, self.fixed)

    def integrated(self, x: Vector) -> "Evidence":
        """The evidence with the mean's parameters integrated out, linearised at x.

        With the mean's Jacobian J at x and its priors N(l, P), outcomes are normal around mean(x) +
        J (l - x) and have the covariance J P J' beside the others: what is left as hyperparameters
        are log outputscale, log lengthscales and log noise.
        """
        m = len(x) - self.features.shape[1] - 2
        values, jacobian = self.mean(x[:m])
        location, scale = self.priors.location, self.priors.scale
        centre = values + jacobian @ (location[:m] - x[:m])
        none = np.zeros((len(self.y), 0))
        return Evidence(
            lambda _: (centre, none),
            self.features,
            self.y,
            NormalPriors(location[m:], scale[m:], self.priors.logarithmic[m:]),
            (jacobian * scale[:m] ** 2) @ jacobian.T,
        )

    def left_out(self, x: Vector) -> tuple[Vector, Vector, Vector]:
        """What the other observations predict of each.

        Returns:
            Residuals from the mean, shape (n,); the inverse covariance, shape (n, n); and the
            inverse times the residuals, alpha. The prediction of observation i has mean y_i -
            alpha_i / inverse_ii and variance 1 / inverse_ii, its noise included (Rasmussen and
            Williams, equation 5.12).
        """
        d = self.features.shape[1]
        m = len(x) - d - 2
        r = np.sqrt(self._squared @ np.exp(-2 * x[m + 1 : -1]))  # type: ignore[attr-defined]
        unlearned: Vector = self._structure  # type: ignore[attr-defined]  # set above
        covariance = math.exp(x[m]) * (matern52(r) + unlearned)
        covariance += math.exp(x[-1]) * np.eye(len(self.y))
        inverse = _inverse(_factor(covariance + self.fixed))
        residual = self.y - self.mean(x[:m])[0]
        return residual, inverse, inverse @ residual

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
        unlearned: Vector = self._structure  # type: ignore[attr-defined]  # set above
        covariance = matern52(r, decay) + outputscale * unlearned
        values, jacobian = self.mean(x[:m])
        residual = self.y - values

        factor = _factor(covariance + noise * np.eye(n) + self.fixed)
        inverse = _inverse(factor)
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


def _factor(covariance: Vector) -> Vector:
    factor, failed = dpotrf(covariance, lower=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("the covariance is not positive definite")
    return np.asarray(factor)


def _inverse(factor: Vector) -> Vector:
    inverse, _ = dpotri(factor, lower=1)
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)
