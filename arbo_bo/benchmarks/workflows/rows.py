"""What a workflow benchmark prints."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure beside its target.

    Attributes:
        problem: What was replayed.
        planner: Who planned, or what predicted.
        measure: What was measured.
        measured: The figure, as text.
        target: What it must reach; empty: it is there for comparison.
    """

    problem: str
    planner: str
    measure: str
    measured: str
    target: str = ""


def table(rows: list[Row]) -> str:
    """A Markdown table."""
    lines = ["| problem | planner | measure | measured | target |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.problem} | {r.planner} | {r.measure} | {r.measured} | {r.target} |" for r in rows
    ]
    return "\n".join(lines)


def read(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
