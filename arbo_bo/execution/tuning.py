"""The tuning loop: suggest, run, measure, until enough runs are completed."""

from contextlib import suppress
from dataclasses import dataclass

from arbo_bo.errors import StageFailedError, StageTimeoutError, TrialClosedError
from arbo_bo.execution.command import StageCommand
from arbo_bo.execution.stage import run_stage
from arbo_bo.experiment import Decision, Trial
from arbo_bo.service.optimizer import ArboOptimizer

MAX_TIMEOUTS_IN_A_ROW = 3


@dataclass(frozen=True)
class TuningOptions:
    """How one task is tuned.

    Attributes:
        runs: Completed trials that the task shall have in all, those of earlier sessions included.
        input_size: Size of the input; None: unknown.
        timeout_s: A run is ended at this limit [s]; None: no limit.
        show_output: Whether the command's output is shown.
    """

    runs: int
    input_size: float | None = None
    timeout_s: float | None = None
    show_output: bool = False


class TuningObserver:
    """Hears what the loop does; every method may be overridden, none must be."""

    def started(self, decision: Decision, completed: int) -> None:
        """A trial starts; `completed` trials are done."""

    def finished(self, trial: Trial, completed: int) -> None:
        """A trial is completed or failed; `completed` trials are done."""


def tune(
    arbo: ArboOptimizer,
    task: str,
    command: StageCommand,
    options: TuningOptions,
    observer: TuningObserver | None = None,
) -> Decision:
    """Runs the command at the degrees that arbo suggests, and returns the decision it settles on.

    A run that fails ends the tuning, since the next would fail too; one that times out is recorded
    and tuning goes on, until three in a row did. An interruption ends the processes, abandons the
    running trial and keeps the rest; tuning again goes on from there.

    Raises:
        StageFailedError: A chunk failed; the trial is FAILED, with the end of its stderr.
        StageTimeoutError: Three runs in a row timed out.
    """
    observer = observer or TuningObserver()
    completed, timeouts = arbo.experiment(task).model.sample_count, 0
    while completed < options.runs:
        decision = arbo.suggest(task, input_size=options.input_size)
        try:
            observer.started(decision, completed)
            trial = _run(arbo, decision, command, options)
        except StageTimeoutError as err:
            timeouts += 1
            trial = _fail(arbo, decision, err, options.timeout_s)
            observer.finished(trial, completed)
            if timeouts == MAX_TIMEOUTS_IN_A_ROW:
                raise
            continue
        except StageFailedError as err:
            observer.finished(_fail(arbo, decision, err), completed)
            raise
        except BaseException as err:
            with suppress(TrialClosedError):  # interrupted just after it was completed
                arbo.mark_trial_abandoned(task, _index(decision), reason=_ending(err))
            raise
        timeouts = 0
        completed = arbo.experiment(task).model.sample_count
        observer.finished(trial, completed)
    return arbo.decide(task, input_size=options.input_size)


def _run(
    arbo: ArboOptimizer, decision: Decision, command: StageCommand, options: TuningOptions
) -> Trial:
    timing = run_stage(
        command,
        decision.parallelism,
        timeout_s=options.timeout_s,
        show_output=options.show_output,
    )
    return arbo.complete_trial(
        decision.task, _index(decision), execution_time_s=timing.execution_time_s
    )


def _fail(
    arbo: ArboOptimizer, decision: Decision, err: StageFailedError, limit_s: float | None = None
) -> Trial:
    tail = getattr(err, "stderr_tail", "")
    return arbo.mark_trial_failed(
        decision.task,
        _index(decision),
        reason=f"{err}\n{tail}".strip(),
        timed_out_after_s=limit_s,
    )


def _ending(err: BaseException) -> str:
    if isinstance(err, KeyboardInterrupt):
        return "interrupted"
    if isinstance(err, SystemExit):
        return f"ended with status {err.code}"
    return f"{type(err).__name__}: {err}"


def _index(decision: Decision) -> int:
    assert decision.trial_index is not None
    return decision.trial_index
