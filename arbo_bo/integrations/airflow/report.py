"""What a person reads in Airflow: the plan task's log, and the label of an instance."""

import math
from collections.abc import Mapping
from typing import Any

from arbo_bo._format import format_time
from arbo_bo.integrations.airflow.plan import Advice

MAX_LINES = 40
"""Candidates that the log lists; the XCom holds all of them."""


def table(advice: Advice) -> str:
    """Returns the decision, its reason and its candidates, as lines of a log."""
    where = f"{advice.experiment!r}" + (
        "" if advice.trial_index is None else f", trial {advice.trial_index}"
    )
    lines = [f"stage {advice.stage} ({where}): {advice.reason}"]
    size = "unknown" if advice.input_size is None else f"{advice.input_size:g}"
    load = "unknown" if advice.cluster_load is None else f"{advice.cluster_load:g}"
    lines.append(f"input size {size}, cluster load {load}, limit {advice.limit}")
    if not advice.candidates:
        return "\n".join(lines)
    lines.append(f"{'workers':>10}  {'expected':>10}  {'5 %':>10}  {'95 %':>10}  why not")
    shown = sorted(advice.candidates, key=_by_score)[:MAX_LINES]
    for candidate in sorted(shown, key=lambda candidate: candidate["parallelism"]):
        mark = "->" if candidate["chosen"] else ""
        times = [candidate[name] for name in ("mean_s", "quantile_05_s", "quantile_95_s")]
        told = "  ".join(f"{'-' if t is None else format_time(t):>10}" for t in times)
        line = f"{mark:>3}{candidate['parallelism']:>7}  {told}  {candidate['why_not']}"
        lines.append(line.rstrip())
    if hidden := len(advice.candidates) - len(shown):
        lines.append(f"{hidden} worse ones are in the XCom")
    return "\n".join(lines)


def _by_score(candidate: Mapping[str, Any]) -> float:
    score = candidate["score"]
    return math.inf if score is None else float(score)


def label(advice: Advice, index: int, several: bool) -> str:
    """Returns an instance's label in the UI, such as ``chunk 3/8``, counted from 1.

    Args:
        advice: The stage's advice.
        index: The chunk, from 0.
        several: Whether the mapped task runs several stages, so that the label names one.
    """
    text = f"chunk {index + 1}/{advice.parallelism}"
    return f"{advice.stage} {text}" if several else text
