"""What is told of a run that has ended."""

import math
from dataclasses import dataclass
from enum import StrEnum

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation

MAX_REASON_LENGTH = 4000
RETRIED = "retried"
"""What the exclusion reason of a run begins with that succeeded on a retry only: its time is no
clean observation, and its first attempt counts as a failure."""


def is_retried(exclusion_reason: str | None) -> bool:
    """Whether a run was excluded because it succeeded on a retry only."""
    return exclusion_reason is not None and exclusion_reason.startswith(RETRIED)


class TimeMeasure(StrEnum):
    """What an execution time is.

    MAKESPAN: from the first chunk's start to the last one's end. SLOWEST: the longest chunk's own
    time, where the chunks did not all run at once.
    """

    MAKESPAN = "makespan"
    SLOWEST = "slowest"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a completed run tells.

    Attributes:
        execution_time_s: Wall time, start-up included [s], above 0.
        startup_time_s: The part of it that was start-up [s]; None: unknown.
        input_size: The size that only the task itself could see; None: as it was.
        time_measure: What the time is; None: not said.
        queued_time_s: How long the run waited for its workers before it began [s].
        exclusion_reason: Why this run shall not train; None: it trains.
        parallelism: How many workers really ran side by side, where it is known; None: as decided.
    """

    execution_time_s: float
    startup_time_s: float | None = None
    input_size: float | None = None
    time_measure: TimeMeasure | None = None
    queued_time_s: float | None = None
    exclusion_reason: str | None = None
    parallelism: int | None = None

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
        if self.parallelism is not None:
            validation.integer("parallelism", self.parallelism, 1)
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
