"""What a policy was told, and how it decides once it can compare degrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context

MISS_PENALTY = 10.0
"""What the score of a missed deadline is multiplied by, for peers that know no constraint."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: where, with how many workers, and how long it took [s]."""

    context: Context
    parallelism: int
    execution_time_s: float


class RememberingPolicy:
    """The half of a policy that only listens: it keeps every run it is told.

    Args:
        setting: What is known of the task before its first run.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.runs: list[Run] = []

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        """Keeps the run."""
        self.runs.append(Run(context, parallelism, execution_time_s))

    @property
    def base_input_size(self) -> float | None:
        """The first known input size; None: none known yet."""
        sizes = (run.context.input_size for run in self.runs)
        return next((size for size in sizes if size is not None), None)

    def gamma(self, context: Context) -> float:
        """Input scaling against the first known size; 1 where either is unknown."""
        return context.gamma(self.base_input_size)

    def load(self, context: Context) -> float:
        """The cluster load; the mean of the known ones, or 0, where it is unknown."""
        if context.cluster_load is not None:
            return context.cluster_load
        known = [r.context.cluster_load for r in self.runs if r.context.cluster_load is not None]
        return fmean(known) if known else 0.0

    def score(self, run: Run) -> float:
        """The objective's value of one run."""
        return self.setting.objective.score(run.execution_time_s, run.parallelism)

    def missed(self, run: Run) -> bool:
        """Whether the run took longer than the deadline."""
        deadline = self.setting.deadline_s
        return deadline is not None and run.execution_time_s > deadline


def cheapest_in_time(
    degrees: Sequence[int],
    scores: Sequence[float],
    times_s: Sequence[float],
    deadline_s: float | None,
) -> int:
    """The degree of the lowest score whose time keeps the deadline.

    Where none keeps it, the fastest; ties go to fewer workers.

    Args:
        degrees: Allowed degrees.
        scores: What is minimised, one for each degree.
        times_s: The time that has to keep the deadline, such as a quantile [s].
        deadline_s: The deadline [s]; None: there is none.
    """
    table = list(zip(scores, degrees, times_s, strict=True))
    if deadline_s is not None:
        within = [row for row in table if row[2] <= deadline_s]
        if not within:
            return min(table, key=lambda row: (row[2], row[1]))[1]
        table = within
    return min(table)[1]
