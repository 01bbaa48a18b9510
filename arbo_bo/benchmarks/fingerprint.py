"""Whether two suites are made of the same cases."""

import hashlib

from arbo_bo.benchmarks.problems import TimedProblem
from arbo_bo.benchmarks.seeds import generator
from arbo_bo.benchmarks.suite import Suite


def fingerprint(suite: Suite) -> str:
    """A hash of each case: its name, objective, deadline, degrees, contexts and times."""
    lines = []
    for case in suite.cases:
        problem, o = case.source.problem(0), case.objective
        first = [
            (s, float(problem.expected_s(1, s)), _drawn_s(problem, s)) for s in problem.degrees(1)
        ]
        limits = (o.urgency, o.exponent, case.deadline_s, case.confidence)
        context = problem.context(1)
        known = (context.input_size, context.cluster_load)
        times = [float(t) for t in case.source.achievable_s()]
        degrees = tuple(map(int, case.source.space.degrees))
        lines.append(repr((case.name, limits, degrees, known, times, first)))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _drawn_s(problem: TimedProblem, parallelism: int) -> float:
    """One drawn time: it differs where the repeats or the noise do."""
    return float(problem.draw_s(1, parallelism, generator("fingerprint", parallelism)))
