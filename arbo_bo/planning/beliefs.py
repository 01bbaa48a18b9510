"""The one place of the planner that asks the numerics: what is believed of one task's time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.experiment import (
    Context,
    Estimator,
    Experiment,
    Objective,
    Residual,
    Strategy,
    Trial,
)
from arbo_bo.experiment.worker_type import WorkerType, WorkerTypes
from arbo_bo.generation.surrogate import GPSurrogate, fit_all
from arbo_bo.generation.threads import one_thread
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.fitting import log_evidence
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.priors import DEFAULT_PRIORS

ALIKE = 0.5
"""Standard deviation of log noise variance among the stages of one workflow, around their median:
a factor of 1.3 in the noise. Source: cost and misses over replayed workflows, docs/planning.md."""
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


@dataclass(frozen=True)
class WindowOf:
    """Runs of one task that train.

    Attributes:
        experiment: The task.
        trials: At least one, oldest first.
        types: What each one's workers were.
    """

    experiment: Experiment
    trials: Sequence[Trial]
    types: Sequence[WorkerType | None]

    @property
    def kinds(self) -> dict[tuple[float, float], str]:
        """Names of the worker types that differ, by what they have; empty: there is one."""
        found = dict.fromkeys(_has(t) for t in self.types if t is not None)
        if len(found) < 2 or None in self.types:
            return {}
        return {has: f"type {number}" for number, has in enumerate(found)}

    def typed(self) -> tuple[Experiment, list[Trial]]:
        """The task and its runs, with worker types that hold what the numerics learn from."""
        kinds = self.kinds
        types = WorkerTypes(
            (name, WorkerType(cpus, memory)) for (cpus, memory), name in kinds.items()
        )
        experiment = replace(
            self.experiment,
            worker_types=types,
            objective=Objective(),
            strategy=Strategy(),
            estimator=Estimator.GP,
            residual=Residual.MULTIPLICATIVE,
        )
        names = [kinds[_has(t)] if kinds and t is not None else None for t in self.types]
        trials = [
            replace(t, arm=replace(t.arm, worker_type=name))
            for t, name in zip(self.trials, names, strict=True)
        ]
        return experiment, trials


def _has(kind: WorkerType) -> tuple[float, float]:
    return kind.cpus, kind.memory_gb


class Belief:
    """What a window of one task's runs says of log T.

    Args:
        surrogate: Its fit.
        kinds: Names of the worker types in its window, by what they have.
    """

    def __init__(self, surrogate: GPSurrogate, kinds: Mapping[tuple[float, float], str]) -> None:
        self._surrogate, self._kinds = surrogate, kinds

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
        window, numbers = self._surrogate.window, {has: i for i, has in enumerate(self._kinds)}

        def columns(kind: WorkerType | None) -> tuple[float, ...]:
            """What the numerics see of a type; one that never ran has a number of its own."""
            if not numbers:
                return ()
            cpus, memory = next(iter(numbers)) if kind is None else _has(kind)
            number = numbers.setdefault((cpus, memory), len(numbers))
            return cpus, memory, cpus, float(number)

        rows = [
            (float(p.parallelism), *window.at(p.context), *columns(p.worker_type)) for p in points
        ]
        with one_thread():
            return self._surrogate.posterior.at(np.array(rows)).of_log_time()


def beliefs(windows: Sequence[WindowOf], usual_noise: float | None = None) -> list[Belief]:
    """Learns from several windows as one batch.

    Args:
        windows: At least one run each.
        usual_noise: Standard deviation of log T from run to run in tasks like these; None: unknown.
    """
    priors = DEFAULT_PRIORS
    if usual_noise is not None:
        noise = replace(priors.noise, std=usual_noise, scale=ALIKE)
        priors = replace(priors, noise=noise)
    typed = [window.typed() for window in windows]
    found = fit_all([(experiment, trials, priors) for experiment, trials in typed])
    return [
        Belief(surrogate, window.kinds)
        for surrogate, window in zip(found, windows, strict=True)
        if isinstance(surrogate, GPSurrogate)
    ]
