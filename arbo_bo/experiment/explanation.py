"""A decision's whole candidate table, for programs and for people."""

from dataclasses import dataclass

from arbo_bo._format import format_probability, format_time
from arbo_bo.experiment.arm import Arm, short_name

TITLES = ("workers", "expected", "5 %", "median", "95 %", "cost", "P(SLO)", "score", "why not")


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """One allowed degree as the decision saw it.

    Attributes:
        parallelism: The degree.
        mean_s: Expected time of the next run [s].
        std_s: Its standard deviation, the noise of a run included [s].
        quantile_05_s: The time that it stays under with probability 0.05 [s].
        median_s: With probability 0.5 [s].
        quantile_95_s: With probability 0.95 [s].
        cost: Expected cost: money where a price is known, else worker-seconds.
        slo_probability: Probability of keeping every service level; None: there are none.
        score: E[T]^a Cost(s), less is better.
        value: What the acquisition function gave it, more is better; None: it was not asked.
        chosen: Whether this degree was chosen.
        why_not: Why it was not; empty for the chosen one.
        worker_type: The type of its workers; None: the task has none.
    """

    parallelism: int
    mean_s: float
    std_s: float
    quantile_05_s: float
    median_s: float
    quantile_95_s: float
    cost: float
    slo_probability: float | None
    score: float
    value: float | None
    chosen: bool
    why_not: str
    worker_type: str | None = None


def _named(row: ExplanationRow) -> str:
    return short_name(Arm(row.parallelism, row.worker_type))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a degree and no other.

    Attributes:
        reason: The decision's one sentence.
        rows: Every allowed degree, ascending; empty for an opening run.
        cost_unit: What `ExplanationRow.cost` counts: "money" or "worker-seconds".
        hypotheses: What was weighed, each explanation with its probability; empty: one law alone.
    """

    reason: str
    rows: tuple[ExplanationRow, ...]
    cost_unit: str
    hypotheses: tuple[tuple[str, float], ...] = ()

    def table(self) -> list[tuple[str, ...]]:
        """The rows as text, `TITLES` being the header; the chosen degree is marked."""
        return [
            (
                _named(row) + (" <-" if row.chosen else "   "),
                *(
                    format_time(t)
                    for t in (row.mean_s, row.quantile_05_s, row.median_s, row.quantile_95_s)
                ),
                f"{row.cost:.4g}",
                "-" if row.slo_probability is None else f"{row.slo_probability:.3f}",
                f"{row.score:.4g}",
                row.why_not,
            )
            for row in self.rows
        ]

    def __str__(self) -> str:
        if not self.rows:
            return self.reason
        titles = tuple(f"cost ({self.cost_unit})" if t == "cost" else t for t in TITLES)
        table = [titles, *self.table()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                text.ljust(width) if i == len(widths) - 1 else text.rjust(width)
                for i, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        if self.hypotheses:
            likeliest = sorted(self.hypotheses, key=lambda h: -h[1])
            weighed = "; ".join(f"{name} {format_probability(p)}" for name, p in likeliest)
            lines += ["", f"weighed: {weighed}"]
        return "\n".join([*lines, "", self.reason])
