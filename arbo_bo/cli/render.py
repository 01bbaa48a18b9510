"""Values -> what a terminal or a program reads."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import click

from arbo_bo._format import format_probability, format_time
from arbo_bo.cli.table import Table
from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Decision,
    Experiment,
    Prediction,
    Trial,
)
from arbo_bo.experiment.arm import Arm, short_name
from arbo_bo.experiment.settings import OWN

QUANTILES = (0.05, 0.95)
FAR_PERCENT = 1e4
_USUAL = {s.keyword: s.value(Experiment("a task as it starts")) for s in OWN.values()}


@dataclass
class Measured:
    """The measured times at one degree.

    Attributes:
        count: How many there are.
        total_s: Their sum [s].
    """

    count: int = 0
    total_s: float = 0.0

    @property
    def mean_s(self) -> float:
        """Their mean [s]."""
        return self.total_s / self.count


def say(text: str) -> None:
    """Prints a remark on stderr."""
    print(text, file=sys.stderr)


def remark(text: str) -> None:
    """Prints a line on a stderr that another program writes to as well; it may be closed."""
    with suppress(OSError, ValueError):
        click.echo(f"arbo: {text}", err=True)


def print_table(table: Table) -> None:
    """Prints a table on stdout; codes for bold and green go to a terminal alone."""
    text = "\n".join(table.lines())
    print(text if sys.stdout.isatty() else click.unstyle(text))


def print_json(document: Any) -> None:
    """Prints one JSON document; NaN never occurs in it."""
    print(json.dumps(document, indent=2, default=str, allow_nan=False))


def print_json_list(items: Iterable[Any]) -> None:
    """Prints a list as one JSON document, however long: a line for each item."""
    opening = "["
    for item in items:
        print(f"{opening}\n  {json.dumps(item, default=str, allow_nan=False)}", end="")
        opening = ","
    print("[]" if opening == "[" else "\n]")


def print_json_with(document: dict[str, Any], name: str, items: Iterable[Any]) -> None:
    """Prints one JSON document whose last member is a list, which may be long."""
    head = json.dumps(document, indent=2, default=str, allow_nan=False)
    print(head.removesuffix("\n}") + f",\n  {json.dumps(name)}: ", end="")
    print_json_list(items)
    print("}")


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON's own types."""
    low, high = (prediction.quantile_s(q) for q in QUANTILES)
    return {
        "parallelism": prediction.parallelism,
        "worker_type": prediction.worker_type,
        "mean_s": prediction.mean_s,
        "std_s": prediction.std_s,
        "quantile_05_s": low,
        "quantile_95_s": high,
    }


def trial_json(trial: Trial) -> dict[str, Any]:
    """A trial as JSON's own types."""
    row = asdict(trial)
    row |= row.pop("arm") | row.pop("context")
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in row.items()
    }


def experiment_json(experiment: Experiment) -> dict[str, Any]:
    """An experiment as JSON's own types."""
    model, objective = experiment.model, experiment.objective
    return {
        "task": experiment.name,
        "namespace": experiment.namespace,
        "parallelism": list(experiment.search_space.degrees),
        "worker_types": dict(experiment.worker_types.to_json()),
        "objective": asdict(objective),
        "strategy": experiment.strategy.to_json(),
        **{setting.keyword: setting.value(experiment) for setting in OWN.values()},
        "sample_count": model.sample_count,
        "base_input_size": model.base_input_size,
        "law": None if model.law is None else asdict(model.law),
        "last_updated": None if model.last_updated is None else model.last_updated.isoformat(),
    }


def candidate_table(
    decision: Decision, measured: Mapping[Arm, Measured] | None = None, most: int = 24
) -> Table:
    """Degree, measured, predicted, score: every degree, or of many the ones that matter.

    Args:
        decision: One with candidates.
        measured: What was measured at each degree; None: that is not shown.
        most: How many candidates are shown whole.
    """
    explanation = decision.explain()
    objective = decision.objective if decision.worker_type is None else "in all"
    best = min(c.log_score for c in decision.candidates)
    under_slo = bool(decision.strategy.slo)
    excluding = under_slo or any(c.excluded for c in decision.candidates)
    titles = ["workers", *(() if measured is None else ("runs", "measured"))]
    titles += ["predicted", "5 % to 95 %", "cost"]
    failing = any(c.success_probability is not None for c in decision.candidates)
    titles += ["P(SLO)"] if under_slo else []
    titles += ["succeeds", f"score {objective} and failures"] if failing else [f"score {objective}"]
    titles += ["why not"] if excluding else []
    table = Table(titles, left=["why not"])
    shown = _worth_showing(decision.candidates, decision.arm, measured or (), most)
    for candidate, row in zip(decision.candidates, explanation.rows, strict=True):
        if candidate not in shown:
            continue
        worse = 100 * math.expm1(min(candidate.log_score - best, 700.0))
        cells = [short_name(candidate.arm) + (" <-" if row.chosen else "   ")]
        if measured is not None:
            times = measured.get(candidate.arm)
            cells += [str(times.count), format_time(times.mean_s)] if times else ["-", "-"]
        cells += [
            format_time(row.mean_s),
            f"{format_time(row.quantile_05_s)} - {format_time(row.quantile_95_s)}",
            f"{row.cost:.4g}",
        ]
        cells += [f"{row.slo_probability:.3f}"] if row.slo_probability is not None else []
        if failing:
            chance = candidate.success_probability
            cells.append("-" if chance is None else format_probability(chance))
        beside = f"{worse:+.1f} %" if worse < FAR_PERCENT else "far higher"
        cells.append(f"{row.score:.4g} ({beside})")
        cells += [row.why_not] if excluding else []
        table.add(*cells, marked=row.chosen)
    return table


