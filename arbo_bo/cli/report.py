"""``arbo report``."""

from datetime import UTC, datetime
from pathlib import Path

import click

from arbo_bo.cli import options, render
from arbo_bo.cli.completion import task_names
from arbo_bo.cli.options import open_optimizer
from arbo_bo.errors import InvalidValueError


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK]...", shell_complete=task_names)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), default="report.html",
    show_default=True, help="The file to write.",
)  # fmt: skip
@options.where
@options.json
def report(
    tasks: tuple[str, ...], output: Path, store: str | None, namespace: str, json: bool
) -> None:
    """Write tasks, their newest runs and what was saved as one HTML file.

    The file needs no network and holds no script; it can be mailed, printed and kept.
    """
    from arbo_bo.report.page import page
    from arbo_bo.report.savings import savings
    from arbo_bo.report.tasks import tasks as views_of

    arbo = open_optimizer(store, namespace, must_exist=True)
    views, moment = views_of(arbo, tasks), datetime.now(UTC).astimezone()
    text = page(views, savings(arbo, tasks), moment)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as err:
        raise InvalidValueError(f"{output} cannot be written: {err.strerror}") from err
    if json:
        return render.print_json({"output": str(output), "tasks": len(views), "bytes": len(text)})
    render.say(f"{output}: {len(views)} tasks")
