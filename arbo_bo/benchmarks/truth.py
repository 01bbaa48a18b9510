"""What the right choice would have been."""

from dataclasses import dataclass

from arbo_bo.benchmarks.problems import TimedProblem
from arbo_bo.experiment import Objective


@dataclass(frozen=True)
class Truth:
    """One degree of one run as an all-knowing scheduler sees it.

    Attributes:
        parallelism: The degree.
        expected_s: Its mean time [s].
        score: The objective's value of that mean.
        within: P(T <= deadline); 1 where there is none.
        feasible: Whether that reaches the wanted confidence.
    """

    parallelism: int
    expected_s: float
    score: float
    within: float
    feasible: bool


def truths(
    problem: TimedProblem,
    run: int,
    objective: Objective,
    deadline_s: float | None = None,
    confidence: float = 0.95,
) -> list[Truth]:
    """The truth about every degree of a run, by degree."""
    table = []
    for degree in problem.degrees(run):
        time = problem.expected_s(run, degree)
        within = 1.0
        if deadline_s is not None:
            within = problem.probability_within(run, degree, deadline_s)
        # A fraction of a handful of repeats must not fail by its last bit.
        feasible = within >= confidence - 1e-9
        table.append(Truth(degree, time, objective.score(time, degree), within, feasible))
    return table


def best(table: list[Truth]) -> Truth:
    """The lowest score among the feasible degrees; ties go to fewer workers.

    Where none is feasible: the degree most likely to keep the deadline, of several the cheapest.
    """
    feasible = [t for t in table if t.feasible]
    if feasible:
        return min(feasible, key=lambda t: (t.score, t.parallelism))
    return min(table, key=lambda t: (-t.within, t.score, t.parallelism))
