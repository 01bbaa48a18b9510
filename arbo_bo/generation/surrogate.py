"""Trials become arrays, and a fit becomes predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any, Protocol

import numpy as np

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Context,
    Estimator,
    Experiment,
    Learned,
    MeanFunction,
    Objective,
    Prediction,
    Residual,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.generation.threads import one_thread
from arbo_bo.numerics.choosers import Alternatives, predictions
from arbo_bo.numerics.evidence import Vector
from arbo_bo.numerics.fitting import Fit, best_law
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.inputs import COLUMNS
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.online import OnlineAmdahlEstimator
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.problem import FitProblem, identifies_law

SMALLEST_SCALE = 1e-12
"""A prediction's scale is above 0, also where a time is known for certain."""
ONLINE_STATE = {"format": 1, "estimator": "online"}
"""What marks stored hyperparameters as the original algorithm's."""


class Surrogate(Protocol):
    """What was learned from a task's window."""

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """The next run's time at each degree, the noise of a run included."""
        ...

    def learned(self, previous: Experiment) -> Learned:
        """What to store."""
        ...


@dataclass(frozen=True)
class Window:
    """The runs that train, and what stands for what is unknown.

    Attributes:
        trials: Trials that train, oldest first, at least one; for the Gaussian process those among
            them that were cut off at a limit, too.
        base_input_size: N_base; None: unknown.
        typical_load: What stands for an unknown cluster load: the mean of the known ones, or 0.
    """

    trials: Sequence[Trial]
    base_input_size: float | None
    typical_load: float

    @classmethod
    def of(cls, experiment: Experiment, trials: Sequence[Trial]) -> "Window":
        """The newest trials of a history that train; the original algorithm needs measured times.

        Raises:
            NotEnoughObservationsError: No trial is completed.
        """
        if not any(t.trains for t in trials):
            raise NotEnoughObservationsError(
                f"{experiment.name!r} has no completed run yet: complete one trial, or attach "
                "history"
            )
        limits_too = experiment.estimator is Estimator.GP
        useful = [t for t in trials if t.trains or (limits_too and _is_censored(t))]
        newest = useful[-experiment.window :]
        loads = [load for t in newest if (load := t.training_context.cluster_load) is not None]
        return cls(newest, experiment.model.base_input_size, fmean(loads) if loads else 0.0)

    @property
    def startup_time_s(self) -> float | None:
        """The median of the measured start-up times [s]; None: none was measured."""
        known = [t.startup_time_s for t in self.trials if t.startup_time_s is not None]
        return median(known) if known else None

    def inputs(self) -> list[tuple[float, float, float]]:
        """s, gamma and L of each run."""
        return [(float(t.parallelism), *self.at(t.training_context)) for t in self.trials]

    def times_s(self) -> list[float]:
        """The execution time of each run, or the limit that it was cut off at [s]."""
        times = [t.execution_time_s or t.timed_out_after_s for t in self.trials]
        return [time for time in times if time is not None]

    def censored(self) -> list[bool]:
        """Which runs were cut off."""
        return [_is_censored(t) for t in self.trials]

    def at(self, context: Context) -> tuple[float, float]:
        """Gamma and L of a context."""
        load = context.cluster_load
        return context.gamma(self.base_input_size), self.typical_load if load is None else load


@dataclass(frozen=True)
class GPSurrogate:
    """A scalability law with a Gaussian process on it.

    Attributes:
        fit: What was learned.
        posterior: What it says.
        window: The runs that it was learned from.
    """

    fit: Fit
    posterior: Posterior
    window: Window

    @classmethod
    def of(cls, fit: Fit, window: Window) -> "GPSurrogate":
        """The surrogate of a fit."""
        return cls(fit, Posterior(fit), window)

    @property
    def identifies_law(self) -> bool:
        """Whether the window's degrees tell the law, so that nothing older has to."""
        return self.fit.problem.identifies_law

    def inputs(self, degrees: Sequence[int], context: Context) -> Vector:
        """The model's inputs for every degree at one context, ``m x d``."""
        return np.array([(float(s), *self.window.at(context)) for s in degrees])

    def alternatives(
        self,
        experiment: Experiment,
        context: Context,
        looked_at: Sequence[int],
        pending: Sequence[Trial],
        seed: int = 0,
        log_success: Vector | None = None,
    ) -> Alternatives:
        """Every allowed degree at one context, and what is believed of them.

        Args:
            experiment: Search space, objective and service levels.
            context: Input size and cluster load of the next run.
            looked_at: The degrees that the search rule leaves.
            pending: Runs of the task under way.
            seed: For what is drawn.
            log_success: As in `Alternatives`.
        """
        degrees = experiment.search_space.degrees
        position = {s: i for i, s in enumerate(degrees)}
        rows = [(float(t.parallelism), *self.window.at(t.context)) for t in pending]
        return Alternatives(
            posterior=self.posterior,
            X=self.inputs(degrees, context),
            looked_at=np.array([position[s] for s in looked_at]),
            reference=position[experiment.probe_parallelism],
            pending=np.array(rows).reshape(-1, len(COLUMNS)),
            objective=experiment.objective,
            slo=experiment.strategy.slo,
            seed=seed,
            log_success=log_success,
        )

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        with one_thread():
            belief = self.posterior.at(self.inputs(degrees, context), [0])
        return self.predictions(belief, degrees)

    def predictions(self, belief: Joint, degrees: Sequence[int]) -> list[Prediction]:
        """What a belief says of the next run's time at each degree."""
        return [
            Prediction(s, location, max(scale, SMALLEST_SCALE), self.fit.problem.residual)
            for s, (location, scale) in zip(degrees, predictions(belief), strict=True)
        ]

    def learned(self, previous: Experiment) -> Learned:
        """The law always, the hyperparameters where the window could teach them."""
        if not self.identifies_law:
            return Learned(self.fit.law, previous.model.hyperparameters)
        return Learned(self.fit.law, self.fit.hyperparameters.to_json())


