"""``arbo show``."""

from collections import deque
from collections.abc import Iterable, Iterator

import click

from arbo_bo._format import format_time
from arbo_bo.cli import options, render
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.status_line import counted
from arbo_bo.experiment import Decision, Phase, Trial
from arbo_bo.experiment.arm import Arm, short_name
from arbo_bo.experiment.decision_view import decision_view
from arbo_bo.service.optimizer import ArboOptimizer


@click.command()
@options.task
@options.optional_index
@options.input_size
@options.where
@options.json
def show(
    task: str,
    index: int | str | None,
    input_size: str | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Show a task and what would be chosen now, or with INDEX why a past run had its degree."""
    arbo = open_optimizer(store, namespace, must_exist=True)
    if index is None:
        return _show_task(arbo, task, input_size, json)
    if input_size is not None:
        raise click.UsageError("--input-size is of the next run; leave it out, or the INDEX")
    trial = arbo.store.trial(task, index)
    past = None if trial.phase is Phase.ATTACHED else arbo.decision(task, index)
    if json:
        told = None if past is None else decision_view(past)
        return render.print_json({"trial": render.trial_json(trial), "decision": told})
    _show_run(trial, past)


def _show_task(arbo: ArboOptimizer, task: str, input_size: str | None, json: bool) -> None:
    experiment, decision = arbo.experiment(task), None
    if experiment.model.sample_count:
        decision = arbo.decide(task, input_size=input_size)
    trials = counted(arbo.each_trial(task), "trials read")
    if json:
        told = None if decision is None else decision_view(decision)
        document = render.experiment_json(experiment) | {"decision": told}
        return render.print_json_with(document, "trials", map(render.trial_json, trials))
    newest: deque[Trial] = deque(maxlen=experiment.window)
    measured = render.measured_times(_kept(trials, newest))
    render.print_table(render.experiment_table([experiment]))
    if newest:
        print()
        render.print_table(render.trial_table(newest))
    if decision is not None:
        print()
        if decision.candidates:
            render.print_table(render.candidate_table(decision, measured))
            print()
        print(f"next run: {decision.reason}")


def _kept(trials: Iterable[Trial], newest: deque[Trial]) -> Iterator[Trial]:
    for trial in trials:
        newest.append(trial)
        yield trial


def _show_run(trial: Trial, decision: Decision | None) -> None:
    """Prints a past run, and why it had its degree."""
    render.print_table(render.trial_table([trial]))
    print()
    if decision is None:
        print("no decision started it: it was attached")
        return
    assert trial.created_at is not None
    print(f"decided {trial.created_at.astimezone():%Y-%m-%d %H:%M %Z}: {decision.reason}")
    for line in _circumstances(decision):
        print(line)
    if decision.candidates:
        print()
        render.print_table(render.candidate_table(decision))
    elif not decision.was_kept:
        print("not kept: the candidates and the law; an earlier version of arbo decided")


def _circumstances(decision: Decision) -> Iterator[str]:
    """What the decision saw, a line for each thing that is known."""
    if decision.default_parallelism is not None:
        yield f"default degree: {decision.default_parallelism}"
    if decision.recommended_parallelism is not None:
        other = Arm(decision.recommended_parallelism, decision.recommended_worker_type)
        yield f"without the pin or dry run: {short_name(other)}"
    yield f"minimised: {decision.objective}; strategy: {decision.strategy}"
    if decision.acquisition is not None:
        yield f"chosen by: {decision.acquisition}"
    load = "unknown" if decision.cluster_load is None else f"{decision.cluster_load:g}"
    yield f"input size over the base: {decision.input_scale_factor:g}; cluster load: {load}"
    if (expected := decision.prediction) is not None:
        low, high = (format_time(expected.quantile_s(q)) for q in render.QUANTILES)
        yield f"expected: {format_time(expected.mean_s)}, 5 % to 95 %: {low} - {high}"
    if decision.law is not None:
        yield f"law: {render.law_line(decision.law, decision.input_scale_factor != 1)}"
    for anomaly in decision.anomalies:
        yield f"in the window: {anomaly}"
