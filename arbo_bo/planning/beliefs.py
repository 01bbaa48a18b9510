"""The one place of the planner that asks the numerics: what is believed of one task's time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.experiment import Context, Estimator, Experiment, Residual, Trial
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.generation.surrogate import GPSurrogate, fit_all
from arbo_bo.generation.threads import one_thread
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.fitting import log_evidence
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.priors import DEFAULT_PRIORS

JITTER = 1e-9
"""Of the largest variance: what rounding takes from a covariance is less."""


@dataclass(frozen=True)
class Point:
    """Where a task's time is asked for.

    Attributes:
        parallelism: The degree.
        context: Input size and cluster load.
        worker_type: None: the one that is usual.
    """

    parallelism: int
    context: Context
    worker_type: WorkerType | None = None


class Belief:
    """What a window of one task's runs says of log T.

    Args:
        surrogate: Its fit.
    """

    def __init__(self, surrogate: GPSurrogate) -> None:
        self._surrogate = surrogate

    @property
    def log_evidence(self) -> float:
        """Of the window, its hyperparameters integrated out."""
        return log_evidence(self._surrogate.fit)

    def mean(self, points: Sequence[Point]) -> Vector:
        """E[log T], shape (m,)."""
        return np.asarray(self._joint(points).mean)

    def draw(self, points: Sequence[Point], normal: Vector) -> Vector:
        """Joint samples of log T without the noise of a run, ``m x N``.

        Args:
            points: m of them.
            normal: Standard normal draws, ``m x N``.
        """
        joint = self._joint(points)
        covariance = (joint.covariance + joint.covariance.T) / 2
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.clip(values, JITTER * max(values.max(), JITTER), None))
        return np.asarray(joint.mean[:, None] + root @ normal)

    def noise_std(self, points: Sequence[Point]) -> Vector:
        """Standard deviation of log T from run to run, shape (m,)."""
        noise = np.broadcast_to(self._joint(points).noise, (len(points),))
        return np.asarray(np.sqrt(noise))

    def _joint(self, points: Sequence[Point]) -> Joint:
        rows = [(float(p.parallelism), *self._surrogate.window.at(p.context)) for p in points]
        with one_thread():
            return self._surrogate.posterior.at(np.array(rows)).of_log_time()


def beliefs(windows: Sequence[tuple[Experiment, Sequence[Trial]]]) -> list[Belief]:
    """Learns from several windows as one batch.

    Args:
        windows: A task and runs of it that train, at least one each.
    """
    asked = [
        (replace(e, estimator=Estimator.GP, residual=Residual.MULTIPLICATIVE), trials)
        for e, trials in windows
    ]
    found = fit_all([(e, trials, DEFAULT_PRIORS) for e, trials in asked])
    return [Belief(s) for s in found if isinstance(s, GPSurrogate)]
