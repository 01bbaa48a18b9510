"""One run of an arm, and its life cycle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from arbo_bo.errors import InvalidValueError, TrialClosedError
from arbo_bo.experiment import validation
from arbo_bo.experiment.arm import Arm, Context
from arbo_bo.experiment.outcome import Outcome, TimeMeasure, clean_reason


class TrialStatus(StrEnum):
    """Ax's names for where a trial stands."""

    CANDIDATE = "CANDIDATE"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"

    @property
    def is_open(self) -> bool:
        """Whether an outcome can still come."""
        return self in (TrialStatus.CANDIDATE, TrialStatus.RUNNING)


class Phase(StrEnum):
    """Why a trial has its degree; FIXED: by a pin or a dry run."""

    BASELINE = "baseline"
    PROBE = "probe"
    OPTIMIZE = "optimize"
    FIXED = "fixed"
    ATTACHED = "attached"


def _degree(name: str, value: Any) -> int:
    return validation.integer(name, value, 1)


def _measure(name: str, value: Any) -> TimeMeasure:
    return validation.member(name, value, TimeMeasure)


_OPTIONAL: Mapping[str, Callable[[str, Any], Any]] = {
    "execution_time_s": validation.positive,
    "timed_out_after_s": validation.positive,
    "startup_time_s": validation.non_negative,
    "queued_time_s": validation.non_negative,
    "mean_cluster_load": validation.non_negative,
    "idempotency_key": validation.identifier,
    "run_key": validation.identifier,
    "recommended_parallelism": _degree,
    "time_measure": _measure,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of an arm.

    Attributes:
        task: The experiment's name.
        trial_index: Its number in the experiment, from 0.
        status: Where it stands.
        arm: The degree that runs.
        context: Input size and cluster load.
        phase: Why it has this degree.
        acquisition: The acquisition function that chose it; None outside `Phase.OPTIMIZE`.
        input_scale_factor: gamma, as known when last written.
        predicted_time_s: Predicted mean at the decision [s].
        predicted_time_std_s: Its standard deviation, the noise of a run included [s].
        execution_time_s: Measured time, start-up included [s].
        startup_time_s: The part of it that was start-up [s].
        residual_s: Measured time minus the law's at completion [s].
        timed_out_after_s: The run was ended at this limit [s]: its time is at least that.
        failure_reason: Why it failed or was abandoned, or that it was completed late.
        created_at: When it was decided.
        started_at: When it began to run.
        finished_at: When it ended.
        idempotency_key: Whoever suggests with this key again gets this trial.
        run_key: Names the run of a workflow; a later trial of the same run supersedes this one.
        time_measure: What the execution time is; None: not said.
        queued_time_s: How long the run waited for its workers before it began [s].
        exclusion_reason: Why a completed run does not train; None: it trains.
        lease_expires_at: While RUNNING, when it counts as lost; kept where that is why it is
            ABANDONED.
        mean_cluster_load: Workers of all other runs, on average over this run; None: unknown.
        recommended_parallelism: The degree that was advised, where another one had to run.
        strategy: How the decision was taken, JSON-ready.
        trial_id: Its identity, a UUID that no other trial ever has; None: not stored yet.
        reason: Why it was decided so, for people; None: not kept.
        decision: What the decision saw, see `decision_record`; None: not kept, or not read.
    """

    task: str
    trial_index: int
    status: TrialStatus
    arm: Arm
    context: Context
    phase: Phase
    acquisition: str | None = None
    input_scale_factor: float = 1.0
    predicted_time_s: float | None = None
    predicted_time_std_s: float | None = None
    execution_time_s: float | None = None
    startup_time_s: float | None = None
    residual_s: float | None = None
    timed_out_after_s: float | None = None
    failure_reason: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    idempotency_key: str | None = None
    run_key: str | None = None
    time_measure: TimeMeasure | None = None
    queued_time_s: float | None = None
    exclusion_reason: str | None = None
    lease_expires_at: datetime | None = None
    mean_cluster_load: float | None = None
    recommended_parallelism: int | None = None
    strategy: Mapping[str, Any] | None = field(default=None, hash=False)
    trial_id: str | None = None
    reason: str | None = None
    decision: Mapping[str, Any] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        validation.identifier("a task's name", self.task)
        put = object.__setattr__
        put(self, "trial_index", validation.integer("trial_index", self.trial_index, 0))
        put(self, "status", validation.member("status", self.status, TrialStatus))
        put(self, "phase", validation.member("phase", self.phase, Phase))
        for name, check in _OPTIONAL.items():
            if (value := getattr(self, name)) is not None:
                put(self, name, check(name, value))
        if self.status is TrialStatus.COMPLETED and self.execution_time_s is None:
            raise InvalidValueError(f"{self} is completed and needs its execution_time_s")

    @property
    def trains(self) -> bool:
        """Whether the model learns from it: completed, and not excluded."""
        return self.status is TrialStatus.COMPLETED and self.exclusion_reason is None

    @property
    def is_lapsed(self) -> bool:
        """Whether it is ABANDONED only because its lease expired."""
        return self.status is TrialStatus.ABANDONED and self.lease_expires_at is not None

    @property
    def is_open(self) -> bool:
        """Whether an outcome is still taken."""
        return self.status.is_open or self.is_lapsed

    @property
    def training_context(self) -> Context:
        """The context that the model learns from: the load over the run, if it is known."""
        if self.mean_cluster_load is None:
            return self.context
        return replace(self.context, cluster_load=self.mean_cluster_load)

    def is_superseded_by(self, run_key: str | None) -> bool:
        """Whether a trial started now with this key takes this one's place."""
        return (
            run_key is not None and self.run_key == run_key and self.status is TrialStatus.RUNNING
        )

    @property
    def parallelism(self) -> int:
        """The arm's degree."""
        return self.arm.parallelism

    @property
    def worker_type(self) -> str | None:
        """The arm's worker type; None: the task had none."""
        return self.arm.worker_type

    @property
    def input_size(self) -> float | None:
        """The context's input size."""
        return self.context.input_size

    @property
    def cluster_load(self) -> float | None:
        """The context's cluster load."""
        return self.context.cluster_load

    def complete(self, outcome: Outcome, finished_at: datetime | None = None) -> "Trial":
        """Returns the trial with its measured time; itself, if it holds just that time already.

        One whose lease expired is taken as well, and its reason then says so. Where another number
        of workers ran than was decided, it is a run of that arm.

        Raises:
            TrialClosedError: It is failed or abandoned, or was completed with another time.
        """
        if self.status is TrialStatus.COMPLETED:
            if self.execution_time_s == outcome.execution_time_s:
                return self
            raise TrialClosedError(
                f"{self} is already completed with {self.execution_time_s!r} s; "
                f"got {outcome.execution_time_s!r} s"
            )
        self._require_open("completed")
        size = self.input_size if outcome.input_size is None else outcome.input_size
        degree, advised = outcome.parallelism or self.parallelism, self.recommended_parallelism
        if degree != self.parallelism:
            advised = advised or self.parallelism
        return replace(
            self,
            status=TrialStatus.COMPLETED,
            arm=replace(self.arm, parallelism=degree),
            recommended_parallelism=advised,
            context=replace(self.context, input_size=size),
            execution_time_s=outcome.execution_time_s,
            startup_time_s=outcome.startup_time_s,
            failure_reason=self._lateness(),
            lease_expires_at=None,
            time_measure=outcome.time_measure,
            queued_time_s=outcome.queued_time_s,
            exclusion_reason=outcome.exclusion_reason or self.exclusion_reason,
            finished_at=finished_at or datetime.now(UTC),
        )

    def fail(
        self,
        reason: str | None = None,
        timed_out_after_s: float | None = None,
        finished_at: datetime | None = None,
    ) -> "Trial":
        """Returns the trial as failed; itself, if it is.

        Raises:
            TrialClosedError: It is completed or abandoned.
        """
        if self.status is TrialStatus.FAILED:
            return self
        self._require_open("failed")
        limit = timed_out_after_s
        return replace(
            self,
            status=TrialStatus.FAILED,
            failure_reason=clean_reason(reason),
            timed_out_after_s=None if limit is None else validation.positive("timeout", limit),
            lease_expires_at=None,
            finished_at=finished_at or datetime.now(UTC),
        )

    def abandon(self, reason: str | None = None, finished_at: datetime | None = None) -> "Trial":
        """Returns the trial as abandoned; itself, if it is.

        Raises:
            TrialClosedError: It is completed or failed.
        """
        if self.status is TrialStatus.ABANDONED and not self.is_lapsed:
            return self
        self._require_open("abandoned")
        return replace(
            self,
            status=TrialStatus.ABANDONED,
            failure_reason=clean_reason(reason),
            lease_expires_at=None,
            finished_at=finished_at or datetime.now(UTC),
        )

    def exclude(self, reason: str | None = None) -> "Trial":
        """Returns the trial as one that does not train, whatever its status.

        Without a reason it keeps the one that it has.
        """
        why = clean_reason(reason) or self.exclusion_reason or "excluded by hand"
        return replace(self, exclusion_reason=why)

    def include(self) -> "Trial":
        """Returns the trial as one that trains, once it is completed."""
        return replace(self, exclusion_reason=None)

    def _lateness(self) -> str | None:
        if not self.is_lapsed:
            return None
        return f"completed late: its lease expired at {self.lease_expires_at:%Y-%m-%d %H:%M:%S} UTC"

    def _require_open(self, wanted: str) -> None:
        if not self.is_open:
            raise TrialClosedError(f"{self} is {self.status.lower()} and cannot be {wanted}")

    def __str__(self) -> str:
        return f"trial {self.trial_index} of {self.task!r}"
