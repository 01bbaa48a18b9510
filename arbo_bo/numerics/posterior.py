"""A fit's posterior: exact Gaussian-process prediction with the law integrated out (numpy).

Around the law's best parameters v the law is f(x) + J(x) (theta - v); with theta ~ N(l, P) it is a
Gaussian process of mean f + J (l - v) and covariance J P J' beside the residual's, so that the
posterior knows what few runs leave open of the law.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, section 2.7
(explicit basis functions).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.fitting import Fit
from arbo_bo.numerics.inputs import GAMMA, capacity, features
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.kernel import correlation, correlation_at_zero
from arbo_bo.numerics.linear_algebra import lower_inverse


@dataclass(frozen=True, eq=False)
class Linearised:
    """The mean and what the law's uncertainty adds, at n points.

    Attributes:
        mean: f + J (l - v), shape (n,).
        root: J P^(1/2), ``n x m``.
    """

    mean: Vector
    root: Vector


class Posterior:
    """What a fit says of the outcome at any points.

    Args:
        fit: Of one window.
    """

    def __init__(self, fit: Fit) -> None:
        self.fit = fit

    def at(self, X: ArrayLike, references: Any = None, as_fitted: bool = False) -> Joint:
        """The joint belief at m points.

        Args:
            X: ``m x d`` in physical units.
            references: Positions of the points that every point's covariance is wanted with; None:
                all of them.
            as_fitted: Whether the runs are believed with the noise as fitted, which explores, in
                place of the noise that predicts.
        """
        points = np.asarray(X, dtype=float)
        chosen = np.arange(len(points)) if references is None else np.asarray(references)
        fit, runs = self.fit, self._runs
        new, law = features(points), self._linearised(points)
        cross = self._kernel(new, runs.features) + law.root @ runs.law.root.T
        inverse, told = self._told(as_fitted)
        weights = cross @ inverse.T
        prior = fit.outputscale * correlation_at_zero(new, fit.problem.priors.structure)
        prior += (law.root**2).sum(-1)
        across = self._kernel(new, new[chosen]) + law.root @ law.root[chosen].T
        return Joint(
            X=points,
            mean=law.mean + weights @ told,
            variance=np.maximum(prior - (weights**2).sum(-1), 0.0),
            covariance=across - weights @ weights[chosen].T,
            references=chosen,
            noise=fit.noise * (1.0 if as_fitted else fit.noise_inflation),
            residual=fit.problem.residual,
            log_scale=fit.problem.log_scale,
        )

    @cached_property
    def _runs(self) -> "_Runs":
        problem, kept = self.fit.problem, self.fit.kept
        return _Runs(problem.features[kept], self._linearised(problem.X[kept]))

    @cached_property
    def _prior_covariance(self) -> Vector:
        runs = self._runs
        return self._kernel(runs.features, runs.features) + runs.law.root @ runs.law.root.T

    @cached_property
    def _by_noise(self) -> dict[bool, tuple[Vector, Vector]]:
        return {}

    def _told(self, as_fitted: bool) -> tuple[Vector, Vector]:
        """L^-1 of the runs' covariance, and L^-1 (y - mean)."""
        if as_fitted not in self._by_noise:
            fit = self.fit
            noise = fit.noise * (1.0 if as_fitted else fit.noise_inflation)
            covariance = self._prior_covariance + noise * np.eye(len(self._prior_covariance))
            inverse = lower_inverse(np.linalg.cholesky(covariance))
            residual = fit.explanation.y[fit.kept] - self._runs.law.mean
            self._by_noise[as_fitted] = inverse, inverse @ residual
        return self._by_noise[as_fitted]

    def _kernel(self, a: Vector, b: Vector) -> Vector:
        fit = self.fit
        shape = correlation(a, b, fit.lengthscales, fit.problem.priors.structure)
        return np.asarray(fit.outputscale * shape)

    def _linearised(self, X: Vector) -> Linearised:
        fit, problem = self.fit, self.fit.problem
        theta = fit.law_parameters
        time, jacobian = problem.law.runtime_and_jacobian(capacity(X), X[:, GAMMA], theta)
        if problem.residual is Residual.MULTIPLICATIVE:
            time, jacobian = np.log(time), jacobian / time[:, None]
        mean = time + jacobian @ (problem.law_location - theta)
        return Linearised(mean, jacobian * problem.law_scale)


@dataclass(frozen=True, eq=False)
class _Runs:
    """The runs that train: their features, and the law there."""

    features: Vector
    law: Linearised
