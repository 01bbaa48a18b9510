"""Runs that this machine watches over, in files, until the store has what came of them.

Each run has a file in the user's state folder: written before the run begins, with the outcome when
it has ended, removed when the store has that. So a measured time outlives a store that is down, and
a run whose process was killed is known as such: the file is locked for as long as the process
lives, and a lock, unlike a process's number, never comes to be somebody else's.
"""

import fcntl
import json
import logging
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arbo_bo.errors import ArboError
from arbo_bo.experiment import Outcome, Trial, TrialStatus, validation

logger = logging.getLogger("arbo_bo")

_SUFFIX, _REFUSED, _PART = ".json", ".refused", ".part"


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


def journal_folder() -> Path:
    """Where the files are; it may not be there yet.

    Raises:
        OSError: The user has no home folder, as in some containers.
    """
    from platformdirs import user_state_path

    folder = user_state_path("arbo_bo") / "runs"
    if not folder.is_absolute():
        raise OSError(f"this user has no home folder, and {folder} is relative")
    return folder


class JournalFile:
    """The file of a run that this process watches over.

    Attributes:
        entry: What it holds, or will hold when it is written next.
        path: Where it is; None: nowhere, since no folder or no later process could use it.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.path: Path | None = None
        self._descriptor: int | None = None
        if not entry.store:
            return
        try:
            path = journal_folder() / (entry.run_id + _SUFFIX)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = _written(path, entry, durable=False)
            self.path = path
        except OSError as err:
            logger.debug("the journal of runs cannot be kept: %s", err)

    def change(self, **values: Any) -> None:
        """Writes the entry with other values."""
        self.note(**values)
        self._rewrite(durable=False)

    def note(self, **values: Any) -> None:
        """Takes other values into the entry, for when it is written next."""
        self.entry = replace(self.entry, **values)

    def keep(self) -> bool:
        """Sees the outcome to the disk, for a later call to deliver; False where it cannot."""
        kept = self._rewrite(durable=True)
        if not kept and self.path is not None:  # without it, the run would seem to have died
            with suppress(OSError):
                self.path.unlink()
        self._release()
        return kept

    def remove(self) -> None:
        """Removes the file: the store knows all of it."""
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        self._release()

    def _rewrite(self, durable: bool) -> bool:
        if self.path is None:
            return False
        try:
            descriptor = _written(self.path, self.entry, durable)
        except OSError as err:
            logger.warning("%s cannot be written: %s", self.path, err)
            return False
        self._release()
        self._descriptor = descriptor
        return True

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class Found:
    """A run in the journal.

    Attributes:
        entry: What its file holds.
        path: Its file.
        is_held: Whether its process lives.
    """

    entry: Entry
    path: Path
    is_held: bool

    @property
    def is_dead(self) -> bool:
        """Whether its process has ended without a word; another machine's may live."""
        here = self.entry.host == socket.gethostname()
        return self.entry.ending is None and not self.is_held and here

    @property
    def is_waiting(self) -> bool:
        """Whether its outcome waits to be delivered."""
        return self.entry.ending is not None and not self.is_held

    def remove(self) -> None:
        """Removes the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def refuse(self) -> None:
        """Puts the file aside: the store will not take it, and nothing measured is deleted."""
        with suppress(OSError):
            self.path.replace(self.path.with_suffix(_REFUSED))


def found_runs(store: str, namespace: str) -> Iterator[Found]:
    """The runs of one namespace of a store, oldest first."""
    for path in sorted(_paths(_SUFFIX), key=_age):
        found = _read(path)
        if found is not None and (found.entry.store, found.entry.namespace) == (store, namespace):
            yield found


def refused_files() -> list[Path]:
    """What no store took."""
    return sorted(_paths(_REFUSED))


def is_empty() -> bool:
    """Whether there is no run at all, which is almost always so."""
    return next(_paths(_SUFFIX), None) is None


def _paths(suffix: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(journal_folder()) as files:
        yield from (Path(file.path) for file in files if file.name.endswith(suffix))


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Found | None:
    try:
        with path.open(encoding="utf-8") as file:
            is_held = not _lock(file.fileno())
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return None  # its process has just written it anew
            entry = Entry.from_json(file.read())
    except OSError:  # removed meanwhile, or somebody else's
        return None
    except (ValueError, ArboError) as err:
        logger.warning("%s is left as it is: %s", path, err)
        return None
    return Found(entry, path, is_held)


def _written(path: Path, entry: Entry, durable: bool) -> int:
    """Replaces the file by a locked one, in one step; returns the descriptor with its lock."""
    part = path.with_suffix(_PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(entry.to_json().encode())
        if durable:
            os.fsync(descriptor)
        part.replace(path)
    except BaseException:
        os.close(descriptor)
        with suppress(OSError):
            part.unlink()
        raise
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
