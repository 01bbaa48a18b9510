"""One run of a recurring command, at the degree that arbo advises, whatever becomes of arbo."""

import shlex
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arbo_bo._format import count, format_time
from arbo_bo.errors import CommandError, StageFailedError
from arbo_bo.execution.command import StageCommand
from arbo_bo.execution.falls import fallen_from
from arbo_bo.execution.foreground import Foreground, ForegroundEnd
from arbo_bo.execution.stage import chunks_of, prepare
from arbo_bo.experiment import (
    Arm,
    Decision,
    Experiment,
    SearchSpace,
    Trial,
    WorkerType,
    WorkerTypes,
)
from arbo_bo.experiment.callers import asked_by
from arbo_bo.service.experiments import allowed_default
from arbo_bo.service.journal import JournalFile
from arbo_bo.service.optimizer import DEADLINE_S, ArboOptimizer
from arbo_bo.service.runs import Run, Undelivered, unadvised, watched

NOT_FOUND, NOT_RUNNABLE = 127, 126
"""What a shell's exit status is where it finds no such program, or cannot start it."""


CALLER = "arbo run"


@dataclass(frozen=True)
class OneRun:
    """What is to run, and what is known of it.

    Attributes:
        task: The task's name.
        command: What runs.
        space: The allowed degrees; None: as configured.
        new_space: The allowed degrees of a task that is not known yet.
        default_parallelism: The degree where nobody can be asked; None: the usual one.
        input_size: Measures the size of the input.
        prepare: A shell's command that is run before, outside of the time.
        worker_types: The types of workers to choose from; None: as configured.
    """

    task: str
    command: StageCommand
    space: SearchSpace | None
    new_space: SearchSpace
    default_parallelism: int | None = None
    input_size: Callable[[], float | None] = lambda: None
    prepare: str | None = None
    worker_types: WorkerTypes | None = None

    @property
    def fallback(self) -> Arm:
        """The degree where nobody can be asked, on the first worker type that allows it."""
        default = self.default_parallelism
        if default is None or self.worker_types:
            return self.configured(None)[0].probe_arm
        return Arm(default if self.space is None else self.space.nearest(default))

    def configured(self, stored: Experiment | None) -> tuple[Experiment, list[str]]:
        """The task with what is asked of it here, and what there is to tell of that.

        A script asks for the same at each run, and what a person has changed since stays.
        """
        new = Experiment(self.task, search_space=self.space or self.new_space)
        asked: dict[str, Any] = {"search_space": self.space, "worker_types": self.worker_types}
        given = {name: value for name, value in asked.items() if value}
        notes: list[str] = []
        default = self.default_parallelism
        if default is not None and not self.worker_types:
            space = self.space or (stored or new).allowed
            default, notes = allowed_default(self.task, default, space)
        if default is not None:
            given["default_parallelism"] = default
        changed, said = asked_by(CALLER, stored, new, given)
        return changed, notes + said


def run_once(
    open_optimizer: Callable[[], ArboOptimizer], asked: OneRun, say: Callable[[str], None]
) -> int:
    """Runs the command once, in this process's place, and records what came of it.

    Whatever fails but the command itself, the command runs, at the default degree if need be.

    Args:
        open_optimizer: Opens the store; may raise.
        asked: What is to run.
        say: Tells people a line.

    Returns:
        The command's exit status.

    Raises:
        StageFailedError: The preparation failed, and the command did not run.
    """
    if asked.prepare is not None:
        prepare(asked.prepare, show_output=True)
    try:
        arbo = open_optimizer()
    except Exception as err:  # a URL that says nothing, a package that is broken
        decision = unadvised(
            asked.task,
            asked.fallback.parallelism,
            " ".join(str(err).split()),
            asked.fallback.worker_type,
        )
        say(f"{asked.task}: {decision.reason}")
        types = asked.worker_types
        worker = None if types is None else asked.configured(None)[0].worker_of(decision.arm)
        return _run(asked, decision, None, say, worker).status
    known = [asked.configured(None)[0]] if asked.worker_types else []
    run = watched(
        arbo.store,
        asked.task,
        lambda file: _suggested(arbo, asked, file, known, say),
        default=asked.fallback.parallelism,
        worker_type=asked.fallback.worker_type,
        fails_open=True,
        degrees=(asked.space or asked.new_space).degrees,
        closing_s=DEADLINE_S,
    )
    if run.problem is not None:
        say(f"{asked.task}: {run.decision.reason}; what it takes is delivered by a later call")
    worker = known[-1].worker_of(run.decision.arm) if known else None
    end = _run(asked, run.decision, run, say, worker)
    _record(arbo, run, end, say)
    return end.status


