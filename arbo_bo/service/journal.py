"""Runs that this machine watches over, in files, until the store has what came of them.

Each run has a file in the user's state folder: written before the run begins, with the outcome when
it has ended, removed when the store has that. So a measured time outlives a store that is down, and
a run whose process was killed is known as such: the file is locked for as long as the process
lives, and a lock, unlike a process's number, never comes to be somebody else's.
"""

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arbo_bo.errors import ArboError
from arbo_bo.service.journal_entry import Entry

logger = logging.getLogger("arbo_bo")

_SUFFIX, _REFUSED, _PART = ".json", ".refused", ".part"


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
