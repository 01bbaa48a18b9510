"""Planners by name: arbo's own, and those of other packages.

Another package adds one through the entry point group ``arbo_bo.planners``: the entry point's name
is the planner's, its object a `Planner`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Protocol

from arbo_bo.errors import UnknownPlannerError
from arbo_bo.experiment import validation
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target
from arbo_bo.planning.network import Arrangement

logger = logging.getLogger("arbo_bo")

ENTRY_POINTS = "arbo_bo.planners"
RECOMMENDED = "chance"
BUILTIN: Mapping[str, str] = {
    "default": "arbo_bo.planning.planners.simple:default",
    "independent": "arbo_bo.planning.planners.simple:independent",
    "uniform": "arbo_bo.planning.planners.simple:uniform",
    "non_uniform": "arbo_bo.planning.planners.steps:non_uniform",
    "wukong": "arbo_bo.planning.planners.clustered:wukong",
    "ratio": "arbo_bo.planning.planners.fitted:ratio",
    "jolteon": "arbo_bo.planning.planners.fitted:jolteon",
    "chance": "arbo_bo.planning.planners.chance:chance",
}


@dataclass(frozen=True, eq=False)
class Choice:
    """What a planner has chosen.

    Attributes:
        options: The number of each stage's option, parents first, shape (S,).
        why: For people.
        arrangement: What workers and data do beside; None: as the forecast has it.
        nearest_s: The nearest deadline that could be kept, where the planner has looked for it [s].
    """

    options: Vector
    why: str
    arrangement: Arrangement | None = None
    nearest_s: float | None = None


class Planner(Protocol):
    """Chooses an option for every stage."""

    def __call__(self, forecast: Forecast, target: Target) -> Choice:
        """The choice.

        Args:
            forecast: What any choice leads to, in samples.
            target: What is minimised, and what has to hold.
        """
        ...


def available() -> tuple[str, ...]:
    """The names of all planners, arbo's own first."""
    return (*BUILTIN, *sorted(_third_party()))


def planner_of(name: Any) -> Planner:
    """The planner of a name.

    Raises:
        UnknownPlannerError: None has it; the message lists those that exist.
    """
    if isinstance(name, str) and name in BUILTIN:
        module, _, attribute = BUILTIN[name].partition(":")
        found: Planner = getattr(import_module(module), attribute)
        return found
    others = _third_party()
    if isinstance(name, str) and name in others:
        return others[name]
    raise UnknownPlannerError(
        f"planner must be one of {', '.join(available())}, got {validation.short(name)}"
    )


@cache
def _third_party() -> Mapping[str, Planner]:
    loaded: dict[str, Planner] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in BUILTIN:
            logger.warning(
                "planner %r (%s) is skipped: the name is arbo's own", point.name, point.value
            )
            continue
        try:
            loaded[point.name] = point.load()
        except (Exception, SystemExit) as err:  # another's fault must not stop a plan
            logger.warning("planner %r (%s) is skipped: %s", point.name, point.value, err)
    return loaded
