"""The truth as a policy: what no policy can beat."""

from collections.abc import Sequence

from arbo_bo.benchmarks.policies.history import RememberingPolicy
from arbo_bo.benchmarks.problems import TimedProblem
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.benchmarks.truth import best, truths
from arbo_bo.experiment import Context


class OraclePolicy(RememberingPolicy):
    """The degree of the lowest true score, among those that truly keep a deadline.

    It counts the runs that it is told, the first two included, so as to know which
    run it is asked for.

    Args:
        problem: Where the truth is.
        setting: What is minimised.
    """

    def __init__(self, problem: TimedProblem, setting: Setting) -> None:
        super().__init__(setting)
        self._problem = problem

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The truly best degree of the next run."""
        run = len(self.runs) + 1
        setting = self.setting
        table = truths(
            self._problem, run, setting.objective, setting.deadline_s, setting.confidence
        )
        return best([truth for truth in table if truth.parallelism in degrees]).parallelism
