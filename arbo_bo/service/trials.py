"""Outcomes of runs: closing trials, taking history in, and listing it."""

import logging
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError, TrialGoneError
from arbo_bo.experiment import (
    Decision,
    Experiment,
    Outcome,
    Phase,
    TimeMeasure,
    Trial,
    validation,
)
from arbo_bo.experiment.decision_record import decision_of
from arbo_bo.experiment.drafts import attached_trials
from arbo_bo.service.experiments import Configuration
from arbo_bo.service.history import Told, trials_of_csv

if TYPE_CHECKING:
    from arbo_bo.storage.protocol import Added, Change

logger = logging.getLogger("arbo_bo")


TrialName = int | str | Decision
"""A trial: its index, its `trial_id`, or the decision that started it."""


def _named(task: str, trial: TrialName) -> int | str:
    if not isinstance(trial, Decision):
        return trial
    if trial.task != task:
        raise InvalidValueError(f"the decision is of task {trial.task!r}, not of {task!r}")
    name = trial.trial_id or trial.trial_index
    if name is None:
        raise InvalidValueError(f"the decision started no trial: ask `suggest` for one of {task!r}")
    return name


class Outcomes(Configuration):
    """Closes trials, takes history in, and lists it; see `Configuration` for arguments."""

    def complete_trial(
        self,
        task: str,
        trial: TrialName,
        *,
        execution_time_s: float,
        startup_time_s: float | None = None,
        input_size: float | None = None,
        time_measure: TimeMeasure | str | None = None,
        queued_time_s: float | None = None,
        exclusion_reason: str | None = None,
        parallelism: int | None = None,
    ) -> Trial:
        """Records what a run took. Twice with the same time changes nothing.

        Failures that may pass are tried again, see `SQLTrialStore`. The outcome of a run whose
        lease expired is taken all the same; the log and the trial's `failure_reason` say so.

        Args:
            task: The task's name.
            trial: The decision, or its `trial_id`; or its index, which after a failover or a
                restored backup may be another trial's.
            execution_time_s: Wall time of the stage, start-up included [s], above 0.
            startup_time_s: The part of it that was start-up [s].
            input_size: A size that only the task could see; None: as suggested.
            time_measure: What the time is, "makespan" or "slowest" (of the chunks' own times).
            queued_time_s: How long the run waited for its workers before it began [s].
            exclusion_reason: Why this run is not to train the model; None: it trains.
            parallelism: How many workers really ran side by side, where that is known and not what
                was decided: the run trains that degree.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialGoneError: The store does not hold that very trial any more; no other is touched.
            TrialClosedError: It failed, was abandoned, or was completed with another time.
        """
        outcome = Outcome(
            execution_time_s,
            startup_time_s,
            input_size,
            time_measure,  # type: ignore[arg-type]  # a string becomes a member there
            queued_time_s,
            exclusion_reason,
            parallelism,
        )
        try:
            completed = self._change(task, trial, lambda found: found.complete(outcome))
        except TrialGoneError as err:
            degree = trial.parallelism if isinstance(trial, Decision) else "DEGREE"
            raise TrialGoneError(
                f"{err}; the measured time is stored nowhere yet: arbo attach {shlex.quote(task)} "
                f"--parallelism {degree} --time {outcome.execution_time_s!r}"
            ) from err
        if completed.failure_reason is not None:
            logger.warning("%s: %s", completed, completed.failure_reason)
        return completed

    def complete_many(self, times: Iterable[tuple[Decision, float]]) -> list[Trial]:
        """Records what several runs took, all or none, in one transaction.

        Args:
            times: The decision of each run, and its wall time [s].

        Raises:
            InvalidValueError: A time is not above 0, or a decision has no trial.
            TrialNotFoundError: There is no such trial.
            TrialClosedError: One failed, was abandoned, or was completed with another time.
        """
        changes: list[Change] = []
        for decision, execution_time_s in times:
            if not isinstance(decision, Decision):
                raise InvalidValueError(
                    "times must be pairs of a Decision and a time, got "
                    f"{validation.short(decision)}"
                )
            if decision.trial_index is None:
                raise InvalidValueError(
                    f"the decision for {decision.task!r} has no trial: take it with suggest"
                )
            outcome = Outcome(execution_time_s)
            trial = decision.trial_id or decision.trial_index
            changes.append((decision.task, trial, _completing(outcome)))
        return self.store.change_many(changes)

    def mark_trial_failed(
        self,
        task: str,
        trial: TrialName,
        *,
        reason: str | None = None,
        timed_out_after_s: float | None = None,
    ) -> Trial:
        """Records that a run failed: it has no time, and tells which degrees are likely to fail.

        Args:
            task: The task's name.
            trial: The decision, or its `trial_id`; or its index, which after a failover or a
                restored backup may be another trial's.
            reason: Why, for people.
            timed_out_after_s: The limit that it was ended at [s]: its time is at least that.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialClosedError: It is completed or abandoned.
        """
        return self._change(task, trial, lambda found: found.fail(reason, timed_out_after_s))

    def mark_trial_abandoned(
        self, task: str, trial: TrialName, *, reason: str | None = None
    ) -> Trial:
        """Records that a run's outcome will never be known; it never trains the model.

        Raises:
            TrialNotFoundError: There is no such trial.
            TrialClosedError: It is completed or failed.
        """
        return self._change(task, trial, lambda found: found.abandon(reason))

    def exclude_trial(self, task: str, trial: TrialName, *, reason: str | None = None) -> Trial:
        """Lets a trial train no more, a wrong measurement for one; `include_trial` undoes it.

        Raises:
            TrialNotFoundError: There is no such trial.
        """
        return self._change(task, trial, lambda found: found.exclude(reason))

    def include_trial(self, task: str, trial: TrialName) -> Trial:
        """Lets a trial train again.

        Raises:
            TrialNotFoundError: There is no such trial.
        """
        return self._change(task, trial, lambda found: found.include())

    def attach_trial(
        self,
        task: str,
        *,
        parallelism: int,
        execution_time_s: float,
        input_size: float | None = None,
        cluster_load: float | None = None,
        startup_time_s: float | None = None,
        worker_type: str | None = None,
    ) -> Trial:
        """Adds a completed run from elsewhere; an unknown task is configured with the defaults.

        A `cluster_load` of None is unknown here: the load of this moment was not that run's. A task
        with worker types needs the `worker_type` that it ran on.

        Raises:
            DegreeNotAllowedError: The degree is outside the search space.
            UnknownWorkerTypeError: The task has no such worker type.
            InvalidValueError: A value is outside its domain.
        """
        row = {
            "parallelism": parallelism,
            "execution_time_s": execution_time_s,
            "input_size": input_size,
            "cluster_load": cluster_load,
            "startup_time_s": startup_time_s,
            "worker_type": worker_type,
        }
        return self.attach_trials(task, [row])[0]

    def attach_trials(self, task: str, rows: Sequence[Mapping[str, Any]]) -> list[Trial]:
        """Adds many completed runs, all or none, oldest first; returns those that are new.

        Args:
            task: The task's name.
            rows: The keyword arguments of `attach_trial`, one mapping a run. One with an
                ``idempotency_key`` that a trial of the task has already is left out.

        Raises:
            InvalidValueError: A row is wrong; the message says which, and nothing was added.
        """
        try:
            experiment = self.store.experiment(task)
        except ExperimentNotFoundError:  # kept only with its trials, so not before they are valid
            experiment = Experiment(task, namespace=self.store.namespace)
        drafts = attached_trials(experiment, rows)
        self._stored(experiment)
        if any(draft.idempotency_key is not None for draft in drafts):
            drafts = _not_among(self.store.trials(task), drafts)
        return self.store.add(task, drafts)

    def _change(self, task: str, trial: TrialName, change: Callable[[Trial], Trial]) -> Trial:
        return self.store.change(task, _named(task, trial), change)

    def attach_csv(
        self, task: str, path: str | os.PathLike[str], told: Told = lambda lines: None
    ) -> "Added":
        """Adds the completed runs of a CSV, all or none, in memory that does not grow with it.

        Args:
            task: The task's name.
            path: Columns parallelism, execution_time_s, and perhaps input_size, cluster_load,
                startup_time_s, worker_type; or an export as CSV of one task, of which the completed
                runs that train are taken. A row that was attached before is left out.
            told: Hears now and then how many lines were read.

        Raises:
            InvalidValueError: A row is wrong; the message says which, and nothing was added.
        """
        return self.store.add_each(
            task, lambda experiment: trials_of_csv(Path(path), experiment, told)
        )

    def trials(self, task: str) -> list[Trial]:
        """Every trial of a task, by index."""
        return self.store.trials(task)

    def decision(self, task: str, trial: TrialName) -> Decision:
        """The decision that a trial was started with, and what it saw; see `Decision.was_kept`.

        Raises:
            TrialNotFoundError: There is no such trial.
            InvalidValueError: No decision started it: it was attached.
        """
        found = self.store.trial(task, _named(task, trial))
        if found.phase is Phase.ATTACHED:
            raise InvalidValueError(f"no decision started {found}: it was attached")
        return decision_of(found, self.store.experiment(task).residual)

    def each_trial(self, task: str, first: int = 0) -> Iterator[Trial]:
        """The trials of a task from an index on, by index, read as they are asked for."""
        return self.store.each_trial(task, first)


def _not_among(trials: Sequence[Trial], drafts: Sequence[Trial]) -> list[Trial]:
    """The drafts without those whose idempotency key a trial has, or a draft before."""
    known, new = {trial.idempotency_key for trial in trials} - {None}, []
    for draft in drafts:
        if draft.idempotency_key not in known:
            new.append(draft)
            known |= {draft.idempotency_key} - {None}
    return new


def _completing(outcome: Outcome) -> Callable[[Trial], Trial]:
    return lambda trial: trial.complete(outcome)
