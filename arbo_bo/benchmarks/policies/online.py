"""The method's original algorithm as a policy."""

from collections.abc import Sequence

import numpy as np

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context
from arbo_bo.models import OnlineAmdahlEstimator

SMALLEST_FRACTION = 0.01
"""A predicted mean counts as at least this fraction of the law's time: an additive residual can
make it negative, where a score has no meaning."""


class OnlinePolicy(RememberingPolicy):
    """`OnlineAmdahlEstimator` with its defaults, scored at the mean: (law + GP mean)^a Cost(s).

    With a deadline: the lowest score among the degrees whose predicted mean keeps it, as the
    original does, else the fastest.

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
        mean, _ = self.estimator.predict(degrees, gamma, self.load(context))
        law = self.estimator.law
        floor = [SMALLEST_FRACTION * law.runtime_s(s, gamma) for s in degrees]
        times = np.maximum(mean, floor).tolist()
        scores = [self.setting.objective.score(t, s) for t, s in zip(times, degrees, strict=True)]
        return cheapest_in_time(degrees, scores, times, self.setting.deadline_s)
