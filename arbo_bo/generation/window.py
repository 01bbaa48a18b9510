"""The runs of a task that train, as arrays, and what learns from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Protocol

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import (
    Arm,
    Context,
    Estimator,
    Experiment,
    Learned,
    Prediction,
    Trial,
    TrialStatus,
)

SMALLEST_SCALE = 1e-12
"""A prediction's scale is above 0, also where a time is known for certain."""


class Surrogate(Protocol):
    """What was learned from a task's window."""

    def predict(self, arms: Sequence[Arm], context: Context) -> list[Prediction]:
        """The next run's time at each arm, the noise of a run included."""
        ...

    def learned(self, previous: Experiment) -> Learned:
        """What to store."""
        ...

    def anomalies(self) -> tuple[str, ...]:
        """What in the window does not fit, in words."""
        ...


@dataclass(frozen=True)
class Window:
    """The runs that train, and what stands for what is unknown.

    Attributes:
        trials: Trials that train, oldest first, at least one; for the Gaussian process those among
            them that were cut off at a limit, too.
        base_input_size: N_base; None: unknown.
        typical_load: What stands for an unknown cluster load: the mean of the known ones, or 0.
        type_columns: CPUs, memory, rate and number of each worker type, by its name.
    """

    trials: Sequence[Trial]
    base_input_size: float | None
    typical_load: float
    type_columns: Mapping[str | None, tuple[float, ...]]

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
        return cls(
            newest,
            experiment.model.base_input_size,
            fmean(loads) if loads else 0.0,
            {None: ()}
            | {
                name: (one.cpus, one.memory_gb, one.rate, float(number))
                for number, (name, one) in enumerate(experiment.worker_types.items())
            },
        )

    @property
    def startup_time_s(self) -> float | None:
        """The median of the measured start-up times [s]; None: none was measured."""
        known = [t.startup_time_s for t in self.trials if t.startup_time_s is not None]
        return median(known) if known else None

    def inputs(self) -> list[tuple[float, ...]]:
        """The model's inputs for each run."""
        return [self.row(t.arm, t.training_context) for t in self.trials]

    def row(self, arm: Arm, context: Context) -> tuple[float, ...]:
        """The model's inputs for an arm: s, gamma, L, and what its worker type has."""
        return (float(arm.parallelism), *self.at(context), *self.type_columns[arm.worker_type])

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


def _is_censored(trial: Trial) -> bool:
    limit = trial.timed_out_after_s
    failed = trial.status is TrialStatus.FAILED and trial.exclusion_reason is None
    return failed and limit is not None
