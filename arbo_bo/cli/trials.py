"""``arbo complete``, ``fail``, ``abandon`` and ``exclude``."""

from datetime import UTC, datetime
from typing import Any

import click

from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import NO_TRIAL, open_optimizer
from arbo_bo.context import input_size_of
from arbo_bo.experiment import Outcome, Trial, TrialStatus
from arbo_bo.service.journal_entry import Ending
from arbo_bo.service.optimizer import ArboOptimizer
from arbo_bo.service.runs import Undelivered, recorded

_reason = click.option("--reason", metavar="TEXT", help="Why, for people.")


@click.command()
@options.task
@options.maybe_index
@click.option(
    "--time",
    required=True,
    metavar="TIME",
    help="Wall time, start-up included: seconds, or such as 5m.",
)
@options.startup_time
@options.input_size
@click.option("--time-measure", metavar="KIND", help="What the time is: makespan or slowest.")
@click.option("--queued-time", metavar="TIME", help="Time that the run waited for its workers.")
@click.option("--exclude", metavar="REASON", help="Why this run is not to train.")
@options.where
@options.json
def complete(
    task: str,
    index: int | str,
    time: str,
    startup_time: str | None,
    input_size: str | None,
    time_measure: str | None,
    queued_time: str | None,
    exclude: str | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Record what a run took; without an INDEX there was no trial, and nothing is recorded."""
    if exclude is not None and not exclude.strip():
        raise click.UsageError("--exclude needs a reason; without --exclude the run trains")
    execution_time_s = values.parse_duration_s("--time", time)
    further = {
        "startup_time_s": values.parse_duration_s("--startup-time", startup_time, may_be_zero=True),
        "queued_time_s": values.parse_duration_s("--queued-time", queued_time, may_be_zero=True),
        "input_size": input_size_of(input_size),
        "time_measure": time_measure,
        "exclusion_reason": exclude,
    }
    Outcome(execution_time_s, **further)  # type: ignore[arg-type]  # checked before it is kept
    if index == NO_TRIAL:
        return _say_no_trial("complete", json)
    arbo = open_optimizer(store, namespace, must_exist=True)
    ending = _ending(TrialStatus.COMPLETED, execution_time_s=execution_time_s, further=further)
    told = recorded(
        arbo.store,
        task,
        index,
        ending,
        lambda: arbo.complete_trial(task, index, execution_time_s=execution_time_s, **further),  # type: ignore[arg-type]
    )
    _report(told, json)


@click.command()
@options.task
@options.maybe_index
@_reason
@click.option("--timed-out-after", metavar="TIME", help="The limit that the run was ended at.")
@options.where
@options.json
def fail(
    task: str,
    index: int | str,
    reason: str | None,
    timed_out_after: str | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Record that a run failed: a degree that fails is left alone."""
    limit = values.parse_duration_s("--timed-out-after", timed_out_after)
    if index == NO_TRIAL:
        return _say_no_trial("fail", json)
    arbo = open_optimizer(store, namespace, must_exist=True)
    ending = _ending(TrialStatus.FAILED, reason=reason, timed_out_after_s=limit)
    told = recorded(
        arbo.store,
        task,
        index,
        ending,
        lambda: arbo.mark_trial_failed(task, index, reason=reason, timed_out_after_s=limit),
    )
    _report(told, json)


@click.command()
@options.task
@options.maybe_index
@_reason
@options.where
@options.json
def abandon(
    task: str, index: int | str, reason: str | None, store: str | None, namespace: str, json: bool
) -> None:
    """Record that a run's outcome will never be known."""
    if index == NO_TRIAL:
        return _say_no_trial("abandon", json)
    arbo = open_optimizer(store, namespace, must_exist=True)
    told = recorded(
        arbo.store,
        task,
        index,
        _ending(TrialStatus.ABANDONED, reason=reason),
        lambda: arbo.mark_trial_abandoned(task, index, reason=reason),
    )
    _report(told, json)


@click.command()
@options.task
@options.index
@_reason
@click.option("--undo", is_flag=True, help="Let it train again.")
@options.where
@options.json
def exclude(
    task: str,
    index: int | str,
    reason: str | None,
    undo: bool,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Let a trial train no more, such as a wrong measurement; --undo takes that back.

    Done again, it keeps the reason unless another one is given.
    """
    if undo and reason is not None:
        raise click.UsageError("give --reason or --undo, not both")
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
    render.say(" ".join(said.split()))


@click.command()
@options.where
@options.json
def deliver(store: str | None, namespace: str, json: bool) -> None:
    """Tell the store what runs of this machine could not tell it when they ended.

    Every command does so before its own work; this one says what came of it.
    """
    trials = ArboOptimizer(store, namespace=namespace).deliver()
    if json:
        return render.print_json([render.trial_json(trial) for trial in trials])
    for trial in trials:
        render.say(f"{trial} is {trial.status}")
    if not trials:
        render.say("no run of this machine waits for this store")


def _ending(status: TrialStatus, **told: Any) -> Ending:
    return Ending(status, datetime.now(UTC), **told)


def _say_no_trial(verb: str, json: bool) -> None:
    render.say(f"no trial's index was given, so none was made for this run: nothing to {verb}")
    if json:
        render.print_json(None)


def _report(told: Trial | Undelivered, json: bool) -> None:
    if isinstance(told, Undelivered):
        render.say(str(told))
        return render.print_json(None) if json else None
    if json:
        return render.print_json(render.trial_json(told))
    render.say(f"{told} is {told.status}")
