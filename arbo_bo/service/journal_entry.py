"""What the file of a watched run says."""

import json
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from arbo_bo.experiment import Outcome, Trial, TrialStatus, validation


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a run.

    Attributes:
        status: COMPLETED, FAILED or ABANDONED.
        finished_at: When it ended.
        execution_time_s: What it took, where it was completed [s].
        reason: Why it failed or was abandoned.
        timed_out_after_s: The limit that it was ended at [s].
        further: What else was told of a completed run: further arguments of its `Outcome`.
    """

    status: TrialStatus
    finished_at: datetime
    execution_time_s: float | None = None
    reason: str | None = None
    timed_out_after_s: float | None = None
    further: Mapping[str, Any] = field(default_factory=dict)

    def close(self, trial: Trial) -> Trial:
        """The trial with this outcome.

        Raises:
            TrialClosedError: It has another one.
        """
        if self.status is TrialStatus.COMPLETED:
            assert self.execution_time_s is not None
            outcome = Outcome(self.execution_time_s, **self.further)
            return trial.complete(outcome, self.finished_at)
        if self.status is TrialStatus.FAILED:
            return trial.fail(self.reason, self.timed_out_after_s, self.finished_at)
        return trial.abandon(self.reason, self.finished_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """One run.

    Attributes:
        store: The store's URL, without secrets.
        namespace: The task's namespace.
        task: The task's name.
        parallelism: The degree that runs; None: as its trial says.
        trial_index: Its trial; None: the store was down and there is none yet.
        trial_id: That trial's identity.
        input_size: The size of its input, where it is known.
        degrees: The allowed degrees, for a task that the store may not know yet.
        worker_type: The type of its workers; None: as its trial says, or none.
        ending: What came of it; None: it runs, or its process has died.
        started_at: When it began.
        host: The machine that it runs on.
        pid: The process that watches over it.
        run_id: Names it, and the trial that is made of it where there was none.
    """

    store: str
    namespace: str
    task: str
    parallelism: int | None = None
    trial_index: int | None = None
    trial_id: str | None = None
    input_size: float | None = None
    degrees: tuple[int, ...] = ()
    worker_type: str | None = None
    ending: Ending | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def trial(self) -> int | str | None:
        """What the store finds the trial by; None: there is none yet."""
        return self.trial_id or self.trial_index

    @property
    def subject(self) -> str:
        """How messages name it."""
        number = self.trial_index if self.trial_index is not None else self.trial_id
        run = "a run" if number is None else f"trial {number}"
        return f"{run} of {self.task!r}"

    @property
    def is_worth_telling(self) -> bool:
        """Whether it says what a run took, or that it failed."""
        return self.ending is not None and self.ending.status is not TrialStatus.ABANDONED

    def to_json(self) -> str:
        """The entry as a line of JSON."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> "Entry":
        """Reads what `to_json` wrote; a later version's further fields are left out.

        Raises:
            ValueError: It is no entry.
        """
        try:
            values = _known(cls, json.loads(text))
            ending = values.get("ending")
            values["ending"] = None if ending is None else _ending(ending)
            values["degrees"] = tuple(
                validation.integer("a degree", s, 1) for s in values["degrees"]
            )
            values["started_at"] = datetime.fromisoformat(values["started_at"])
            return cls(**values)
        except (TypeError, KeyError, AttributeError) as err:
            raise ValueError(f"no entry of the journal: {err}") from err


def _ending(stored: Any) -> Ending:
    values = _known(Ending, stored)
    values["status"] = TrialStatus(values["status"])
    values["finished_at"] = datetime.fromisoformat(values["finished_at"])
    if values["status"] is TrialStatus.COMPLETED:
        Outcome(values["execution_time_s"], **values.get("further", {}))
    return Ending(**values)


def _known(kind: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: stored[name] for name in kind.__dataclass_fields__ if name in stored}  # type: ignore[attr-defined]
