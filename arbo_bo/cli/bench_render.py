"""Benchmarks -> what a terminal or a program reads."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo._format import format_time
from arbo_bo.cli import render
from arbo_bo.cli.table import Table

if TYPE_CHECKING:
    from arbo_bo.benchmarks.explain import Explanation


def total_time(header: Mapping[str, Any]) -> str:
    """How long the benchmark took, all its parts together."""
    return f"took {format_time(max(float(header.get('seconds', 0.0)), 1e-3))} in all"


def print_paths(paths: Iterable[Path], json: bool) -> None:
    """Prints where something was written."""
    if json:
        return render.print_json([str(path) for path in paths])
    for path in paths:
        print(path)


def remark(lines: Iterable[str]) -> None:
    """Prints remarks on stderr."""
    for line in lines:
        render.say(line)


def name_table(title: str, names: Mapping[str, str]) -> Table:
    """Names and what they mean."""
    table = Table((title, ""), left=(title, ""))
    for name, meaning in names.items():
        table.add(name, meaning)
    return table


def explanation_json(explanation: "Explanation") -> dict[str, Any]:
    """An explanation as JSON's own types."""
    document = asdict(explanation)
    document["candidates"] = [
        render.prediction_json(c.prediction) | {"score": c.score} for c in explanation.candidates
    ]
    return document


def print_explanation(explanation: "Explanation") -> None:
    """One task: its runs, then what arbo believed before the worst of them, beside the truth."""
    title = f"{explanation.suite}: {explanation.problem}, seed {explanation.seed}"
    print(title)
    text = f"minimising {explanation.objective}; "
    if explanation.deadline_s is None:
        text += f"mean regret {explanation.badness:.3f}"
    else:
        text += f"deadline {format_time(explanation.deadline_s)}, missed in "
        text += f"{100 * explanation.badness:.0f} % of the early runs in which it could be held"
    print(text)
    print()
    render.print_table(_history_table(explanation))
    print()
    print(_worst_text(explanation))
    if explanation.candidates:
        render.print_table(_posterior_table(explanation))
    if explanation.remark:
        print(explanation.remark)
    print()


def _worst_text(explanation: "Explanation") -> str:
    worst = explanation.at_worst
    text = (
        f"run {explanation.worst_run}: chosen {worst['parallelism']}, right was "
        f"{worst['best_parallelism']}, "
    )
    if explanation.deadline_s is None:
        text += f"{100 * worst['regret']:.0f} % worse"
    else:
        kept = "missed" if worst["missed"] else "kept"
        text += f"the deadline {kept}, with {100 * worst['within']:.0f} % to keep it"
    whose = explanation.at_worst["policy"] if explanation.is_own else "arbo"
    said = "said" if explanation.is_own else "would have said, told the same runs"
    return text + (f"; what {whose}'s posterior {said}:" if explanation.candidates else "")


def _history_table(explanation: "Explanation") -> Table:
    last = "regret" if explanation.deadline_s is None else "deadline"
    table = Table(("run", "input size", "load", "chosen", "right", "time", last))
    for record in explanation.history:
        size, load = record["input_size"], record["cluster_load"]
        table.add(
            str(record["run"]),
            "-" if size is None else f"{size:g}",
            "-" if load is None else f"{load:g}",
            str(record["parallelism"]),
            str(record["best_parallelism"]),
            format_time(record["execution_time_s"]),
            _outcome(record),
            marked=record["run"] == explanation.worst_run,
        )
    return table


def _outcome(record: Mapping[str, Any]) -> str:
    if record["deadline_s"] is None:
        return f"{record['regret']:.3f}"
    held = "missed" if record["missed"] else "kept"
    return held if record["achievable"] else f"{held}, out of reach"


def _posterior_table(explanation: "Explanation") -> Table:
    worst, before = explanation.at_worst, explanation.runs_before()
    chosen, right = worst["parallelism"], worst["best_parallelism"]
    truth = {t.parallelism: t for t in explanation.truth}
    titles = ["workers", "runs", "predicted", "5 % to 95 %", "truth", "score", "true score"]
    titles += [] if explanation.deadline_s is None else ["truly in time"]
    table = Table([*titles, ""], left=[""])
    for candidate in explanation.candidates:
        degree, prediction = candidate.parallelism, candidate.prediction
        low, high = (format_time(prediction.quantile_s(q)) for q in render.QUANTILES)
        known = truth.get(degree)
        marks = [m for m, d in (("chosen", chosen), ("right", right)) if d == degree]
        cells = [
            str(degree),
            str(len(before.get(degree, ()))),
            format_time(prediction.mean_s),
            f"{low} - {high}",
            "-" if known is None else format_time(known.expected_s),
            f"{candidate.score:.4g}",
            "-" if known is None else f"{known.score:.4g}",
        ]
        if explanation.deadline_s is not None:
            cells.append("-" if known is None else f"{100 * known.within:.0f} %")
        table.add(*cells, ", ".join(marks), marked=degree == right)
    return table
