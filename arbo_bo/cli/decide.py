"""``arbo decide``."""

import click

from arbo_bo.cli import options, render
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.table import Table
from arbo_bo.experiment import Decision
from arbo_bo.experiment.decision_view import decision_view


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--all", "every", is_flag=True, help="Decide every task of the namespace.")
@options.cluster_load
@options.where
@options.json
def decide(
    tasks: tuple[str, ...],
    every: bool,
    cluster_load: float | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Decide the next runs of several tasks at once; their trials are RUNNING from here.

    A night's tasks take one read, one batch of fits and one write.
    """
    if every == bool(tasks):
        raise click.UsageError("give the tasks' names, or --all for every task")
    arbo = open_optimizer(store, namespace, must_exist=True)
    names = [e.name for e in arbo.experiments()] if every else list(dict.fromkeys(tasks))
    known = set(names) if every else {e.name for e in arbo.experiments()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(
            f"there is no task {unknown[0]!r}: `arbo tasks` lists them, `arbo suggest` makes one"
        )
    decisions = list(arbo.suggest_many(names, cluster_load=cluster_load).values())
    if json:
        render.print_json_list(map(decision_view, decisions))
    else:
        render.print_table(decision_table(decisions))
    if len(decisions) < len(names):  # the log has said which, and why
        raise click.exceptions.Exit(1)


def decision_table(decisions: list[Decision]) -> Table:
    """Each task's degree, its trial, and why."""
    table = Table(("trial", "workers", "task", "reason"), left=("task", "reason"))
    for d in decisions:
        index = "" if d.trial_index is None else str(d.trial_index)
        table.add(index, str(d.parallelism), d.task, d.reason)
    return table
