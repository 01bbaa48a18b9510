"""``arbo attach``."""

from itertools import islice
from pathlib import Path

import click

from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.status_line import counting
from arbo_bo.context import input_size_of
from arbo_bo.storage.protocol import Added


@click.command()
@options.task
@click.option("--time", metavar="TIME", help="Wall time of one run: seconds, or such as 5m.")
@click.option("--parallelism", type=int, metavar="DEGREE", help="Its degree.")
@click.option("--worker-type", metavar="NAME", help="The type of its workers.")
@options.input_size
@options.cluster_load
@options.startup_time
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Many runs, oldest first: columns parallelism, execution_time_s, and perhaps input_size, "
    "cluster_load, startup_time_s, worker_type; or one task's export as CSV. All or none are "
    "added; a row attached from a CSV before is left out.",
)
@options.where
@options.json
def attach(
    task: str,
    time: str | None,
    parallelism: int | None,
    worker_type: str | None,
    input_size: str | None,
    cluster_load: float | None,
    startup_time: str | None,
    file: Path | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Add completed runs from elsewhere, one or a CSV of them."""
    one = {
        "parallelism": parallelism,
        "worker_type": worker_type,
        "execution_time_s": values.parse_duration_s("--time", time),
        "input_size": input_size_of(input_size),
        "cluster_load": cluster_load,
        "startup_time_s": values.parse_duration_s("--startup-time", startup_time, may_be_zero=True),
    }
    given = [name for name, value in one.items() if value is not None]
    if file is not None and given:
        raise click.UsageError("give --csv, or one run's options, not both")
    if file is None and (time is None or parallelism is None):
        raise click.UsageError("give --parallelism and --time, or --csv FILE")
    arbo = open_optimizer(store, namespace)
    if file is None:
        attached = arbo.attach_trials(task, [one])
        added = Added(attached[0].trial_index, 1, 0)
    else:
        with counting("lines read") as told:
            added = arbo.attach_csv(task, file, told)
    if json:
        new = islice(arbo.each_trial(task, added.first), added.count)
        return render.print_json_list(render.trial_json(trial) for trial in new)
    rows = added.count + added.known
    already = f"; {added.known} of {rows} rows were attached before" if added.known else ""
    render.say(f"attached {_named(added)} of {task}{already}")


def _named(added: Added) -> str:
    first, last = added.first, added.first + added.count - 1
    if added.count == 0:
        return "no trial"
    return f"trial {first}" if added.count == 1 else f"{added.count} trials, {first} to {last},"
