"""What needs no learning: one degree for good, and chance."""

from collections.abc import Sequence

import numpy as np

from arbo_bo.benchmarks.policies.history import RememberingPolicy
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context, SearchSpace


class DefaultPolicy(RememberingPolicy):
    """The degree that a person would have hard-coded, or the allowed one nearest to it.

    A deadline changes nothing: a hard-coded degree knows of none.
    """

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The same degree for every run."""
        return SearchSpace(tuple(degrees)).nearest(self.setting.default_parallelism)


class RandomPolicy(RememberingPolicy):
    """Each allowed degree with the same probability, whatever was learned; seeded.

    A deadline changes nothing: chance doesn't learn.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._rng = np.random.default_rng(setting.seed)

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """One of the allowed degrees."""
        return degrees[int(self._rng.integers(len(degrees)))]
