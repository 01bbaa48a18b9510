"""Regret curves and performance profiles, one panel a suite."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arbo_bo.benchmarks import analysis, measures
from arbo_bo.benchmarks.problems import program_of
from arbo_bo.benchmarks.report import groups
from arbo_bo.experiment import Objective

if TYPE_CHECKING:
    import pandas as pd

FLOOR = 1e-3
"""The lowest regret that a logarithmic axis shows."""
OURS = "#c1121f"
COLOURS = (
    "#1f5fa8",
    "#2a9d5c",
    "#8a5cc2",
    "#d98a00",
    "#128a9a",
    "#8c6239",
    "#d36ba8",
    "#6b7a2e",
    "#4a4a4a",
)
GREY = {"random": "#b5b5b5", "default": "#7f7f7f"}
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "arbo_bo",
    "figure.dpi": 110,
}
COLUMNS = 3


@dataclass(frozen=True)
class Picture:
    """One kind of figure: its file name, its texts, and what draws a panel."""

    name: str
    title: str
    x_label: str
    y_label: str
    draw: Callable[..., dict[str, Any]]


def plot_all(
    records: "pd.DataFrame", folder: Path, formats: Sequence[str] = ("png",)
) -> list[Path]:
    """Draws both pictures for each objective.

    Args:
        records: Of any suites.
        folder: Made where it is not there yet.
        formats: png, svg, or both.

    Returns:
        The files, in the order they were drawn.
    """
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    records = measures.whole_units(records)
    records = records[records["policy"] != analysis.ORACLE]
    parts: dict[Objective, list[tuple[str, pd.DataFrame]]] = {}
    for suite, objective, part in groups(records):
        # Under a deadline the cheapest degree is the wrong one: regret says nothing there.
        if not measures.has_deadline(part):
            parts.setdefault(objective, []).append((suite, part))
    written = []
    with mpl.rc_context({**STYLE, "backend": "agg"}):
        for objective, panels in parts.items():
            stem = f"a{objective.urgency:g}-c{objective.exponent:g}"
            for picture in PICTURES:
                figure = _figure(panels, objective, picture)
                for suffix in formats:
                    path = folder / f"{picture.name}-{stem}.{suffix}"
                    date = {"Date": None} if suffix == "svg" else None
                    figure.savefig(path, dpi=150, metadata=date)
                    written.append(path)
    return written


def _figure(
    panels: Sequence[tuple[str, "pd.DataFrame"]], objective: Objective, picture: Picture
) -> Any:
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(3.6 * columns + 0.6, 2.7 * rows + 1.1), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    colours = _colours(sorted({p for _, part in panels for p in part["policy"].unique()}))
    lines: dict[str, Any] = {}
    last = max(measures.last_run(part) for _, part in panels)
    for axis, (suite, part) in zip(axes.flat, panels, strict=False):
        lines |= picture.draw(axis, part, colours)
        axis.set_title(suite)
    for axis in list(axes.flat)[len(panels) :]:
        axis.remove()
    for axis in list(axes.flat)[max(0, len(panels) - columns) : len(panels)]:
        axis.set_xlabel(picture.x_label)
    figure.supylabel(picture.y_label, fontsize=9)
    title = picture.title.format(early=min(measures.EARLY[1], last))
    # One panel is too narrow for the whole of it.
    title += f",{' ' if columns > 1 else chr(10)}minimising {objective}"
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    ordered = sorted(lines, key=lambda p: (not analysis.is_arbo(p), p in GREY, p))
    figure.legend(
        [lines[p] for p in ordered],
        ordered,
        loc="outside lower center",
        ncols=min(len(ordered), 2 * columns + 1),
        handlelength=1.6,
    )
    return figure


def _colours(policies: Sequence[str]) -> dict[str, str]:
    others = [p for p in policies if p not in GREY and p != analysis.REFERENCE]
    chosen = {p: COLOURS[i % len(COLOURS)] for i, p in enumerate(others)}
    return {**GREY, **chosen, analysis.REFERENCE: OURS}


def _line_style(policy: str) -> dict[str, Any]:
    if policy == analysis.REFERENCE:
        return {"linewidth": 2.4, "zorder": 5}
    return {"linewidth": 1.3, "linestyle": "--" if analysis.is_arbo(policy) else "-"}


def _draw_regret(axis: Any, part: "pd.DataFrame", colours: dict[str, str]) -> dict[str, Any]:
    """Mean regret of each run, with the 95 % band of arbo and of the best peer."""
    banded = {analysis.REFERENCE, *analysis.ranked_peers(part)[:1]}
    lines = {}
    for policy, runs in part.groupby("policy", sort=True):
        by_run = runs.pivot_table("regret", measures.TASK, "run", aggfunc="mean")
        mean = by_run.mean().clip(lower=FLOOR)
        (line,) = axis.plot(
            mean.index, mean, color=colours[str(policy)], **_line_style(str(policy))
        )
        lines[str(policy)] = line
        if policy in banded and _groups(by_run).nunique() > 1:
            low, high = _band(by_run)
            axis.fill_between(mean.index, low, high, color=colours[str(policy)], alpha=0.11, lw=0)
    axis.set_yscale("log")
    last = int(part["run"].max())
    axis.axvspan(0.5, 2.5, color="#f3f3f3", zorder=0, lw=0)
    axis.set_xlim(0.5, last + 0.5)
    axis.xaxis.get_major_locator().set_params(integer=True)
    _plain_log_axis(axis.yaxis)
    return lines


def _groups(by_run: "pd.DataFrame") -> "pd.Series[str]":
    """The program of each row's problem."""
    return by_run.index.get_level_values("problem").to_series().map(program_of)


