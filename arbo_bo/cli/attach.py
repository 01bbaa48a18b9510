"""``arbo attach``."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.context import input_size_of
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Trial
from arbo_bo.experiment.drafts import identified
from arbo_bo.experiment.validation import short


@click.command()
@options.task
@click.option("--time", metavar="TIME", help="Wall time of one run: seconds, or such as 5m.")
@click.option("--parallelism", type=int, metavar="DEGREE", help="Its degree.")
@options.input_size
@options.cluster_load
@options.startup_time
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Many runs, oldest first: columns parallelism, execution_time_s, and perhaps input_size, "
    "cluster_load, startup_time_s. All or none are added; a row attached from a CSV before is "
    "left out.",
)
@options.where
@options.json
def attach(
    task: str,
    time: str | None,
    parallelism: int | None,
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
    rows = [one] if file is None else identified(read_history(file))
    trials = open_optimizer(store, namespace).attach_trials(task, rows)
    if json:
        return render.print_json([render.trial_json(t) for t in trials])
    known = len(rows) - len(trials)
    already = f"; {known} of {len(rows)} rows were attached before" if known else ""
    render.say(f"attached {_named(trials)} of {task}{already}")


def _named(trials: Sequence[Trial]) -> str:
    if not trials:
        return "no trial"
    first, last = trials[0].trial_index, trials[-1].trial_index
    return f"trial {first}" if first == last else f"{len(trials)} trials, {first} to {last},"


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
