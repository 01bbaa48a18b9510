"""``arbo run``: one run of a command, at the degree that arbo advises."""

import logging

import click

from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.tuning import stage_command
from arbo_bo.context import input_size_of
from arbo_bo.errors import CommandError
from arbo_bo.execution.run import NOT_FOUND, OneRun, run_once
from arbo_bo.experiment.settings import SETTINGS, option_of


@click.command()
@options.task
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@options.parallelism
@click.option(
    "--default",
    type=click.IntRange(1),
    metavar="DEGREE",
    help="Degree of the second run, and where the store cannot be asked.  [default: 5]",
)
@click.option(
    option_of("worker_type"),
    "worker_types",
    multiple=True,
    metavar=SETTINGS["worker_type"].metavar,
    help=SETTINGS["worker_type"].summary,
)
@options.input_size
@options.input_size_fallback
@options.prepare
@options.where
def run(
    task: str,
    command: tuple[str, ...],
    parallelism: str | None,
    default: int | None,
    worker_types: tuple[str, ...],
    input_size: str | None,
    input_size_fallback: str | None,
    prepare: str | None,
    store: str | None,
    namespace: str,
) -> None:
    """Run COMMAND once, at the degree that arbo advises, and learn from it.

    COMMAND is the program and its arguments, in which {parallelism} is replaced; no shell comes in
    between. It has this command's stdin, stdout, stderr and signals, and its exit status is passed
    on; one that isn't 0 is recorded as a failure. With the store down it runs with the default
    degree, and what it took is delivered by a later call. With {chunk_id} in an argument, as many
    processes run side by side.

    \b
    arbo run nightly --parallelism 1:cores -- make -j{parallelism} nightly
    """  # noqa: D301  click's mark of lines that stay as they are
    try:
        stage = stage_command(command)
    except CommandError as err:
        render.remark(f"error: {err}")
        raise click.exceptions.Exit(NOT_FOUND) from err
    fallback = values.parse_fallback(input_size_fallback)
    space = values.parse_parallelism(parallelism)
    asked = OneRun(
        task=task,
        command=stage,
        space=space,
        new_space=values.all_cores(default),
        default_parallelism=default,
        input_size=lambda: input_size_of(input_size, fallback),
        prepare=prepare,
        worker_types=values.parse_worker_types(worker_types) if worker_types else None,
    )
    # The command's own stderr: arbo has a line to say at most, and no progress of its attempts.
    logging.getLogger("arbo_bo").setLevel(logging.ERROR)
    status = run_once(lambda: open_optimizer(store, namespace), asked, render.remark)
    raise click.exceptions.Exit(status)
