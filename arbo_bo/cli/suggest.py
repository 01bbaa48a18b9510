"""``arbo suggest``."""

import shlex
import sys
from collections.abc import Mapping
from typing import Any

import click

from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.setting_options import apply_configuration, is_known, settings
from arbo_bo.context import input_size_of
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Decision
from arbo_bo.experiment.decision_view import decision_view
from arbo_bo.service.optimizer import ArboOptimizer
from arbo_bo.service.runs import unadvised


@click.command()
@options.task
@options.input_size
@options.input_size_fallback
@options.cluster_load
@click.option(
    "--max-parallelism", type=int, metavar="DEGREE", help="The most workers that there are now."
)
@click.option(
    "--idempotency-key",
    metavar="KEY",
    help="Asked again with this key, the same trial is given.",
)
@click.option(
    "--run-key", metavar="KEY", help="Abandon the task's running trials with the same key."
)
@click.option("--explain", is_flag=True, help="Print every candidate, and why not, on stderr.")
@settings
@options.where
@options.json
def suggest(
    task: str,
    given: Mapping[str, Any],
    input_size: str | None,
    input_size_fallback: str | None,
    explain: bool,
    store: str | None,
    namespace: str,
    json: bool,
    **request: Any,
) -> None:
    """Decide the degree of the next run; its trial is RUNNING from here.

    Prints lines that a shell can evaluate, and the reason on stderr:

    \b
    eval "$(arbo suggest nightly --default 4)"
    make -j "$parallelism"
    arbo complete nightly "$trial_index" --time ...

    With --default this always answers: with that degree and no trial_index, where the store cannot
    be asked. `arbo run` does all three.
    """  # noqa: D301  click's mark of lines that stay as they are
    fallback = values.parse_fallback(input_size_fallback)
    space = values.parse_parallelism(given.get("parallelism"))
    try:
        size = input_size_of(input_size, fallback)
        arbo, notes = _configured(task, given, store, namespace)
        decision = arbo.suggest(task, input_size=size, **request)
    except Exception as err:
        default = given.get("default")
        if default is None or isinstance(err, click.ClickException | InvalidValueError):
            raise
        problem = " ".join(str(err).split())
        degree = default if space is None else space.nearest(default)
        return _print_decision(unadvised(task, degree, problem), json)
    for note in notes:
        render.say(note)
    try:
        if explain:
            print(decision.explain(), file=sys.stderr)
        _print_decision(decision, json)
        sys.stdout.flush()
    except OSError:  # nobody has read the decision, so nobody will run it
        assert decision.trial_index is not None
        arbo.mark_trial_abandoned(task, decision.trial_index, reason="the output was not read")
        raise


def _configured(
    task: str, given: Mapping[str, Any], store: str | None, namespace: str
) -> tuple[ArboOptimizer, list[str]]:
    arbo = open_optimizer(store, namespace)
    if not given and is_known(arbo, task):
        return arbo, []
    from arbo_bo.storage.deferred import DeferringTrialStore

    # What was asked for is kept if a trial comes of it, and told of then.
    arbo = ArboOptimizer(DeferringTrialStore(store, namespace), namespace)
    return arbo, apply_configuration(arbo, task, given, caller="arbo suggest")[1]


def _print_decision(decision: Decision, json: bool) -> None:
    if json:
        return render.print_json(decision_view(decision))
    index = "" if decision.trial_index is None else decision.trial_index
    print(f"parallelism={decision.parallelism}\ntrial_index={index}")
    if decision.worker_type is not None:
        print(f"worker_type={shlex.quote(decision.worker_type)}")
    about = decision.task if decision.trial_index is None else f"trial {index}"
    print(f"{about}: {decision.reason}", file=sys.stderr)
