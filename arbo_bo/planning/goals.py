"""What a plan is to reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from arbo_bo._format import format_time
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.numerics.arrays import Vector


@dataclass(frozen=True, slots=True)
class Deadline:
    """P(makespan <= seconds) >= probability, at the least expected cost.

    Attributes:
        seconds: From the workflow's start [s], above 0.
        probability: In (0, 1).

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    seconds: float
    probability: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", validation.positive("a deadline", self.seconds))
        p = validation.inner_fraction(self.probability, "probability")
        object.__setattr__(self, "probability", p)

    def __str__(self) -> str:
        return f"{format_time(self.seconds)} with probability {self.probability:g}"


@dataclass(frozen=True, slots=True)
class Budget:
    """P(cost <= usd) >= probability; the fastest such plan, or the cheapest under a deadline.

    Attributes:
        usd: In the money of the prices, above 0.
        probability: In (0, 1).

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    usd: float
    probability: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "usd", validation.positive("a budget", self.usd))
        p = validation.inner_fraction(self.probability, "probability")
        object.__setattr__(self, "probability", p)

    def __str__(self) -> str:
        return f"{self.usd:g} with probability {self.probability:g}"


@dataclass(frozen=True, slots=True)
class Mean:
    """The least expected makespan."""

    def __str__(self) -> str:
        return "the least expected makespan"


@dataclass(frozen=True, slots=True)
class Percentile:
    """The least q-th percentile of the makespan.

    Attributes:
        q: In (0, 100); 50 is the median.

    Raises:
        InvalidValueError: It is outside of that.
    """

    q: float

    def __post_init__(self) -> None:
        q = validation.real("q", self.q)
        if not 0 < q < 100:
            raise InvalidValueError(f"q must lie strictly between 0 and 100, got {q:g}")
        object.__setattr__(self, "q", q)

    def __str__(self) -> str:
        return f"the least {self.q:g}th percentile of the makespan"


Goal = Deadline | Budget | Mean | Percentile


@dataclass(frozen=True, slots=True)
class Target:
    """A goal, or several together, as what is minimised under constraints.

    Attributes:
        deadline: None: none.
        budget: None: none.
        makespan: What of the makespan is minimised; None: the expected cost is.
    """

    deadline: Deadline | None = None
    budget: Budget | None = None
    makespan: Mean | Percentile | None = None

    @classmethod
    def of(cls, given: Any) -> "Target":
        """Reads one goal or several.

        A deadline is kept at the least cost, a budget alone at the least expected makespan.

        Raises:
            InvalidValueError: It is none, or there are two of a kind.
        """
        if isinstance(given, Target):
            return given
        goals = (
            list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        )
        kinds: dict[type, Any] = {}
        for goal in goals:
            if not isinstance(goal, Goal):
                raise InvalidValueError(
                    "a goal is Deadline(seconds), Budget(usd), Mean() or Percentile(q), got "
                    f"{validation.short(goal)}"
                )
            kind: type = Mean if isinstance(goal, Percentile) else type(goal)
            if kind in kinds:
                raise InvalidValueError(
                    f"give at most one of each goal, got {kinds[kind]} and {goal}"
                )
            kinds[kind] = goal
        if not kinds:
            raise InvalidValueError("give a goal, such as Deadline(1800)")
        makespan = kinds.get(Mean)
        if makespan is None and Deadline not in kinds:
            makespan = Mean()
        return cls(kinds.get(Deadline), kinds.get(Budget), makespan)

    @property
    def quantile(self) -> float:
        """The quantile of the makespan that the goal is about."""
        if self.deadline is not None:
            return self.deadline.probability
        return self.makespan.q / 100 if isinstance(self.makespan, Percentile) else 0.5

    @property
    def has_limit(self) -> bool:
        """Whether there is a deadline or a budget."""
        return self.deadline is not None or self.budget is not None

    def excess(self, makespan: Vector, cost: Vector) -> Vector:
        """How far the constraints are missed: a sum of log ratios, 0 where all are kept.

        Args:
            makespan: ``... x N`` samples [s].
            cost: ``... x N`` samples.
        """
        total = np.zeros(makespan.shape[:-1])
        for limit, samples in ((self.deadline, makespan), (self.budget, cost)):
            if limit is not None:
                value = limit.seconds if isinstance(limit, Deadline) else limit.usd
                reached = upper_quantile(samples, limit.probability)
                total = total + np.maximum(np.log(np.maximum(reached, TINY) / value), 0.0)
        return total

    def value(self, makespan: Vector, cost: Vector) -> Vector:
        """What is minimised, shape ``...``."""
        if self.makespan is None:
            return np.asarray(cost.mean(-1))
        if isinstance(self.makespan, Percentile):
            return upper_quantile(makespan, self.makespan.q / 100)
        return np.asarray(makespan.mean(-1))

    def probability(self, makespan: Vector, cost: Vector) -> Vector:
        """How likely every limit is kept together, shape ``...``; 1 where there is none."""
        kept = np.ones(makespan.shape, bool)
        if self.deadline is not None:
            kept &= makespan <= self.deadline.seconds
        if self.budget is not None:
            kept &= cost <= self.budget.usd
        return np.asarray(kept.mean(-1))

    def __str__(self) -> str:
        parts = []
        if self.deadline is not None:
            parts.append(f"a deadline of {self.deadline}")
        if self.budget is not None:
            parts.append(f"a budget of {self.budget}")
        if self.makespan is not None:
            parts.append(str(self.makespan))
        return " and ".join(parts)


TINY = 1e-300


def upper_quantile(samples: Vector, q: float) -> Vector:
    """The least of the samples that a fraction q of them does not exceed, shape ``...``.

    So P(T <= D) >= q in the samples exactly where this is at most D.
    """
    n = samples.shape[-1]
    k = min(max(int(np.ceil(q * n - 1e-9)), 1), n) - 1
    return np.asarray(np.partition(samples, k, axis=-1)[..., k])
