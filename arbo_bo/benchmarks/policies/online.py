"""The method's original algorithm as policies: with its mends, and as the study writes it."""

from collections.abc import Sequence
from statistics import NormalDist

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.online import OnlineAmdahlEstimator
from arbo_bo.numerics.steps import ONLINE, STUDY


class OnlinePolicy(RememberingPolicy):
    """`OnlineAmdahlEstimator` with its defaults, scored at the mean: (law + GP mean)^a Cost(s).

    With a deadline: the lowest score among the degrees whose quantile at the setting's confidence
    keeps it, else the one with the smallest quantile.

    Source: ARBO.
    """

    steps = ONLINE

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.estimator = OnlineAmdahlEstimator(steps=self.steps)

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
        scores = [objective.score(t, s) for t, s in zip(times, degrees, strict=True)]
        return self._cheapest(degrees, scores, mean, std)

    def _cheapest(
        self, degrees: Sequence[int], scores: Sequence[float], mean: Vector, std: Vector
    ) -> int:
        quantiles = mean + NormalDist().inv_cdf(self.setting.confidence) * std
        return cheapest_in_time(degrees, scores, quantiles.tolist(), self.setting.deadline_s)


class OriginalPolicy(OnlinePolicy):
    """The original algorithm with every step as the study writes it (`STUDY`).

    With a deadline: the lowest score among the degrees whose mean keeps it, else one worker, or the
    fewest that are allowed.

    Source: ARBO.
    """

    steps = STUDY

    def _cheapest(
        self, degrees: Sequence[int], scores: Sequence[float], mean: Vector, std: Vector
    ) -> int:
        deadline = self.setting.deadline_s
        if deadline is not None and not (mean <= deadline).any():
            return min(degrees)
        return cheapest_in_time(degrees, scores, mean.tolist(), deadline)