def _band(by_run: "pd.DataFrame") -> tuple[Any, Any]:
    """The 95 % percentile band of the mean at each run, by a bootstrap over programs."""
    grouped = by_run.groupby(_groups(by_run).to_numpy())
    sums, counts = grouped.sum().to_numpy(float), grouped.count().to_numpy(float)
    drawn = np.random.default_rng(0).integers(len(sums), size=(500, len(sums)))
    means = sums[drawn].sum(axis=1) / np.maximum(counts[drawn].sum(axis=1), 1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return np.maximum(low, FLOOR), np.maximum(high, FLOOR)


def _draw_profile(axis: Any, part: "pd.DataFrame", colours: dict[str, str]) -> dict[str, Any]:
    """For each regret the share of tasks x seeds on which a policy stays within it."""
    table = analysis.regret_by_task(part)
    high = max(10 * FLOOR, float(np.nanmax(table.to_numpy())))
    lines = {}
    for policy in table:
        regrets = np.sort(table[policy].dropna().clip(lower=FLOOR).to_numpy(float))
        share = np.arange(1, len(regrets) + 1) / len(regrets)
        x = np.concatenate([[FLOOR], regrets, [high]])
        y = np.concatenate([[0.0], share, [1.0]])
        (line,) = axis.plot(
            x,
            100 * y,
            drawstyle="steps-post",
            color=colours[str(policy)],
            **_line_style(str(policy)),
        )
        lines[str(policy)] = line
    axis.set_xscale("log")
    axis.set_xlim(FLOOR, high)
    axis.set_ylim(0, 102)
    _plain_log_axis(axis.xaxis)
    return lines


def _percent(value: float, _: int) -> str:
    return f"{'≤ ' if value <= FLOOR else ''}{100 * value:g} %"


def _plain_log_axis(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, numticks=8))
    axis.set_major_formatter(FuncFormatter(_percent))
    axis.set_minor_formatter(NullFormatter())


PICTURES = (
    Picture(
        "regret",
        "Regret of each run",
        "run (shaded: the same for all)",
        "mean score above the best degree's",
        _draw_regret,
    ),
    Picture(
        "profile",
        "Performance profiles over runs 3-{early}",
        "mean score above the best degree's",
        "tasks x seeds within it [%]",
        _draw_profile,
    ),
)
