"""``arbo suggest``, ``complete``, ``fail``, ``abandon`` and ``attach``."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from arbo_bo.cli import options, render
from arbo_bo.cli.experiments import apply_configuration
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.strategy_options import StrategyOptions, with_strategy
from arbo_bo.context import input_size_of
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Decision, Trial
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.experiment.validation import short
from arbo_bo.service.optimizer import ArboOptimizer

ClosingReason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for people.")]


@with_strategy
def suggest(
    task: options.Task,
    input_size: options.InputSize = None,
    input_size_fallback: options.InputSizeFallback = None,
    cluster_load: options.ClusterLoad = None,
    parallelism: options.Parallelism = None,
    default: options.Default = None,
    urgency: options.Urgency = None,
    baseline: options.Baseline = None,
    max_parallelism: Annotated[
        int | None,
        typer.Option(metavar="DEGREE", help="The most workers that there are now."),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Asked again with this key, the same trial is given."),
    ] = None,
    run_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Abandon the task's running trials with the same key."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every candidate, and why not, on stderr.")
    ] = False,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
    *,
    strategy: StrategyOptions,
) -> None:
    """Decide the degree of the next run; its trial is RUNNING from here.

    Prints lines that a shell can evaluate, and the reason on stderr:

    eval "$(arbo suggest nightly)"; make -j $parallelism; arbo complete nightly $trial_index ...
    """
    size = input_size_of(input_size, options.parse_fallback(input_size_fallback))
    arbo = open_optimizer(store, namespace)
    given = (parallelism, default, urgency, baseline)
    if strategy.given or any(value is not None for value in given):
        from arbo_bo.storage.deferred import DeferringTrialStore

        # What was asked for is kept if a trial comes of it.
        arbo = ArboOptimizer(DeferringTrialStore(store, namespace), namespace)
        apply_configuration(
            arbo,
            task,
            strategy,
            parallelism=parallelism,
            default=default,
            urgency=urgency,
            baseline=baseline,
        )
    decision = arbo.suggest(
        task,
        input_size=size,
        cluster_load=cluster_load,
        max_parallelism=max_parallelism,
        idempotency_key=idempotency_key,
        run_key=run_key,
    )
    try:
        if explain:
            print(decision.explain(), file=sys.stderr)
        _print_decision(decision, json)
        sys.stdout.flush()
    except OSError:  # nobody has read the decision, so nobody will run it
        assert decision.trial_index is not None
        arbo.mark_trial_abandoned(task, decision.trial_index, reason="the output was not read")
        raise


def _print_decision(decision: Decision, json: bool) -> None:
    if json:
        return render.print_json(render.decision_json(decision))
    print(f"parallelism={decision.parallelism}\ntrial_index={decision.trial_index}")
    print(f"trial {decision.trial_index}: {decision.reason}", file=sys.stderr)


def complete(
    task: options.Task,
    index: options.Index,
    time: options.Time,
    startup_time: options.StartupTime = None,
    input_size: options.InputSize = None,
    time_measure: Annotated[
        str | None, typer.Option(metavar="KIND", help="What the time is: makespan or slowest.")
    ] = None,
    queued_time: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Time that the run waited for its workers."),
    ] = None,
    exclude: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why this run is not to train.")
    ] = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Record what a run took."""
    if exclude is not None and not exclude.strip():
        raise typer.BadParameter("--exclude needs a reason; without --exclude the run trains")
    execution_time_s = options.parse_duration_s("--time", time)
    startup_time_s = options.parse_duration_s("--startup-time", startup_time, may_be_zero=True)
    queued_time_s = options.parse_duration_s("--queued-time", queued_time, may_be_zero=True)
    arbo = open_optimizer(store, namespace, must_exist=True)
    _report(
        arbo.complete_trial(
            task,
            index,
            execution_time_s=execution_time_s,
            startup_time_s=startup_time_s,
            input_size=input_size_of(input_size),
            time_measure=time_measure,
            queued_time_s=queued_time_s,
            exclusion_reason=exclude,
        ),
        json,
    )