def _worth_showing(
    candidates: Sequence[Candidate], chosen: Arm, measured: Iterable[Arm], most: int
) -> list[Candidate]:
    if len(candidates) <= most:
        return list(candidates)
    ends = {candidates[0].arm, candidates[-1].arm}

    def distance(c: Candidate) -> float:
        return c.log_score if c.worker_type else abs(c.parallelism - chosen.parallelism)

    near = sorted(candidates, key=distance)[: most // 2]
    keep = ends | {c.arm for c in near} | set(measured) | {chosen}
    return [c for c in candidates if c.arm in keep]


def prediction_table(predictions: Sequence[Prediction]) -> Table:
    """Degree, mean, deviation and quantiles."""
    table = Table(("workers", "expected", "± run to run", "5 % to 95 %"))
    for p in predictions:
        low, high = (format_time(p.quantile_s(q)) for q in QUANTILES)
        times = (format_time(p.mean_s), format_time(p.std_s), f"{low} - {high}")
        table.add(short_name(Arm(p.parallelism, p.worker_type)), *times)
    return table


def trial_table(trials: Iterable[Trial]) -> Table:
    """One line a trial."""
    words = ("phase", "status", "why")
    numbers = ("trial", "workers", "measured", "predicted", "input size", "load")
    table = Table((*numbers, *words), left=words)
    for t in trials:
        reason = (t.failure_reason or "").strip().splitlines()
        table.add(
            str(t.trial_index),
            short_name(t.arm),
            "-" if t.execution_time_s is None else format_time(t.execution_time_s),
            "-" if t.predicted_time_s is None else format_time(t.predicted_time_s),
            "-" if t.input_size is None else f"{t.input_size:g}",
            "-" if t.cluster_load is None else f"{t.cluster_load:g}",
            str(t.phase)
            + (f" ({advised} advised)" if (advised := t.recommended_parallelism) else ""),
            str(t.status),
            _cut(reason[0]) if reason else "",
        )
    return table


def experiment_table(experiments: Sequence[Experiment]) -> Table:
    """One line a task."""
    numbers = ("runs", "allowed", "objective", "T1", "p", "C", "k")
    table = Table(("task", *numbers, "strategy"), left=("task", "strategy"))
    for e in experiments:
        law = e.model.law
        learned = ("-",) * 4
        if law is not None:
            times = (format_time(law.t1_s), format_time(law.c_s))
            learned = (times[0], f"{law.p:.3f}", times[1], f"{law.k:.2f}")
        runs = str(e.model.sample_count)
        allowed, strategy = str(e.allowed), ", ".join([str(e.strategy), *_settings(e)])
        table.add(e.name, runs, allowed, str(e.objective), *learned, strategy)
    return table


def _settings(experiment: Experiment) -> list[str]:
    """What else was configured: the settings that are not the default ones."""
    types = experiment.worker_types
    said = [f"on {', '.join(types)}"] if types else []
    for name, setting in OWN.items():
        value = getattr(experiment, setting.keyword)
        if value != _USUAL[setting.keyword]:
            said.append(f"no {name}" if value is False else f"{name} {setting.shown(value)}")
    return said


def law_line(law: AmdahlLaw | None, sized: bool) -> str:
    """The fitted law as a formula, and the speed-up that it allows."""
    if law is None:
        return "none yet, it comes with the first decision after the opening runs"
    most = law.max_speedup()
    limit = "without limit" if most > 1e4 else f"at most {most:.1f}x"
    line = (
        f"T(s) = {format_time(law.c_s)} + {format_time(law.t1_s)} x "
        f"({1 - law.p:.3f} + {law.p:.3f}/s), speed-up {limit}"
    )
    return f"{line}; the second term grows as size^{law.k:.2f}" if sized else line


def measured_times(trials: Iterable[Trial]) -> dict[Arm, Measured]:
    """Measured times by degree and worker type."""
    times: dict[Arm, Measured] = {}
    for trial in trials:
        if trial.execution_time_s is not None:
            found = times.setdefault(trial.arm, Measured())
            found.count += 1
            found.total_s += trial.execution_time_s
    return times


def _cut(text: str, limit: int = 60) -> str:
    """A text that fits into a terminal's table; a program that reads it gets it whole."""
    short = len(text) <= limit or not sys.stdout.isatty()
    return text if short else text[: limit - 1] + "…"
