"""``arbo tune``: run a command at several degrees and settle on the right one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arbo_bo._format import count, format_time
from arbo_bo.cli import options, render
from arbo_bo.cli.experiments import apply_configuration
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.strategy_options import StrategyOptions, with_strategy
from arbo_bo.context import input_size_of
from arbo_bo.errors import MissingPlaceholderError, StageFailedError
from arbo_bo.execution import StageCommand
from arbo_bo.execution import tuning as loop
from arbo_bo.experiment import Decision, Trial, TrialStatus
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.experiment.outcome import clean_reason
from arbo_bo.experiment.validation import integer
from arbo_bo.service.optimizer import ArboOptimizer


@with_strategy
def tune(
    task: options.Task,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- COMMAND...",
            help="The program and its arguments; {chunk_id}, {chunks} and {parallelism} are "
            "replaced, nothing else is. No shell comes in between.",
            show_default=False,
        ),
    ] = None,
    parallelism: options.Parallelism = None,
    runs: Annotated[
        int, typer.Option(metavar="N", help="Completed trials that the task shall have in all.")
    ] = 12,
    input_size: options.InputSize = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="End a run at 90s, 10m, 1h.")
    ] = None,
    urgency: options.Urgency = None,
    cost_exponent: options.CostExponent = None,
    default: options.Default = None,
    baseline: options.Baseline = None,
    show_output: Annotated[
        bool, typer.Option("--show-output", help="Show the command's output, on stderr.")
    ] = False,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
    *,
    strategy: StrategyOptions,
) -> None:
    """Run COMMAND at several degrees of parallelism, learn its law, settle on the right degree.

    With {chunk_id} in an argument, s processes run side by side, one a chunk; without, one process
    is told its degree. The command's stdout is discarded unless --show-output. Running again goes
    on where it stopped.

    arbo tune sort --parallelism 1:8 -- sort --parallel={parallelism} -o /dev/null big.txt
    """
    stage = _stage_command(command or [])
    settings = loop.TuningOptions(
        runs=integer("--runs", runs, 1),
        input_size=input_size_of(input_size),
        timeout_s=options.parse_duration_s("--timeout", timeout),
        show_output=show_output,
    )
    arbo = open_optimizer(store, namespace)
    experiment = apply_configuration(
        arbo,
        task,
        strategy,
        parallelism=parallelism,
        default=default,
        urgency=urgency,
        cost_exponent=cost_exponent,
        baseline=baseline,
    )
    console = render.stderr()
    _announce(console, arbo, task, experiment.model.sample_count, settings.runs)
    with _progress(console, settings.runs, experiment.model.sample_count) as observer:
        try:
            decision = loop.tune(arbo, task, stage, settings, observer)
        except StageFailedError as err:
            tail = clean_reason(getattr(err, "stderr_tail", None))
            if tail:
                console.print(tail, markup=False, style="red")
            raise
        except KeyboardInterrupt as err:
            console.print("interrupted: what is completed is kept, run again to go on")
            raise typer.Exit(130) from err
    _report(arbo, decision, json)


def _stage_command(arguments: list[str]) -> StageCommand:
    try:
        return StageCommand(tuple(arguments))
    except MissingPlaceholderError as err:
        raise typer.BadParameter(str(err)) from err


def _announce(console: Console, arbo: ArboOptimizer, task: str, completed: int, runs: int) -> None:
    if completed:
        console.print(f"{task}: {completed} of {runs} runs are there already", markup=False)
    stale = [t for t in arbo.trials(task) if t.status is TrialStatus.RUNNING]
    if stale:
        indices = ", ".join(str(t.trial_index) for t in stale[:5])
        console.print(
            f"{task}: trial {indices} is RUNNING elsewhere; if it is dead, "
            f"`arbo abandon {task} INDEX` says so",
            markup=False,
        )
    busy = arbo.store.running_workers()
    if busy:
        console.print(
            f"{count(busy)} of RUNNING trials in namespace {arbo.store.namespace} count as "
            "cluster load; `arbo show TASK` lists a task's",
            markup=False,
        )


class _Progress(loop.TuningObserver):
    """Shows each trial as a line, and the current one beside the bar."""

    def __init__(self, progress: Progress, runs: int, completed: int) -> None:
        self.progress = progress
        self.bar = progress.add_task("", total=max(runs, completed), completed=completed)

    def started(self, decision: Decision, completed: int) -> None:
        text = f"trial {decision.trial_index} ({decision.phase}): {count(decision.parallelism)}"
        if decision.predicted_time_s is not None:
            text += f", expected {format_time(decision.predicted_time_s)}"
        self.progress.update(self.bar, completed=completed, description=text)

    def finished(self, trial: Trial, completed: int) -> None:
        taken = "failed" if trial.status is TrialStatus.FAILED else ""
        if trial.execution_time_s is not None:
            taken = format_time(trial.execution_time_s)
        expected = trial.predicted_time_s
        beside = "" if expected is None else f"   expected {format_time(expected)}"
        line = (
            f"trial {trial.trial_index:>3}  {trial.phase:<8}  {count(trial.parallelism):>10}"
            f"  {taken:>10}{beside}"
        )
        self.progress.console.print(line, markup=False)
        self.progress.update(self.bar, completed=completed)


@contextmanager
def _progress(console: Console, runs: int, completed: int) -> Iterator[_Progress]:
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Progress(progress, runs, completed)


def _report(arbo: ArboOptimizer, decision: Decision, json: bool) -> None:
    experiment, trials = arbo.experiment(decision.task), arbo.trials(decision.task)
    if json:
        return render.print_json(
            {
                "task": decision.task,
                "experiment": render.experiment_json(experiment),
                "decision": render.decision_json(decision),
                "trials": [render.trial_json(t) for t in trials],
            }
        )
    out = render.stdout()
    if decision.candidates:
        out.print(render.candidate_table(decision, render.measured_times(trials)))
    out.print()
    sized = experiment.model.base_input_size is not None
    law = decision.law or experiment.model.law
    out.print(f"law       {render.law_line(law, sized)}", markup=False)
    out.print(f"decision  {decision.reason}", markup=False)
