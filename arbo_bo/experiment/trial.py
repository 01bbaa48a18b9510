"""One run of an arm, and its life cycle."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from arbo_bo.errors import InvalidValueError, TrialClosedError
from arbo_bo.experiment import validation

MAX_REASON_LENGTH = 4000
SMALLEST_GAMMA = 1e-12


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
    """Why a trial has its degree."""

    BASELINE = "baseline"
    PROBE = "probe"
    OPTIMIZE = "optimize"
    ATTACHED = "attached"


@dataclass(frozen=True, slots=True)
class Arm:
    """What is chosen: a degree of parallelism, at least 1."""

    parallelism: int

    def __post_init__(self) -> None:
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)


@dataclass(frozen=True, slots=True)
class Context:
    """What is observed and not chosen.

    Attributes:
        input_size: Size of the run's input in the task's own unit, above 0; None: unknown.
        cluster_load: Workers of all other running trials at the decision, 0 or more; None: unknown.
    """

    input_size: float | None = None
    cluster_load: float | None = None

    def __post_init__(self) -> None:
        if self.input_size is not None:
            size = validation.positive("input_size", self.input_size)
            object.__setattr__(self, "input_size", size)
        if self.cluster_load is not None:
            load = validation.non_negative("cluster_load", self.cluster_load)
            object.__setattr__(self, "cluster_load", load)

    def gamma(self, base_input_size: float | None) -> float:
        """Input scaling N / N_base, kept within 1e-12 to 1e12; 1 while either is unknown."""
        if self.input_size is None or base_input_size is None:
            return 1.0
        return min(max(self.input_size / base_input_size, SMALLEST_GAMMA), 1 / SMALLEST_GAMMA)


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
        failure_reason: Why it failed or was abandoned.
        created_at: When it was decided.
        started_at: When it began to run.
        finished_at: When it ended.
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

    def __post_init__(self) -> None:
        validation.identifier("a task's name", self.task)
        put = object.__setattr__
        put(self, "trial_index", validation.integer("trial_index", self.trial_index, 0))
        put(self, "status", validation.member("status", self.status, TrialStatus))
        put(self, "phase", validation.member("phase", self.phase, Phase))
        for name in ("execution_time_s", "timed_out_after_s"):
            if getattr(self, name) is not None:
                put(self, name, validation.positive(name, getattr(self, name)))
        if self.startup_time_s is not None:
            validation.non_negative("startup_time_s", self.startup_time_s)
        if self.status is TrialStatus.COMPLETED and self.execution_time_s is None:
            raise InvalidValueError(f"{self} is completed and needs its execution_time_s")

    @property
    def parallelism(self) -> int:
        """The arm's degree."""
        return self.arm.parallelism

    @property
    def input_size(self) -> float | None:
        """The context's input size."""
        return self.context.input_size

    @property
    def cluster_load(self) -> float | None:
        """The context's cluster load."""
        return self.context.cluster_load

    def complete(self, outcome: "Outcome", finished_at: datetime | None = None) -> "Trial":
        """Returns the trial with its measured time; itself, if it holds just that time already.

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
        return replace(
            self,
            status=TrialStatus.COMPLETED,
            context=replace(self.context, input_size=size),
            execution_time_s=outcome.execution_time_s,
            startup_time_s=outcome.startup_time_s,
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
            finished_at=finished_at or datetime.now(UTC),
        )

    def abandon(self, reason: str | None = None, finished_at: datetime | None = None) -> "Trial":
        """Returns the trial as abandoned; itself, if it is.

        Raises:
            TrialClosedError: It is completed or failed.
        """
        if self.status is TrialStatus.ABANDONED:
            return self
        self._require_open("abandoned")
        return replace(
            self,
            status=TrialStatus.ABANDONED,
            failure_reason=clean_reason(reason),
            finished_at=finished_at or datetime.now(UTC),
        )

    def _require_open(self, wanted: str) -> None:
        if not self.status.is_open:
            raise TrialClosedError(f"{self} is {self.status.lower()} and cannot be {wanted}")

    def __str__(self) -> str:
        return f"trial {self.trial_index} of {self.task!r}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a completed run tells.

    Attributes:
        execution_time_s: Wall time, start-up included [s], above 0.
        startup_time_s: The part of it that was start-up [s]; None: unknown.
        input_size: The size that only the task itself could see; None: as it was.
    """

    execution_time_s: float
    startup_time_s: float | None = None
    input_size: float | None = None

    def __post_init__(self) -> None:
        time = validation.positive("execution_time_s", self.execution_time_s)
        object.__setattr__(self, "execution_time_s", time)
        if self.startup_time_s is not None:
            startup = validation.non_negative("startup_time_s", self.startup_time_s)
            if startup > time and not math.isclose(startup, time):
                raise InvalidValueError(
                    f"startup_time_s is part of the execution time and cannot exceed it, "
                    f"got {startup:g} of {time:g} s"
                )
            object.__setattr__(self, "startup_time_s", min(startup, time))
        if self.input_size is not None:
            size = validation.positive("input_size", self.input_size)
            object.__setattr__(self, "input_size", size)


def clean_reason(reason: object) -> str | None:
    """A failure reason fit to store and show: no control characters, at most 4000 characters.

    Newlines and tabs stay; anything else that a terminal would obey is shown as an escape.
    """
    if reason is None:
        return None
    text = "".join(
        ch if ch.isprintable() or ch in "\n\t" else ch.encode("unicode_escape").decode()
        for ch in str(reason)[-MAX_REASON_LENGTH:]
    )
    return text[-MAX_REASON_LENGTH:].strip() or None
