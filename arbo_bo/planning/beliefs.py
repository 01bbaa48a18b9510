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
from arbo_bo.numerics.priors import DEFAULT_PRIORS, Priors

ALIKE = 0.5
"""Standard deviation of log noise variance among the stages of one workflow, around their median:
a factor of 1.3 in the noise. Source: cost and misses over replayed workflows, docs/planning.md."""
NEVER = 1e-12
"""A probability that no evidence of fifty runs outweighs."""
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
        exponent: Of the power of a worker type (`Power`), relative to the input size's.
    """

    experiment: Experiment
    trials: Sequence[Trial]
    types: Sequence[WorkerType | None]
    exponent: float = 1.0


@dataclass(frozen=True)
class Power:
    """How worker types act: one of twice the power has, as it were, half of the input to work on.

    With gamma' = gamma / power^e the law's work gamma'^k shrinks with the power, by an exponent
    k e that is learned, and the residual sees type and degree together.

    Attributes:
        measure: What of a type its power is: "cpus", or "memory_gb" where the cores are the same in
            all types; None: there is one type.
        exponent: e.
    """

    measure: str | None
    exponent: float = 1.0

    @classmethod
    def of(cls, types: Sequence[WorkerType | None], exponent: float = 1.0) -> "Power":
        """What differs among types."""
        known = [t for t in types if t is not None]
        for measure in ("cpus", "memory_gb"):
            if len({getattr(t, measure) for t in known}) > 1:
                return cls(measure, exponent)
        return cls(None)

    def context(self, context: Context, base: float | None, kind: WorkerType | None) -> Context:
        """The context as the law sees it."""
        if self.measure is None or kind is None:
            return context
        size = (context.input_size or base or 1.0) if base is not None else 1.0
        power = float(getattr(kind, self.measure)) ** self.exponent
        return replace(context, input_size=size / power)

    def experiment(self, experiment: Experiment) -> Experiment:
        """The experiment, with the base size that those contexts are relative to."""
        base = experiment.model.base_input_size
        if self.measure is None or base is not None:
            return experiment
        return replace(experiment, model=replace(experiment.model, base_input_size=1.0))


class Belief:
    """What a window of one task's runs says of log T.

    Args:
        surrogate: Its fit.
        power: How worker types act.
        base: The task's base size; None: none is known.
    """

    def __init__(self, surrogate: GPSurrogate, power: Power, base: float | None) -> None:
        self._surrogate, self._power, self._base = surrogate, power, base

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
        window, power, base = self._surrogate.window, self._power, self._base
        rows = [
            (float(p.parallelism), *window.at(power.context(p.context, base, p.worker_type)))
            for p in points
        ]
        with one_thread():
            return self._surrogate.posterior.at(np.array(rows)).of_log_time()


def _for_types(priors: Priors) -> Priors:
    """Without stragglers: beside a run at the same degree, another type's run is no repeat."""
    return replace(priors, anomalies=replace(priors.anomalies, straggler=NEVER))


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
    powers = [Power.of(w.types, w.exponent) for w in windows]
    asked = []
    for window, power in zip(windows, powers, strict=True):
        base = window.experiment.model.base_input_size
        trials = [
            replace(t, context=power.context(t.context, base, kind))
            for t, kind in zip(window.trials, window.types, strict=True)
        ]
        experiment = replace(
            power.experiment(window.experiment),
            estimator=Estimator.GP,
            residual=Residual.MULTIPLICATIVE,
        )
        asked.append((experiment, trials, _for_types(priors) if power.measure else priors))
    return [
        Belief(surrogate, power, window.experiment.model.base_input_size)
        for surrogate, power, window in zip(fit_all(asked), powers, windows, strict=True)
        if isinstance(surrogate, GPSurrogate)
    ]
