"""``arbo savings``."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from arbo_bo.cli import options, render
from arbo_bo.cli.completion import task_names
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.table import Table
from arbo_bo.report.savings import Saving, TaskSavings
from arbo_bo.report.savings import savings as found_savings


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK]...", shell_complete=task_names)
@click.option(
    "--since",
    type=click.DateTime(),
    help="Only runs that ended at this local time or later, such as 2026-01-31.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on stdout, a line a task.")
@options.where
@options.json
def savings(
    tasks: tuple[str, ...],
    since: datetime | None,
    as_csv: bool,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Show what arbo's degrees saved against the default degree, with a 90 % band.

    A task that lost comes first. Pinned tasks and dry runs saved nothing: "would have" says what
    the advised degree had saved.
    """
    if as_csv and json:
        raise click.UsageError("--csv or --json, not both")
    arbo = open_optimizer(store, namespace, must_exist=True)
    moment = None if since is None else since.astimezone(UTC)
    found = found_savings(arbo, tasks, moment)
    if json:
        return render.print_json_list(map(asdict, found))
    if as_csv:
        return _print_csv(found)
    if not found:
        return print("no completed run that arbo chose; nothing to compare")
    render.print_table(_table(found))
    print("\nsaved against the default degree; 5 % to 95 % in brackets; below 0: lost")


def _table(found: Sequence[TaskSavings]) -> Table:
    numbers = ("default", "runs", "hours", "worker-hours", "measured", "extrapolated", "opening")
    table = Table(("task", *numbers, "money", ""), left=("task", ""))
    for each in found:
        table.add(
            each.task,
            str(each.default_parallelism),
            str(each.runs),
            _banded(each.hours),
            _banded(each.worker_hours),
            f"{each.measured.mean:.3g}",
            f"{each.extrapolated.mean:.3g}",
            f"{each.opening.mean:.3g}",
            "-" if each.money is None else _banded(each.money),
            "would have" if each.would_have else "",
        )
    return table


def _banded(saving: Saving) -> str:
    return f"{saving.mean:.3g} ({saving.low:.3g} to {saving.high:.3g})"


def _print_csv(found: Sequence[TaskSavings]) -> None:
    quantities = ("hours", "worker_hours", "money", "measured", "extrapolated", "opening")
    ends = ("mean", "low", "high")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    plain = ("task", "default_parallelism", "runs", "would_have")
    writer.writerow([*plain, *(f"{name}_{end}" for name in quantities for end in ends)])
    for each in found:
        row = [getattr(each, name) for name in plain]
        for name in quantities:
            saving = getattr(each, name)
            row += ["" if saving is None else repr(getattr(saving, end)) for end in ends]
        writer.writerow(row)
