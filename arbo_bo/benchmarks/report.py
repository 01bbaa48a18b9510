"""Records -> Markdown tables and JSON."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from arbo_bo.benchmarks import analysis, measures
from arbo_bo.benchmarks.analysis import ORACLE, Comparison
from arbo_bo.benchmarks.bootstrap import Interval
from arbo_bo.benchmarks.measures import (
    COST,
    DECISION_MS,
    GROUP,
    LATE_COST,
    LATE_MISS_RATE,
    MISS_RATE,
)
from arbo_bo.benchmarks.policies.registry import installation
from arbo_bo.experiment import Objective

if TYPE_CHECKING:
    import pandas as pd

RATES = (MISS_RATE, LATE_MISS_RATE)
DEADLINE_COLUMNS = (*RATES, COST, LATE_COST)
REGRET_COLUMNS = (
    measures.EARLY_REGRET,
    measures.LATER_REGRET,
    measures.LONG_REGRET,
    *measures.FINAL_REGRETS,
)
UNITS = "tasks x seeds (programs)"


def groups(records: "pd.DataFrame") -> Iterator[tuple[str, Objective, "pd.DataFrame"]]:
    """The records of each suite and objective."""
    for key, part in records.groupby(GROUP, sort=True):
        suite, urgency, exponent = cast("tuple[str, float, float]", key)
        yield str(suite), Objective(float(urgency), float(exponent)), part


def tables(
    records: "pd.DataFrame", header: dict[str, Any], policy: str = analysis.REFERENCE
) -> str:
    """A Markdown table for each suite and objective, then what is missing in it."""
    parts = []
    for suite, objective, part in groups(records):
        parts.append(f"### {suite}, minimising {objective}\n\n{_table(part, policy)}")
        if failures := failure_lines(part):
            parts.append("\n".join(failures))
    if skipped := skipped_lines(header):
        parts.append("\n".join(skipped))
    return "\n\n".join(parts)


def _table(part: "pd.DataFrame", policy: str) -> str:
    summary, last = measures.summarise(part), measures.last_run(part)
    deadline = measures.has_deadline(part)
    columns = [c for c in (DEADLINE_COLUMNS if deadline else REGRET_COLUMNS)]
    columns = [c for c in columns if summary[c].notna().any()]
    compared = {c.peer: c for c in analysis.compare(part, policy)}
    costs = {c.peer: c for c in analysis.compare(part, policy, COST)} if deadline else {}
    failed = analysis.failed_policies(part)
    rows = []
    for row in _sorted(summary, _ranks(part, failed)):
        name = str(row["policy"])
        peer = compared.get(name)
        cells = [_policy_cell(name, policy, peer, name in failed)]
        cells += [number(row[c], percent=c in RATES) for c in columns]
        cells += [number(row[DECISION_MS]), f"{row['units']:.0f} ({row['groups']:.0f})"]
        if compared:
            cells += [interval(peer.ratio), peer.verdict] if peer else ["", ""]
        if costs:
            cells.append(interval(costs[name].ratio) if name in costs else "")
        rows.append(cells + ([f"{row['failed']:.0f}"] if summary["failed"].any() else []))
    shown = [measures.title(c, last) for c in (*columns, DECISION_MS)]
    titles = ["policy", *shown, UNITS]
    titles += [f"{policy} / it", policy] if compared else []
    titles += [f"cost, {policy} / it"] if costs else []
    return markdown_table(titles + (["failed"] if summary["failed"].any() else []), rows)


def _ranks(part: "pd.DataFrame", failed: set[str]) -> dict[Any, float]:
    """Each policy's main measure over the units that all share; none for those that failed."""
    whole = [str(p) for p in part["policy"].unique() if p not in failed]
    shared = analysis.common_units(part, whole)
    if shared.empty:
        return {}
    ranked = measures.summarise(shared).set_index("policy")[analysis.main_measure(part)]
    return dict(ranked.to_dict())


def _sorted(summary: "pd.DataFrame", ranks: dict[Any, float]) -> list[dict[str, Any]]:
    """The oracle, then the best first by the units that all share; those that failed last."""
    rows: list[dict[str, Any]] = [
        {str(k): v for k, v in row.items()} for row in summary.to_dict("records")
    ]

    def rank(row: dict[str, Any]) -> tuple[bool, float, str]:
        value = ranks.get(row["policy"], math.nan)
        return row["policy"] != ORACLE, math.inf if math.isnan(value) else value, row["policy"]

    return sorted(rows, key=rank)


