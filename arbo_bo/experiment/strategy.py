"""How a task's owner wants degrees to be chosen: by what, under which promises and rails."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.experiment.acquisitions import missing_levels
from arbo_bo.experiment.keywords import resolved
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.experiment.objective import Objective
from arbo_bo.experiment.slo import SLO, MaxCost, MaxExecutionTime, service_levels

DEFAULT_ACQUISITION = "knowledge_gradient"
"""What chooses where neither the user nor a service level says it."""
AUTO = "auto"
"""Stands for `DEFAULT_ACQUISITION`, or for what suits the service levels."""


class SearchRule(StrEnum):
    """Which allowed degrees are looked at, around the law's own optimum s*.

    ALL: every one. UP_TO_1_2: [1, 1.2 s*]. UP_TO_1_5: [1, 1.5 s*]. AROUND: [0.5 s*, 1.5 s*].
    EFFICIENCY: up to the degree that reaches the fraction eta of the largest speed-up. Whatever
    the rule, only allowed degrees are looked at, and always one at least.
    """

    ALL = "all"
    UP_TO_1_2 = "up_to_1.2"
    UP_TO_1_5 = "up_to_1.5"
    AROUND = "around"
    EFFICIENCY = "efficiency"

    def bounds(
        self, law: AmdahlLaw, objective: Objective, gamma: float, eta: float
    ) -> tuple[float, float]:
        """The smallest and the largest degree to look at, before allowed degrees cut them.

        Args:
            law: The law as fitted.
            objective: Whose optimum s* is.
            gamma: Input scaling.
            eta: Fraction of the largest speed-up, in (0, 1).
        """
        if self is SearchRule.ALL:
            return 1.0, math.inf
        if self is SearchRule.EFFICIENCY:
            return 1.0, law.efficiency_degree(eta, gamma)
        best = law.optimum(objective.urgency, objective.exponent, gamma)
        low, high = _FACTORS[self]
        return max(1.0, low * best) if math.isfinite(best) else 1.0, high * best

    def degrees(self, bounds: tuple[float, float], allowed: Sequence[float]) -> tuple[float, ...]:
        """The allowed degrees within bounds, or the one nearest to them."""
        low, high = bounds
        within = tuple(s for s in allowed if low <= s <= high)
        return within or (min(allowed, key=lambda s: (max(low - s, s - high), s)),)


_FACTORS = {
    SearchRule.UP_TO_1_2: (0.0, 1.2),
    SearchRule.UP_TO_1_5: (0.0, 1.5),
    SearchRule.AROUND: (0.5, 1.5),
}


@dataclass(frozen=True, slots=True)
class Strategy:
    """How degrees are chosen.

    Attributes:
        acquisition: The acquisition function's name, or "auto": "budget" where there is a `MaxCost`
            alone, else the default one, `DEFAULT_ACQUISITION`.
        slo: A `MaxExecutionTime`, a `MaxCost`, or both; they hold whatever chooses.
        search: Which of the allowed degrees are looked at.
        eta: For `SearchRule.EFFICIENCY`, in (0, 1).
        pin: Every run takes this degree; None: the optimizer chooses.
        dry_run: Every run takes the default degree, and what would have been chosen is recorded.
        guard: A degree other than the default one is chosen only where its score is not worse with
            at least this probability, in (0, 1); None: no guard.
        like: The task whose law stands in until this one's own runs tell theirs; None: none.

    Raises:
        InvalidValueError: A value is outside its domain, or an acquisition function lacks the
            service level that it is about.
    """

    acquisition: str = AUTO
    slo: tuple[SLO, ...] = ()
    search: SearchRule = SearchRule.ALL
    eta: float = 0.9
    pin: int | None = None
    dry_run: bool = False
    guard: float | None = None
    like: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        validation.identifier("an acquisition's name", self.acquisition)
        put(self, "slo", service_levels(self.slo))
        put(self, "search", validation.member("search", self.search, SearchRule))
        put(self, "eta", validation.inner_fraction(self.eta, "eta"))
        if self.pin is not None:
            put(self, "pin", validation.integer("pin", self.pin, 1))
        if not isinstance(self.dry_run, bool):
            raise InvalidValueError(
                f"dry_run must be True or False, got {validation.short(self.dry_run)}"
            )
        if self.guard is not None:
            put(self, "guard", validation.inner_fraction(self.guard, "guard"))
        if self.like is not None:
            validation.identifier("the name of the task to be like", self.like)
        missing = missing_levels(self.acquisition, self.slo)
        if missing:
            kinds = " or ".join(f"a {kind.__name__}" for kind in missing)
            raise InvalidValueError(
                f"acquisition {self.acquisition!r} needs {kinds}: give slo=, or another acquisition"
            )

    @property
    def chooser(self) -> str:
        """The acquisition function's name, "auto" resolved."""
        if self.acquisition != AUTO:
            return self.acquisition
        within_budget = bool(self.slo) and not isinstance(self.slo[0], MaxExecutionTime)
        return "budget" if within_budget else DEFAULT_ACQUISITION

    @property
    def deadline(self) -> MaxExecutionTime | None:
        """The service level on time."""
        return next((x for x in self.slo if isinstance(x, MaxExecutionTime)), None)

    @property
    def budget(self) -> MaxCost | None:
        """The service level on money."""
        return next((x for x in self.slo if isinstance(x, MaxCost)), None)

    @property
    def is_fixed(self) -> bool:
        """Whether the degree is not the optimizer's to choose: a pin, or a dry run."""
        return self.pin is not None or self.dry_run

    def __str__(self) -> str:
        parts = [self.chooser, *(f"within {level}" for level in self.slo)]
        if self.search is not SearchRule.ALL:
            parts.append(f"search {self.search}")
        if self.guard is not None:
            parts.append(f"guard {self.guard:g}")
        if self.like is not None:
            parts.append(f"like {self.like}")
        if self.pin is not None:
            parts.append(f"pinned to {self.pin}")
        elif self.dry_run:
            parts.append("dry run")
        return ", ".join(parts)

    def changed(self, settings: Mapping[str, Any]) -> "Strategy":
        """The strategy with other settings; `UNSET` leaves one as it is, None is its default.

        Without service levels, an acquisition function that needs them goes too.
        """
        given = resolved(settings, type(self))
        if "slo" in given:
            given["slo"] = service_levels(given["slo"])
            if "acquisition" not in given and missing_levels(self.acquisition, given["slo"]):
                given["acquisition"] = AUTO
        return replace(self, **given)

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON's own types."""
        values = {name: plain(getattr(self, name)) for name in self.__slots__}
        return values | {"slo": [_level_json(level) for level in self.slo]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Strategy":
        """Reads what `to_json` wrote; what is missing is the default.

        Raises:
            InvalidValueError: A value is outside its domain.
            KeyError: A service level lacks a value.
        """
        known = {name: stored[name] for name in cls.__slots__ if name in stored}
        return cls(**known | {"slo": tuple(map(_level_of, stored.get("slo", ())))})


def plain(value: Any) -> Any:
    """A setting's value as JSON knows it."""
    return value.value if isinstance(value, StrEnum) else value


def _level_json(level: SLO) -> dict[str, Any]:
    if isinstance(level, MaxExecutionTime):
        return {"kind": "time", "time_s": level.time_s, "confidence": level.confidence}
    return {
        "kind": "cost",
        "cost": level.cost,
        "price_per_worker_hour": level.price_per_worker_hour,
        "confidence": level.confidence,
    }


def _level_of(stored: Mapping[str, Any]) -> SLO:
    if stored["kind"] == "time":
        return MaxExecutionTime(stored["time_s"], stored["confidence"])
    return MaxCost(stored["cost"], stored["price_per_worker_hour"], stored["confidence"])