@dataclass(frozen=True)
class OnlineSurrogate:
    """The method's original algorithm, gone on with from where the last decision left it."""

    estimator: OnlineAmdahlEstimator
    window: Window

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        gamma, load = self.window.at(context)
        mean, std = self.estimator.predict(list(degrees), gamma, load)
        pairs = zip(mean.tolist(), std.tolist(), strict=True)
        return [
            Prediction(s, mu, max(sigma, SMALLEST_SCALE), Residual.ADDITIVE)
            for s, (mu, sigma) in zip(degrees, pairs, strict=True)
        ]

    def candidates(
        self, degrees: Sequence[int], objective: Objective, context: Context
    ) -> list[Candidate]:
        """See `Surrogate`; the score is taken at the mean, as the original does."""
        times = self.estimator.scored_time(list(degrees), *self.window.at(context)).tolist()
        return [
            Candidate(p, objective.log_score(time, p.parallelism))
            for p, time in zip(self.predict(degrees, context), times, strict=True)
        ]

    def learned(self, previous: Experiment) -> Learned:
        """The smoothed law, and which trials it has learned from."""
        law = self.estimator.law
        state = {**ONLINE_STATE, "law": asdict(law), "seen": self.window.trials[-1].trial_index}
        return Learned(law, state)


def fit(experiment: Experiment, trials: Sequence[Trial]) -> Surrogate:
    """Learns from the newest window of completed trials, oldest first.

    Raises:
        NotEnoughObservationsError: No trial is completed.
    """
    window = Window.of(experiment, trials)
    learn = _fit_online if experiment.estimator is Estimator.ONLINE else _fit_gp
    return learn(experiment, window)


def _fit_gp(experiment: Experiment, window: Window) -> GPSurrogate:
    with one_thread():
        found = best_law(problems_of(experiment, window))
    return GPSurrogate.of(found, window)


def problems_of(experiment: Experiment, window: Window) -> list[FitProblem]:
    """The window under the task's law, or under every law where the evidence is to choose.

    A window that does not identify the law cannot choose: the law that was chosen before stays.
    """
    known = Hyperparameters.from_json(experiment.model.hyperparameters)
    inputs, means = np.array(window.inputs()), [experiment.mean]
    if experiment.mean is MeanFunction.AUTO:
        means = list(LAWS)
        if not identifies_law(inputs[:, 0]):
            means = [DEFAULT_MEAN if known is None else known.mean]
    return [
        FitProblem.of(
            inputs,
            window.times_s(),
            mean=mean,
            residual=experiment.residual,
            warm_start=known,
            startup_time_s=window.startup_time_s,
            censored=window.censored(),
        )
        for mean in means
    ]


def _fit_online(experiment: Experiment, window: Window) -> OnlineSurrogate:
    law, seen = _online_state(experiment.model.hyperparameters)
    estimator = OnlineAmdahlEstimator(
        alpha=experiment.alpha,
        window=experiment.window,
        startup_time_s=window.startup_time_s or 0.0,
        law=law,
    )
    runs = zip(window.trials, window.inputs(), window.times_s(), strict=True)
    for trial, (s, gamma, load), time_s in runs:
        take = estimator.recall if trial.trial_index <= seen else estimator.observe
        take(s, gamma, load, time_s)
    return OnlineSurrogate(estimator, window)


def _online_state(stored: Mapping[str, Any]) -> tuple[AmdahlLaw | None, int]:
    """The law and the last trial that it learned from; None and -1 where there is no such state."""
    try:
        if any(stored[key] != value for key, value in ONLINE_STATE.items()):
            return None, -1
        return AmdahlLaw(**stored["law"]), int(stored["seen"])
    except (KeyError, TypeError, ValueError):
        return None, -1


def _is_censored(trial: Trial) -> bool:
    limit = trial.timed_out_after_s
    failed = trial.status is TrialStatus.FAILED and trial.exclusion_reason is None
    return failed and limit is not None
