"""Service levels: what a run may take or cost, and with which probability."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from arbo_bo._format import format_time
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.experiment.objective import SECONDS_PER_HOUR, Objective


@dataclass(frozen=True, slots=True)
class MaxExecutionTime:
    """P(T <= time_s) >= confidence, the noise of a run included.

    Attributes:
        time_s: The deadline [s], above 0.
        confidence: In (0, 1).

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    time_s: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_s", validation.positive("a deadline", self.time_s))
        object.__setattr__(self, "confidence", validation.inner_fraction(self.confidence))

    def limit_s(self, parallelism: Any) -> Any:
        """The time that a run may take [s], the same at every degree.

        Args:
            parallelism: s, a number or an array.
        """
        return self.time_s + 0 * parallelism

    def __str__(self) -> str:
        return f"{format_time(self.time_s)} with probability {self.confidence:g}"


@dataclass(frozen=True, slots=True)
class MaxCost:
    """P(s T price <= cost) >= confidence, the noise of a run included.

    Attributes:
        cost: The budget of a run in money, above 0.
        price_per_worker_hour: In the same money, above 0; None: the worker types' own prices.
        confidence: In (0, 1).

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    cost: float
    price_per_worker_hour: float | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", validation.positive("a budget", self.cost))
        if self.price_per_worker_hour is not None:
            price = validation.positive("price_per_worker_hour", self.price_per_worker_hour)
            object.__setattr__(self, "price_per_worker_hour", price)
        object.__setattr__(self, "confidence", validation.inner_fraction(self.confidence))

    def limit_s(self, parallelism: Any) -> Any:
        """The time that the budget buys at a degree [s].

        Args:
            parallelism: s, a number or an array; where the worker types say the price, s times
                that of a worker and hour.
        """
        price = self.price_per_worker_hour or 1.0
        return self.cost / price * SECONDS_PER_HOUR / parallelism

    def __str__(self) -> str:
        price = self.price_per_worker_hour
        at = "" if price is None else f"at {price:g} per worker-hour "
        return f"{self.cost:g} {at}with probability {self.confidence:g}"


SLO = MaxExecutionTime | MaxCost


def service_levels(given: Any) -> tuple[SLO, ...]:
    """Reads what a user gives: one service level, a deadline and a budget together, or none.

    Returns:
        The deadline first, then the budget.

    Raises:
        InvalidValueError: It is something else, or two of a kind.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str)
    levels = tuple(given) if several else (() if given is None else (given,))
    for level in levels:
        if not isinstance(level, SLO):
            raise InvalidValueError(
                "a service level is MaxExecutionTime(seconds) or MaxCost(money, "
                f"price_per_worker_hour=...), got {validation.short(level)}"
            )
    if len({type(level) for level in levels}) < len(levels):
        raise InvalidValueError(
            f"give at most one MaxExecutionTime and one MaxCost, got {len(levels)} service levels"
        )
    return tuple(sorted(levels, key=lambda level: isinstance(level, MaxCost)))


def cost_objective(objective: Objective, slo: Iterable[SLO]) -> Objective:
    """What is least among the degrees that keep a deadline: money where a price is known.

    The price is the objective's, or the budget's; without one it is the objective's own score.
    """
    price = objective.price_per_worker_hour
    for level in slo:
        if price is None and isinstance(level, MaxCost):
            price = level.price_per_worker_hour
    return objective if price is None else Objective(price_per_worker_hour=price)