def fail(
    task: options.Task,
    index: options.Index,
    reason: ClosingReason = None,
    timed_out_after: Annotated[
        str | None, typer.Option(metavar="TIME", help="The limit that the run was ended at.")
    ] = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Record that a run failed; it never trains the model."""
    limit = options.parse_duration_s("--timed-out-after", timed_out_after)
    arbo = open_optimizer(store, namespace, must_exist=True)
    _report(arbo.mark_trial_failed(task, index, reason=reason, timed_out_after_s=limit), json)


def abandon(
    task: options.Task,
    index: options.Index,
    reason: ClosingReason = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Record that a run's outcome will never be known."""
    _report(
        open_optimizer(store, namespace, must_exist=True).mark_trial_abandoned(
            task, index, reason=reason
        ),
        json,
    )


def exclude(
    task: options.Task,
    index: options.Index,
    reason: ClosingReason = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let it train again.")] = False,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Let a trial train no more, such as a wrong measurement; --undo takes that back.

    Done again, it keeps the reason unless another one is given.
    """
    if undo and reason is not None:
        raise typer.BadParameter("give --reason or --undo, not both")
    arbo = open_optimizer(store, namespace, must_exist=True)
    before = arbo.store.trial(task, index).exclusion_reason
    if undo:
        trial = arbo.include_trial(task, index)
    else:
        trial = arbo.exclude_trial(task, index, reason=reason)
    if json:
        return render.print_json(render.trial_json(trial))
    why = trial.exclusion_reason
    said = f"{trial} trains" if why is None else f"{trial} does not train: {why}"
    if None not in (before, why) and before != why:
        said += f" (the reason was: {before})"
    render.stderr().print(" ".join(said.split()), markup=False)


def attach(
    task: options.Task,
    time: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Wall time of one run: seconds, or such as 5m."),
    ] = None,
    parallelism: Annotated[int | None, typer.Option(metavar="DEGREE", help="Its degree.")] = None,
    input_size: options.InputSize = None,
    cluster_load: options.ClusterLoad = None,
    startup_time: options.StartupTime = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Many runs, oldest first: columns parallelism, execution_time_s, and perhaps "
            "input_size, cluster_load, startup_time_s. All or none are added.",
        ),
    ] = None,
    store: options.Store = None,
    namespace: options.Namespace = DEFAULT_NAMESPACE,
    json: options.Json = False,
) -> None:
    """Add completed runs from elsewhere, one or a CSV of them."""
    one = {
        "parallelism": parallelism,
        "execution_time_s": options.parse_duration_s("--time", time),
        "input_size": input_size_of(input_size),
        "cluster_load": cluster_load,
        "startup_time_s": options.parse_duration_s(
            "--startup-time", startup_time, may_be_zero=True
        ),
    }
    given = [name for name, value in one.items() if value is not None]
    if file is not None and given:
        raise typer.BadParameter("give --csv, or one run's options, not both")
    if file is None and (time is None or parallelism is None):
        raise typer.BadParameter("give --parallelism and --time, or --csv FILE")
    rows = [one] if file is None else read_history(file)
    trials = open_optimizer(store, namespace).attach_trials(task, rows)
    if json:
        return render.print_json([render.trial_json(t) for t in trials])
    first, last = trials[0].trial_index, trials[-1].trial_index
    what = f"trial {first}" if first == last else f"{len(trials)} trials, {first} to {last},"
    render.stderr().print(f"attached {what} of {task}", markup=False)


def read_history(path: Path) -> list[dict[str, Any]]:
    """Reads a CSV of runs; empty fields are unknown.

    Raises:
        InvalidValueError: The file cannot be read, is empty, or a field is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            rows, header = list(reader), reader.fieldnames or ()
    except OSError as err:
        raise InvalidValueError(f"{path} cannot be read: {err.strerror}") from err
    except (UnicodeError, csv.Error) as err:
        raise InvalidValueError(f"{path} cannot be read as CSV: {err}") from err
    twice = sorted({name for name in header if list(header).count(name) > 1})
    if twice:
        raise InvalidValueError(f"{path} has column {', '.join(twice)} more than once")
    if not rows:
        raise InvalidValueError(f"{path} holds no runs: a header line and one row or more, please")
    return [_numbers(path, line, row) for line, row in enumerate(rows, start=2)]


def _numbers(path: Path, line: int, row: dict[Any, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise InvalidValueError(f"{path}, line {line}: as many fields as the header has, please")
    numbers = {}
    for name, text in row.items():
        try:
            numbers.update({name: float(text)} if text.strip() else {})
        except ValueError as err:
            problem = f"column {name} needs a number, got {short(text)}"
            raise InvalidValueError(f"{path}, line {line}: {problem}") from err
    return numbers


def _report(trial: Trial, json: bool) -> None:
    if json:
        return render.print_json(render.trial_json(trial))
    render.stderr().print(f"{trial} is {trial.status}", markup=False)
