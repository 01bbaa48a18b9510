"""The truth as a policy: what no policy can beat."""

from collections.abc import Sequence

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.benchmarks.protocol import Problem, Setting
from arbo_bo.experiment import Context


class OraclePolicy(RememberingPolicy):
    """The degree of the lowest true score, from the problem's own expected times.

    With a deadline: the lowest true score among the degrees whose expected time keeps it, else the
    fastest degree. It counts the runs that it is told, the first two included, so as to know which
    run it is asked for.

    Args:
        problem: Where the truth is.
        setting: What is minimised.
    """

    def __init__(self, problem: Problem, setting: Setting) -> None:
        super().__init__(setting)
        self._problem = problem

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The truly best degree of the next run."""
        run = len(self.runs) + 1
        times = [self._problem.expected_s(run, s) for s in degrees]
        scores = [self.setting.objective.score(t, s) for t, s in zip(times, degrees, strict=True)]
        return cheapest_in_time(degrees, scores, times, self.setting.deadline_s)
