"""What is believed of a run's outcome at several points together."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.arrays import TINY, lower_root, namespace, solve_lower
from arbo_bo.numerics.moments import log_time_moments


@dataclass(frozen=True, eq=False)
class Joint:
    """A normal belief about the noise-free outcome at m points, and a run's noise.

    The outcome is log(T / u), or T / u for an additive residual. Numpy or torch.

    Attributes:
        X: The points in physical units, ``... x m x d``.
        mean: ``... x m``.
        variance: ``... x m``.
        covariance: Of the points with the references, ``... x m x r``.
        references: Which of the points the references are, r positions.
        noise: Variance that a run's noise adds, a number or ``... x m``.
        residual: Which of the outcomes it is.
        log_scale: log u [log s], a number or ``... x 1``.
    """

    X: Any
    mean: Any
    variance: Any
    covariance: Any
    references: Any
    noise: Any
    residual: Residual
    log_scale: Any = 0.0

    @property
    def run_std(self) -> Any:
        """Standard deviation of the next run's outcome, its noise included, ``... x m``."""
        return namespace(self.mean).sqrt(
            namespace(self.mean).clip(self.variance + self.noise, 0, None)
        )

    def of_log_time(self) -> "Joint":
        """The belief about log T, u being 1 s; for an additive residual by its moments on T > 0."""
        if self.residual is Residual.MULTIPLICATIVE:
            return replace(self, mean=self.mean + self.log_scale, log_scale=0.0)
        xp = namespace(self.mean)
        std = xp.sqrt(xp.clip(self.variance, TINY, None))
        mean, log_std = log_time_moments(self.mean, std)
        ratio = log_std / std
        across = ratio[..., :, None] * self.covariance * ratio[..., None, self.references]
        return replace(
            self,
            mean=mean + self.log_scale,
            variance=log_std**2,
            covariance=across,
            noise=self.noise * ratio**2,
            residual=Residual.MULTIPLICATIVE,
            log_scale=0.0,
        )

    def given(self, pending: Any) -> "Joint":
        """The belief once some of the references are known to be what is expected of them.

        With the joint covariance [[V, c'], [c, P]] of the points and the pending ones the
        covariance falls to V - c' P^-1 c, and the mean stays.

        Args:
            pending: Positions among the references.
        """
        if not len(pending):
            return self
        at = self.references[pending]
        root = lower_root(self.covariance[..., at, :][..., :, pending])
        right = namespace(self.covariance).swapaxes(self.covariance[..., :, pending], -1, -2)
        told = solve_lower(root, right)
        xp = namespace(told)
        less = xp.matmul(xp.swapaxes(told, -1, -2), told[..., :, self.references])
        variance = xp.clip(self.variance - (told * told).sum(-2), 0, None)
        return replace(self, variance=variance, covariance=self.covariance - less)

    def at(self, points: Any, references: Any) -> "Joint":
        """The belief about some of the points, some of the references being theirs.

        Args:
            points: Positions, ascending.
            references: Positions among the references; each is one of the points.
        """
        noise = self.noise
        if getattr(noise, "ndim", 0):
            noise = noise[..., points]
        where = np.searchsorted(points, np.asarray(self.references)[references])
        return replace(
            self,
            X=self.X[..., points, :],
            mean=self.mean[..., points],
            variance=self.variance[..., points],
            covariance=self.covariance[..., points, :][..., :, references],
            references=where,
            noise=noise,
        )
