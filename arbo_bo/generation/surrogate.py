"""Trials become tensors, and a fitted model becomes predictions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Protocol

from threadpoolctl import ThreadpoolController

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Context,
    Estimator,
    Experiment,
    Learned,
    Objective,
    Prediction,
    Residual,
    Trial,
    TrialStatus,
)

if TYPE_CHECKING:
    from arbo_bo.models import AmdahlGP, OnlineAmdahlEstimator

EXPECTED_COST = "expected_cost"
ONLINE_STATE = {"format": 1, "estimator": "online"}
"""What marks stored hyperparameters as the original algorithm's."""


class Surrogate(Protocol):
    """What was learned from a task's window."""

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """The next run's time at each degree, the noise of a run included."""
        ...

    def candidates(
        self, degrees: Sequence[int], objective: Objective, context: Context
    ) -> list[Candidate]:
        """Every degree with its prediction and its expected cost."""
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
    """Amdahl's law with a Gaussian process on it."""

    model: "AmdahlGP"
    window: Window

    @property
    def identifies_law(self) -> bool:
        """Whether the window's degrees tell the law, so that nothing older has to."""
        from arbo_bo.models.fitting import identifies_law

        return identifies_law(self.model.train_inputs[0][:, 0].tolist())

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        from arbo_bo.acquisition.search import predict_degrees

        with one_thread():
            moments = predict_degrees(self.model, degrees, *self.window.at(context))
        return [
            Prediction(s, mu, sigma, self.model.residual)
            for s, (mu, sigma) in zip(degrees, moments, strict=True)
        ]

    def candidates(
        self, degrees: Sequence[int], objective: Objective, context: Context
    ) -> list[Candidate]:
        """See `Surrogate`."""
        from arbo_bo.acquisition import ExpectedCost, evaluate_degrees

        acquisition = ExpectedCost(self.model, objective)
        with one_thread():
            values = evaluate_degrees(acquisition, degrees, *self.window.at(context))
        predictions = self.predict(degrees, context)
        return [Candidate(p, -v) for p, v in zip(predictions, values.tolist(), strict=True)]

    def learned(self, previous: Experiment) -> Learned:
        """The law always, the hyperparameters where the window could teach them."""
        if not self.identifies_law:
            return Learned(self.model.law, previous.model.hyperparameters)
        return Learned(self.model.law, self.model.fitted_hyperparameters.to_json())


@dataclass(frozen=True)
class OnlineSurrogate:
    """The method's original algorithm, gone on with from where the last decision left it."""

    estimator: "OnlineAmdahlEstimator"
    window: Window

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        gamma, load = self.window.at(context)
        mean, std = self.estimator.predict(list(degrees), gamma, load)
        pairs = zip(mean.tolist(), std.tolist(), strict=True)
        return [
            Prediction(s, mu, max(sigma, 1e-12), Residual.ADDITIVE)
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
    import torch

    from arbo_bo.models import Hyperparameters, fit_amdahl_gp

    with one_thread():
        model = fit_amdahl_gp(
            torch.tensor(window.inputs(), dtype=torch.float64),
            torch.tensor(window.times_s(), dtype=torch.float64).unsqueeze(-1),
            residual=experiment.residual,
            warm_start=Hyperparameters.from_json(experiment.model.hyperparameters),
            startup_time_s=window.startup_time_s,
            mean=experiment.mean,
            censored=window.censored(),
        )
    return GPSurrogate(model, window)


def _fit_online(experiment: Experiment, window: Window) -> OnlineSurrogate:
    from arbo_bo.models import OnlineAmdahlEstimator

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


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch and the BLAS on one thread: for matrices this small a second one only costs."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _blas().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


@cache
def _blas() -> ThreadpoolController:
    """The loaded BLAS libraries; looking for them takes milliseconds, so once a process."""
    return ThreadpoolController()
