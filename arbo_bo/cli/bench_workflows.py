"""``arbo bench run --suite workflows``."""

from pathlib import Path

from arbo_bo.cli import render
from arbo_bo.cli.status_line import StatusLine
from arbo_bo.errors import InvalidValueError

NAME = "workflows"
"""The suite that judges planners of workflows; it has no policies."""


def run(folder: Path | None, json: bool) -> None:
    """Planners of workflows, each figure beside its target."""
    from dataclasses import asdict

    from arbo_bo.benchmarks.workflows import rows, suite

    if folder is None or not (folder / "stages").is_dir():
        raise InvalidValueError(
            "the suite workflows needs measured stages: name their folder with --data or "
            "ARBO_BENCH_DATA"
        )
    with StatusLine() as status:
        found = list(suite.rows(folder, status.update))
    if json:
        return render.print_json_list(asdict(row) for row in found)
    print(rows.table(found))
