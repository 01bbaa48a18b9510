"""The tuning loop: suggest, run, measure, until enough runs are completed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from arbo_bo.errors import StageFailedError, StageTimeoutError, UndeliveredError
from arbo_bo.execution.command import StageCommand
from arbo_bo.execution.falls import fallen_from
from arbo_bo.execution.signals import ending_signals_raise
from arbo_bo.execution.stage import prepare, run_stage
from arbo_bo.experiment import Decision, Trial, WorkerType
from arbo_bo.service.journal import JournalFile
from arbo_bo.service.optimizer import ArboOptimizer
from arbo_bo.service.runs import Run, Undelivered, watched

MAX_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True)
class TuningOptions:
    """How one task is tuned.

    Attributes:
        runs: Completed trials that the task shall have in all, those of earlier sessions included.
        input_size: Size of the input; None: unknown.
        timeout_s: A run is ended at this limit [s]; None: no limit.
        show_output: Whether the command's output is shown.
        prepare: A shell's command that is run before each run, outside of its time.
    """

    runs: int
    input_size: float | None = None
    timeout_s: float | None = None
    show_output: bool = False
    prepare: str | None = None


class TuningObserver:
    """Hears what the loop does; every method may be overridden, none must be."""

    def started(self, decision: Decision, completed: int) -> None:
        """A trial starts; `completed` trials are done."""

    def finished(self, trial: Trial, completed: int) -> None:
        """A trial is completed or failed; `completed` trials are done."""

    def doubted(self, trial: Trial, other: Trial) -> None:
        """A trial took so much less than another one that it may not have done its work."""


def tune(
    arbo: ArboOptimizer,
    task: str,
    command: StageCommand,
    options: TuningOptions,
    observer: TuningObserver | None = None,
) -> Decision:
    """Runs the command at the degrees that arbo suggests, and returns the decision it settles on.

    A run that fails or times out is recorded, with the end of its stderr, and tuning goes on, since
    another degree may do; until three in a row did. An interruption ends the processes, abandons
    the running trial and keeps the rest; tuning again goes on from there.

    Raises:
        CommandError: The program could not be run.
        StageFailedError: Three runs in a row failed.
        StageTimeoutError: The same, and the last one timed out.
        UndeliveredError: The store has not taken what a run took; the next call delivers it.
    """
    observer = observer or TuningObserver()
    failures = 0
    with ending_signals_raise():
        completed = arbo.experiment(task).model.sample_count
        while completed < options.runs:
            if options.prepare is not None:
                prepare(options.prepare, show_output=options.show_output)
            run = _begun(arbo, task, options)
            try:
                worker = arbo.experiment(task).worker_of(run.decision.arm)
                started = partial(observer.started, run.decision, completed)
                trial = _tried(run, command, options, started, worker)
            except StageFailedError as err:
                failures += 1
                limit_s = options.timeout_s if isinstance(err, StageTimeoutError) else None
                observer.finished(_taken(run.fail(_reason(err), limit_s)), completed)
                if failures == MAX_FAILURES_IN_A_ROW:
                    raise
                continue
            failures = 0
            experiment = arbo.experiment(task)
            completed = experiment.model.sample_count
            observer.finished(trial, completed)
            other = fallen_from(trial, arbo.store.history(task, experiment.window))
            if other is not None:
                observer.doubted(trial, other)
        return arbo.decide(task, input_size=options.input_size)


def _begun(arbo: ArboOptimizer, task: str, options: TuningOptions) -> Run:
    def suggest(file: JournalFile) -> Decision:
        return arbo.suggest(task, input_size=options.input_size, run_key=file.entry.run_id)

    return watched(arbo.store, task, suggest)


def _tried(
    run: Run,
    command: StageCommand,
    options: TuningOptions,
    started: Callable[[], None],
    worker: tuple[str, WorkerType] | None,
) -> Trial:
    """Runs the command, and records what it took."""
    try:
        started()
        timing = run_stage(
            command,
            run.decision.parallelism,
            timeout_s=options.timeout_s,
            show_output=options.show_output,
            worker=worker,
        )
    except StageFailedError:
        raise
    except BaseException as err:
        run.abandon(_ending(err))
        raise
    return _taken(run.complete(timing.execution_time_s))


def _taken(told: Trial | Undelivered | None) -> Trial:
    """The trial, if the store has it."""
    if isinstance(told, Undelivered):
        raise UndeliveredError(str(told))
    assert told is not None
    return told


def _reason(err: StageFailedError) -> str:
    return f"{err}\n{getattr(err, 'stderr_tail', '')}".strip()


def _ending(err: BaseException) -> str:
    if isinstance(err, KeyboardInterrupt):
        return "interrupted"
    if isinstance(err, SystemExit):
        return f"ended with status {err.code}"
    return f"{type(err).__name__}: {err}"
