"""A run that arbo watches over, from its decision to its outcome, whatever the store does."""

import logging
import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from arbo_bo._format import count, format_time
from arbo_bo.errors import (
    SchemaVersionError,
    StoreError,
    StoreReadOnlyError,
    StoreURLError,
)
from arbo_bo.experiment import (
    Arm,
    Decision,
    Phase,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE, DEFAULT_PARALLELISM
from arbo_bo.service.delivery import identity, line, told
from arbo_bo.service.journal import JournalFile
from arbo_bo.service.journal_entry import Ending, Entry

if TYPE_CHECKING:
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")

CLOSING_S = 5.0
"""How long the store may take over the outcome of a run that must go on without it [s]."""
RETURN_S = 1.0
"""The same for a store that was down when the run began: whether it is back shows at once."""
_LASTING = (StoreURLError, StoreReadOnlyError, SchemaVersionError)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An outcome that the store has not taken.

    Attributes:
        entry: The run, and what came of it.
        is_kept: Whether the journal holds it.
        problem: What the store said.
    """

    entry: Entry
    is_kept: bool
    problem: str

    @property
    def command(self) -> str:
        """The command that delivers it."""
        entry, ending = self.entry, self.entry.ending
        assert ending is not None
        if entry.trial is None:
            words = ["deliver"]
        elif ending.status is TrialStatus.COMPLETED:
            words = ["complete", entry.task, str(entry.trial)]
            words += ["--time", repr(ending.execution_time_s)]
        else:
            verb = "fail" if ending.status is TrialStatus.FAILED else "abandon"
            words = [verb, entry.task, str(entry.trial)]
        if "***" not in entry.store:
            words += ["--store", entry.store]
        if entry.namespace != DEFAULT_NAMESPACE:
            words += ["--namespace", entry.namespace]
        return shlex.join(["arbo", *words])

    def __str__(self) -> str:
        ending = self.entry.ending
        assert ending is not None
        what = str(ending.status).lower()
        if ending.execution_time_s is not None:
            what += f" in {format_time(ending.execution_time_s)}"
        degree = self.entry.parallelism
        told = ", ".join([self.entry.subject, *([count(degree)] if degree else []), what])
        if self.is_kept:
            then = f"the next arbo call on this machine delivers it, as does: {self.command}"
        elif self.entry.trial is not None:
            then = f"once the store is back: {self.command}"
        else:
            then = "and it could not be kept on this machine"
        return f"{told}: the store has not taken it ({self.problem}); {then}"


class Run:
    """A run under way.

    Attributes:
        decision: The degree, and why; without a trial where the store could not be asked.
        problem: Why it could not; None: it could.
    """

    def __init__(
        self,
        store: "TrialStore",
        file: JournalFile,
        decision: Decision,
        problem: str | None = None,
        closing_s: float | None = None,
    ) -> None:
        self.decision, self.problem = decision, problem
        self._store, self._file, self._closing_s = store, file, closing_s

    def complete(self, execution_time_s: float) -> Trial | Undelivered | None:
        """Records what the run took; see `end`."""
        return self.end(TrialStatus.COMPLETED, execution_time_s=execution_time_s)

    def fail(
        self, reason: str, timed_out_after_s: float | None = None
    ) -> Trial | Undelivered | None:
        """Records that the run failed; see `end`."""
        return self.end(TrialStatus.FAILED, reason=reason, timed_out_after_s=timed_out_after_s)

    def abandon(self, reason: str) -> Trial | Undelivered | None:
        """Records that nothing is to be learned of the run; see `end`."""
        return self.end(TrialStatus.ABANDONED, reason=reason)

    def end(
        self,
        status: TrialStatus,
        *,
        execution_time_s: float | None = None,
        reason: str | None = None,
        timed_out_after_s: float | None = None,
    ) -> Trial | Undelivered | None:
        """Tells the store, and keeps what it doesn't take; whatever fails, nothing is raised.

        A trial that has an outcome already keeps that. In a fork of the process that began the run
        nothing happens: the run is the parent's.

        Returns:
            The trial, or what the store has not taken; None where there was nothing to tell.
        """
        if os.getpid() != self._file.entry.pid:
            return None
        ending = Ending(status, datetime.now(UTC), execution_time_s, reason, timed_out_after_s)
        self._file.change(ending=ending)
        entry = self._file.entry
        limit = nullcontext() if self._closing_s is None else self._store.within(self._closing_s)
        try:
            with limit:
                trial = told(self._store, entry, lambda t: ending.close(t) if t.is_open else t)
        except Exception as err:  # the run is done, and what comes after it goes on
            kept = self._file.keep()
            if not entry.is_worth_telling:
                return None
            return Undelivered(entry, kept, line(err))
        except BaseException:
            self._file.keep()
            raise
        self._file.remove()
        return trial


def watched(
    store: "TrialStore",
    task: str,
    suggest: Callable[[JournalFile], Decision],
    *,
    default: int | None = None,
    fails_open: bool = False,
    degrees: Sequence[int] = (),
    worker_type: str | None = None,
    closing_s: float | None = None,
) -> Run:
    """Begins a run.

    Args:
        store: Where its outcome goes.
        task: The task's name.
        suggest: Takes the decision for the run in this file, with its id as the run key.
        default: The degree where that fails; None: the task's own default, or the usual one.
        fails_open: Whether the run begins even then; False: what `suggest` raises is raised.
        degrees: The allowed degrees, for a task that the store may not know yet.
        worker_type: The type of workers that is taken with the default degree; None: none.
        closing_s: How long the store may take over the outcome [s]; None: as it does by itself.
    """
    url = identity(store) or ""
    usual = default or DEFAULT_PARALLELISM
    entry = Entry(url, store.namespace, task, usual, degrees=tuple(degrees))
    entry = replace(entry, worker_type=worker_type)
    file = JournalFile(entry)
    try:
        decision = suggest(file)
    except Exception as err:
        if not fails_open:
            _give_up(file, err)
            raise
        arm = Arm(usual, worker_type)
        if not isinstance(err, StoreError):  # the store answers: it was the question
            arm = _allowed(store, task, default) or arm
            file.change(parallelism=arm.parallelism, worker_type=arm.worker_type)
        closing_s = min(RETURN_S, RETURN_S if closing_s is None else closing_s)
        decision = unadvised(task, arm.parallelism, line(err), arm.worker_type)
        return Run(store, file, decision, line(err), closing_s)
    except BaseException as err:
        _give_up(file, err)
        raise
    file.change(
        trial_index=decision.trial_index,
        trial_id=decision.trial_id,
        parallelism=decision.parallelism,
        worker_type=decision.worker_type,
    )
    return Run(store, file, decision, None, closing_s)


def _allowed(store: "TrialStore", task: str, default: int | None) -> Arm | None:
    """The task's pinned arm, or the allowed one nearest to the default; None: not known."""
    with suppress(Exception), store.within(RETURN_S):
        experiment = store.experiment(task)
        wanted = default or experiment.default_parallelism
        return experiment.fixed_arm or experiment.nearest_arm(wanted)
    return None


def _give_up(file: JournalFile, err: BaseException) -> None:
    """Ends a run that nobody will start; a trial may be there whose number did not arrive."""
    if isinstance(err, Exception) and not isinstance(err, StoreError):
        file.remove()
        return
    file.change(ending=Ending(TrialStatus.ABANDONED, datetime.now(UTC), reason=line(err)))
    file.keep()


def recorded(
    store: "TrialStore",
    task: str,
    trial: int | str,
    ending: Ending,
    change: Callable[[], Trial],
) -> Trial | Undelivered:
    """Makes a change that closes a trial; what the store cannot take now is kept for later.

    Args:
        store: The store.
        task: The task's name.
        trial: The trial's index, or its identity.
        ending: What the change says, for when it is made later.
        change: Makes it.

    Raises:
        ArboError: The store refuses the change, or no later call could make it.
    """
    try:
        with store.within(CLOSING_S):
            return change()
    except StoreError as err:
        key = {"trial_id" if isinstance(trial, str) else "trial_index": trial}
        entry = Entry(identity(store) or "", store.namespace, task, None, **key)  # type: ignore[arg-type]
        if isinstance(err, _LASTING) or not getattr(err, "may_pass", True):
            raise
        file = JournalFile(replace(entry, ending=ending))
        if not file.keep():
            raise
        return Undelivered(file.entry, True, line(err))


def unadvised(
    task: str, parallelism: int, problem: str, worker_type: str | None = None
) -> Decision:
    """The decision of a run for which no advice could be had."""
    reason = f"{count(parallelism)}, the default, since no advice could be had: {problem}"
    return Decision(task, parallelism, Phase.FIXED, reason, worker_type=worker_type)
