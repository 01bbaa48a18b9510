"""A zero-mean Gaussian process on additive residuals, fitted by maximum a posteriori (numpy)."""

import math
from dataclasses import dataclass

import numpy as np

from arbo_bo.experiment import MeanFunction
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.evidence import Evidence
from arbo_bo.numerics.inputs import COLUMNS
from arbo_bo.numerics.kernel import matern52, squared_distances
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.linear_algebra import lower_inverse
from arbo_bo.numerics.newton import maximise

# Logarithms: outputscale, three lengthscales, noise; residuals over their root mean square, inputs
# over the window's range. Locations and scales of lengthscales and noise are BoTorch's defaults.
_D = len(COLUMNS)
_LOCATION = np.array([0.0, *_D * (math.sqrt(2) + math.log(3) / 2,), -4.0])
_SCALE = np.array([1.0, *_D * (math.sqrt(3),), 1.0])
_BOUNDS = np.log(((1e-2, 1e2), *_D * ((2.5e-2, 1e3),), (1e-4, 1e1)))


@dataclass(frozen=True)
class ResidualProcess:
    """A zero-mean Gaussian process with a Matern-5/2 ARD covariance on scaled inputs.

    Attributes:
        scale: Root mean square of the residuals [s].
        low: Smallest inputs, shape (3,).
        span: Their ranges, shape (3,); 1 where all are alike.
        hyperparameters: log outputscale, three log lengthscales and log noise variance.
        inputs: Scaled training inputs, shape (n, 3).
        inverse: Inverse of the training covariance's lower Cholesky factor, L.
        weights: The inverse covariance times the scaled residuals.
    """

    scale: float
    low: Vector
    span: Vector
    hyperparameters: Vector
    inputs: Vector
    inverse: Vector
    weights: Vector

    @classmethod
    def fitted(cls, inputs: Vector, residuals_s: Vector) -> "ResidualProcess":
        """Maximises the marginal likelihood under the priors."""
        low, span = inputs.min(axis=0), np.ptp(inputs, axis=0)
        span = np.where(span > 0, span, 1.0)
        scale = float(np.sqrt(np.mean(residuals_s**2))) or 1.0
        scaled, y = (inputs - low) / span, residuals_s / scale
        # A lognormal density of a positive hyperparameter is largest at location - scale^2 of its
        # logarithm, and normal around there. Besides that place, a start that takes the residuals
        # for structure, not for noise.
        location = _LOCATION - _SCALE**2
        starts = np.array([_LOCATION, [0.0, *_D * (math.log(0.5),), math.log(1e-2)]])
        found = maximise(_zero_mean(scaled, y, location, len(starts)), starts)
        best = found.x[found.value.argmax()]
        covariance = _covariance(scaled, scaled, best) + math.exp(best[-1]) * np.eye(len(y))
        inverse = lower_inverse(np.linalg.cholesky(covariance))
        return cls(scale, low, span, best, scaled, inverse, inverse.T @ (inverse @ y))

    def predict(self, inputs: Vector) -> tuple[Vector, Vector]:
        """Mean and standard deviation of a run's residual [s], its noise included."""
        cross = _covariance((inputs - self.low) / self.span, self.inputs, self.hyperparameters)
        explained = ((cross @ self.inverse.T) ** 2).sum(axis=1)
        prior = math.exp(self.hyperparameters[0]) + math.exp(self.hyperparameters[-1])
        std = np.sqrt(np.maximum(prior - explained, 1e-12))
        return self.scale * (cross @ self.weights), self.scale * std


def _zero_mean(inputs: Vector, y: Vector, location: Vector, repeat: int) -> Evidence:
    """The evidence of the process's hyperparameters alone, `repeat` times."""
    n = len(y)
    squared = np.moveaxis((inputs[:, None] - inputs[None]) ** 2, -1, 0).reshape(_D, n * n)

    def again(values: Vector) -> Vector:
        return np.broadcast_to(values, (repeat, *values.shape))

    none = np.zeros((n, n))
    return Evidence(
        law=LAWS[MeanFunction.AMDAHL],  # integrated out: the mean is `centre`
        log_outcome=False,
        squared=again(squared),
        structure=again(none),
        basis=again(np.zeros((n, 0))),
        log_gamma=again(np.zeros(n)),
        y=again(y),
        location=again(location),
        scale=again(_SCALE),
        low=again(_BOUNDS[:, 0]),
        high=again(_BOUNDS[:, 1]),
        mask=None,
        step=None,
        fixed=again(none),
        centre=again(np.zeros(n)),
        active=np.flatnonzero(squared.any(axis=1)),
    )


def _covariance(a: Vector, b: Vector, hyperparameters: Vector) -> Vector:
    distance = np.sqrt(squared_distances(a, b, np.exp(hyperparameters[1:-1])))
    return np.asarray(math.exp(hyperparameters[0]) * matern52(distance))
