"""``arbo tune``: run a command at several degrees and settle on the right one."""

from collections.abc import Mapping
from typing import Any

import click

from arbo_bo._format import count, format_time
from arbo_bo.cli import INTERRUPTED, options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.setting_options import apply_configuration, settings
from arbo_bo.cli.status_line import StatusLine
from arbo_bo.context import input_size_of
from arbo_bo.errors import MissingPlaceholderError, StageFailedError
from arbo_bo.execution import StageCommand
from arbo_bo.execution import tuning as loop
from arbo_bo.execution.run import question
from arbo_bo.experiment import Decision, Trial, TrialStatus
from arbo_bo.experiment.decision_view import decision_view
from arbo_bo.experiment.outcome import clean_reason
from arbo_bo.experiment.validation import integer
from arbo_bo.service.optimizer import ArboOptimizer


@click.command()
@options.task
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option(
    "--runs",
    type=int,
    default=12,
    show_default=True,
    metavar="N",
    help="Completed trials that the task shall have in all.",
)
@options.input_size
@click.option("--timeout", metavar="TIME", help="End a run at 90s, 10m, 1h.")
@options.prepare
@click.option("--show-output", is_flag=True, help="Show the command's output, on stderr.")
@settings
@options.where
@options.json
def tune(
    task: str,
    command: tuple[str, ...],
    runs: int,
    given: Mapping[str, Any],
    input_size: str | None,
    timeout: str | None,
    prepare: str | None,
    show_output: bool,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Run COMMAND at several degrees of parallelism, learn its law, settle on the right degree.

    COMMAND is the program and its arguments; {chunk_id}, {chunks} and {parallelism} are replaced,
    nothing else is. No shell comes in between. With {chunk_id} in an argument, s processes run side
    by side, one a chunk; without, one process is told its degree. The command's stdout is discarded
    unless --show-output. Running again goes on where it stopped.

    \b
    arbo tune sort --parallelism 1:8 -- sort --parallel={parallelism} -o /dev/null big.txt
    """  # noqa: D301  click's mark of lines that stay as they are
    stage = stage_command(command)
    tuning = loop.TuningOptions(
        runs=integer("--runs", runs, 1),
        input_size=input_size_of(input_size),
        timeout_s=values.parse_duration_s("--timeout", timeout),
        show_output=show_output,
        prepare=prepare,
    )
    arbo = open_optimizer(store, namespace)
    experiment, notes = apply_configuration(arbo, task, given)
    for note in notes:
        render.say(note)
    _announce(arbo, task, experiment.model.sample_count, tuning.runs)
    with StatusLine() as status:
        try:
            decision = loop.tune(arbo, task, stage, tuning, _Progress(status, tuning.runs))
        except StageFailedError as err:
            tail = clean_reason(getattr(err, "stderr_tail", None))
            if tail:
                status.print(click.style(tail, fg="red"))
            raise
        except KeyboardInterrupt as err:
            status.print("interrupted: what is completed is kept, run again to go on")
            raise click.exceptions.Exit(INTERRUPTED) from err
    _report(arbo, decision, json)


def stage_command(arguments: tuple[str, ...]) -> StageCommand:
    """The command to run.

    Raises:
        UsageError: It would do the same at every degree.
    """
    try:
        return StageCommand(arguments)
    except MissingPlaceholderError as err:
        raise click.UsageError(str(err)) from err


def _announce(arbo: ArboOptimizer, task: str, completed: int, runs: int) -> None:
    if completed:
        render.say(f"{task}: {completed} of {runs} runs are there already")
    stale = [t for t in arbo.trials(task) if t.status is TrialStatus.RUNNING]
    if stale:
        indices = ", ".join(str(t.trial_index) for t in stale[:5])
        render.say(
            f"{task}: trial {indices} is RUNNING elsewhere; if it is dead, "
            f"`arbo abandon {task} INDEX` says so"
        )
    busy = arbo.store.running_workers()
    if busy:
        render.say(
            f"{count(busy)} of RUNNING trials in namespace {arbo.store.namespace} count as "
            "cluster load; `arbo show TASK` lists a task's"
        )


class _Progress(loop.TuningObserver):
    """Shows each trial as a line, and the current one below them."""

    def __init__(self, status: StatusLine, runs: int) -> None:
        self.status = status
        self.runs = runs

    def started(self, decision: Decision, completed: int) -> None:
        text = (
            f"{completed}/{self.runs}  trial {decision.trial_index} ({decision.phase}): "
            f"{decision.arm}"
        )
        if decision.predicted_time_s is not None:
            text += f", expected {format_time(decision.predicted_time_s)}"
        self.status.update(text)

    def finished(self, trial: Trial, completed: int) -> None:
        taken = "failed" if trial.status is TrialStatus.FAILED else ""
        if trial.execution_time_s is not None:
            taken = format_time(trial.execution_time_s)
        expected = trial.predicted_time_s
        beside = "" if expected is None else f"   expected {format_time(expected)}"
        self.status.print(
            f"trial {trial.trial_index:>3}  {trial.phase:<8}  {trial.arm!s:>10}"
            f"  {taken:>10}{beside}"
        )

    def doubted(self, trial: Trial, other: Trial) -> None:
        self.status.print(question(trial, other))


def _report(arbo: ArboOptimizer, decision: Decision, json: bool) -> None:
    experiment, trials = arbo.experiment(decision.task), arbo.trials(decision.task)
    if json:
        return render.print_json(
            {
                "task": decision.task,
                "experiment": render.experiment_json(experiment),
                "decision": decision_view(decision),
                "trials": [render.trial_json(t) for t in trials],
            }
        )
    if decision.candidates:
        render.print_table(render.candidate_table(decision, render.measured_times(trials)))
    print()
    sized = experiment.model.base_input_size is not None
    law = decision.law or experiment.model.law
    print(f"law       {render.law_line(law, sized)}")
    print(f"decision  {decision.reason}")