def _policy_cell(name: str, policy: str, peer: Comparison | None, failed: bool) -> str:
    if name == policy:
        return f"**{name}** (failed units)" if failed else f"**{name}**"
    if peer is not None and peer.has_failed:
        return f"{name} (not ranked: failed units)"
    return f"{name} (best peer)" if peer is not None and peer.is_best_peer else name


def interval(value: Interval) -> str:
    """An estimate and its interval, as `0.86 [0.65, 1.13]`."""
    if math.isnan(value.estimate):
        return "-"
    if math.isnan(value.low) or math.isnan(value.high):
        return f"{value.estimate:.2f}"
    return f"{value.estimate:.2f} [{value.low:.2f}, {value.high:.2f}]"


def number(value: float, percent: bool = False) -> str:
    """Three digits, or a percentage; a dash for what was not measured."""
    if value is None or math.isnan(value):
        return "-"
    if percent:
        return f"{100 * value:.1f} %"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns also line up where Markdown is not rendered."""
    shown = [[cell.replace("|", "\\|") for cell in row] for row in (titles, *rows)]
    widths = [max(len(row[i]) for row in shown) for i in range(len(titles))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]]
    return "\n".join([line(shown[0]), line(rule), *map(line, shown[1:])])


def failure_lines(records: "pd.DataFrame") -> list[str]:
    """Which policies raised, how often, and the first message of each."""
    failed = records[records["failed"]]
    lines = []
    for name, part in failed.groupby("policy", sort=True):
        message = str(part["error"].iloc[0])
        lines.append(f"- {name} failed on {len(part)} tasks x seeds, first with: {message}")
    return lines


def skipped_lines(header: dict[str, Any]) -> list[str]:
    """Which policies did not take part, and why."""
    return [
        f"- {name} was skipped: the package {package} is not installed; "
        f"{installation(name)} installs it"
        for name, package in sorted(header.get("skipped", {}).items())
    ]


def note_lines(header: dict[str, Any]) -> list[str]:
    """What the suites' sources left out."""
    notes = [note for found in header.get("suites", {}).values() for note in found]
    return [f"- {note}" for note in dict.fromkeys(notes)]


def comparison_table(records: "pd.DataFrame", policy: str = analysis.REFERENCE) -> str:
    """One row for each suite, objective and peer: difference and ratio with 95 % intervals."""
    rows = []
    for suite, objective, part in groups(records):
        last = measures.last_run(part)
        for c in analysis.compare_all(part, policy):
            peer = f"{c.peer} (best)" if c.is_best_peer else c.peer
            peer = f"{peer} (failed units left out)" if c.has_failed else peer
            difference = f"{c.difference.estimate:+.3f}"
            if not math.isnan(c.difference.low):
                difference += f" [{c.difference.low:+.3f}, {c.difference.high:+.3f}]"
            measure = [suite, str(objective), measures.title(c.measure, last), peer]
            rows.append(
                [*measure, difference, interval(c.ratio), f"{c.units} ({c.groups})", c.verdict]
            )
    titles = ["suite", "minimising", "measure", "peer", "difference", "ratio", UNITS, policy]
    return markdown_table(titles, rows)


def as_json(
    records: "pd.DataFrame", header: dict[str, Any], policy: str = analysis.REFERENCE
) -> dict[str, Any]:
    """Everything that the tables say, with null for what was not measured."""
    comparisons = [
        {"suite": suite, "urgency": o.urgency, "cost_exponent": o.exponent, **_comparison_json(c)}
        for suite, o, part in groups(records)
        for c in analysis.compare_all(part, policy)
    ]
    summary = measures.summarise(records).to_dict("records")
    document = {"benchmark": header, "summary": summary, "comparisons": comparisons}
    return {name: finite(value) for name, value in document.items()}


def _comparison_json(c: Comparison) -> dict[str, Any]:
    return {
        "policy": c.policy,
        "peer": c.peer,
        "measure": c.measure,
        "difference": [c.difference.estimate, c.difference.low, c.difference.high],
        "ratio": [c.ratio.estimate, c.ratio.low, c.ratio.high],
        "units": c.units,
        "groups": c.groups,
        "has_failed": c.has_failed,
        "is_best_peer": c.is_best_peer,
        "verdict": c.verdict,
    }


def finite(value: Any) -> Any:
    """The same with null for what is no number."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
