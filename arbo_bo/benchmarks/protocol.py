"""What a benchmark is made of: problems that are replayed, and policies that are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from arbo_bo.experiment import Context, Objective, SearchSpace


class Problem(Protocol):
    """A recurring task that can be replayed at any allowed degree.

    Runs are numbered from 1. The context of a run is given, its degree is chosen.
    """

    @property
    def name(self) -> str:
        """Names the problem uniquely in its suite."""
        ...

    def degrees(self, run: int) -> Sequence[int]:
        """The degrees that can be chosen in this run, ascending."""
        ...

    def context(self, run: int) -> Context:
        """Input size and cluster load of this run, as a policy sees them."""
        ...

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """One run's execution time at this degree, drawn at random [s]."""
        ...

    def expected_s(self, run: int, parallelism: int) -> float:
        """The truth that a score is made of: the mean execution time at this degree [s]."""
        ...


@dataclass(frozen=True)
class Setting:
    """What a policy is told of a task before its first run.

    Attributes:
        space: The allowed degrees.
        objective: What is minimised.
        default_parallelism: The degree that a person would have hard-coded.
        seed: Seeds whatever the policy draws at random.
        deadline_s: A run shall end within this [s]; None: no service level.
        confidence: With at least this probability.
    """

    space: SearchSpace
    objective: Objective
    default_parallelism: int
    seed: int
    deadline_s: float | None = None
    confidence: float = 0.95


class Policy(Protocol):
    """Chooses degrees from what it was told; it never sees the problem."""

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The degree for a run in this context, one of `degrees`."""
        ...

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        """What a run took; also runs that the policy did not choose."""
        ...
