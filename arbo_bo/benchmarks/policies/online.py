"""The method's original algorithm as a policy."""

from collections.abc import Sequence
from statistics import NormalDist

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context
from arbo_bo.numerics.online import OnlineAmdahlEstimator


class OnlinePolicy(RememberingPolicy):
    """`OnlineAmdahlEstimator` with its defaults, scored at the mean: (law + GP mean)^a Cost(s).

    With a deadline: the lowest score among the degrees whose quantile at the setting's confidence
    keeps it, else the one with the smallest quantile.

    Source: ARBO.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.estimator = OnlineAmdahlEstimator()

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        """Smooths the law with the run."""
        super().tell(context, parallelism, execution_time_s)
        gamma, load = self.gamma(context), self.load(context)
        self.estimator.observe(parallelism, gamma, load, execution_time_s)

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The degree of the lowest score at the mean."""
        if not self.runs:
            return int(degrees[0])
        gamma = self.gamma(context)
        load, objective = self.load(context), self.setting.objective
        times = self.estimator.scored_time(degrees, gamma, load).tolist()
        mean, std = self.estimator.predict(degrees, gamma, load)
        quantiles = mean + NormalDist().inv_cdf(self.setting.confidence) * std
        scores = [objective.score(t, s) for t, s in zip(times, degrees, strict=True)]
        return cheapest_in_time(degrees, scores, quantiles.tolist(), self.setting.deadline_s)
