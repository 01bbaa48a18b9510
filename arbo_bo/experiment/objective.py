"""What a good degree of parallelism is: E[T]^a Cost(s), minimised."""

import math
from dataclasses import dataclass

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation

DEFAULT_COST_EXPONENT = 0.5
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Objective:
    """Score(s) = E[T(s)]^a * Cost(s), minimised.

    Cost(s) is s^c, or s times a price per worker and second once a price is known; the score with
    a = 1 is then the expected money of a run. Where a <= c, fewer workers always win: with the
    default c = 0.5 an urgency of 0.5 always chooses the smallest degree, and with a price (c = 1)
    an urgency of 1 does.

    Attributes:
        urgency: a, above 0: 0.5 saves money, 1 balances, 2 saves time.
        cost_exponent: c, above 0; 0.5 unless set, and 1 with a price.
        price_per_worker_hour: Money per worker and hour, above 0, or None.

    Raises:
        InvalidValueError: A value is not positive and finite, or a price comes with c other than 1.
    """

    urgency: float = 1.0
    cost_exponent: float | None = None
    price_per_worker_hour: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "urgency", validation.positive("urgency", self.urgency))
        price, exponent = self.price_per_worker_hour, self.cost_exponent
        if price is not None:
            price = validation.positive("price_per_worker_hour", price)
            object.__setattr__(self, "price_per_worker_hour", price)
            if exponent not in (None, 1):
                raise InvalidValueError(
                    "a price makes the cost proportional to the workers: give cost_exponent or "
                    f"price_per_worker_hour, not both (got {exponent!r} and {price:g})"
                )
        if exponent is None:
            exponent = DEFAULT_COST_EXPONENT if price is None else 1.0
        object.__setattr__(self, "cost_exponent", validation.positive("cost_exponent", exponent))

    @property
    def exponent(self) -> float:
        """The exponent c as a float: what `cost_exponent` holds once the defaults are in."""
        assert self.cost_exponent is not None
        return self.cost_exponent

    @property
    def cost_factor(self) -> float:
        """What s^c is multiplied by: the price per worker and second, or 1."""
        price = self.price_per_worker_hour
        return 1.0 if price is None else price / SECONDS_PER_HOUR

    @property
    def favours_fewest_workers(self) -> bool:
        """Whether a <= c, so that under Amdahl's law the smallest degree always wins."""
        return self.urgency <= self.exponent

    def log_score(self, mean_time_s: float, parallelism: float) -> float:
        """log(E[T]^a Cost(s)) of one degree."""
        time, cost = math.log(mean_time_s), self.exponent * math.log(parallelism)
        return self.urgency * time + cost + math.log(self.cost_factor)

    def score(self, mean_time_s: float, parallelism: int) -> float:
        """E[T]^a Cost(s) of one degree, at most 1e304."""
        return math.exp(min(self.log_score(mean_time_s, parallelism), 700.0))

    def __str__(self) -> str:
        time = "T" if self.urgency == 1 else f"T^{self.urgency:g}"
        if self.price_per_worker_hour is not None:
            return f"{time} x s x {self.price_per_worker_hour:g} per worker-hour"
        return f"{time} x s" + ("" if self.exponent == 1 else f"^{self.exponent:g}")