def _suggested(
    arbo: ArboOptimizer,
    asked: OneRun,
    file: JournalFile,
    known: list[Experiment],
    say: Callable[[str], None],
) -> Decision:
    size = asked.input_size()
    file.note(input_size=size)
    before: list[SearchSpace] = []
    notes: list[str] = []

    def change(stored: Experiment | None) -> Experiment:
        before[:] = [] if stored is None else [stored.search_space]
        changed, notes[:] = asked.configured(stored)
        return changed

    with arbo.store.within(DEADLINE_S):
        known.append(arbo.store.configure(asked.task, change))
        after = known[-1].search_space
        if not before:  # of its degrees nothing is told: stderr is the command's
            notes += arbo.introduction(known[-1], was_told=True)
        elif before[0] != after:
            say(f"{asked.task}: allowed are {after} workers from now on, and no longer {before[0]}")
        for note in notes:
            say(note)
        return arbo.suggest(asked.task, input_size=size, run_key=file.entry.run_id)


def _run(
    asked: OneRun,
    decision: Decision,
    run: Run | None,
    say: Callable[[str], None],
    worker: tuple[str, WorkerType] | None,
) -> ForegroundEnd:
    try:
        return Foreground(chunks_of(asked.command, decision.parallelism, worker=worker)).run()
    except (CommandError, StageFailedError) as err:
        if run is not None:
            run.abandon(str(err))
        say(f"{asked.task}: {err}")
        status = NOT_FOUND if isinstance(err.__cause__, FileNotFoundError) else NOT_RUNNABLE
        return ForegroundEnd(status, 0.0)
    except BaseException as err:
        if run is not None:
            run.abandon(type(err).__name__)
        raise


def _record(arbo: ArboOptimizer, run: Run, end: ForegroundEnd, say: Callable[[str], None]) -> None:
    """Tells the store what came of the run: a failure is one, however fast it was."""
    if not end.execution_time_s:  # it did not start, and that was said
        return
    asked_to_end = end.interruption
    if asked_to_end is not None and (end.status or asked_to_end is not signal.SIGHUP):
        told = run.abandon(f"interrupted by {asked_to_end.name}")
    elif end.failure is not None:
        told = run.fail(str(end.failure))
    else:
        told = run.complete(max(end.execution_time_s, 1e-9))
    if isinstance(told, Undelivered):
        if run.problem is None or not told.is_kept:
            say(str(told))
    elif told is not None:
        warning = fall_warning(arbo, told)
        if warning is not None:
            say(warning)


def fall_warning(arbo: ArboOptimizer, trial: Trial) -> str | None:
    """Asks about a time that is too short to be true; None: it is not, or nobody knows."""
    try:
        with arbo.store.within(DEADLINE_S):
            window = arbo.store.experiment(trial.task).window
            other = fallen_from(trial, arbo.store.history(trial.task, window))
    except Exception:  # only a question
        return None
    return None if other is None else question(trial, other)


def question(trial: Trial, other: Trial) -> str:
    """What is asked of a run that took far less than another one."""
    ran, before = (
        f"{format_time(t.execution_time_s or 0.0)} with {count(t.parallelism)}"
        for t in (trial, other)
    )
    return (
        f"{trial} took {ran}, and trial {other.trial_index} {before}: had it anything to do? If "
        "not, give with --prepare what undoes the work of a run, and take this one back: "
        f"{shlex.join(['arbo', 'exclude', trial.task, str(trial.trial_index)])}"
    )
