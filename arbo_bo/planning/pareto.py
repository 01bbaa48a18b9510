"""What time costs: the plans that no other one beats in both."""

from collections.abc import Iterable

import numpy as np

from arbo_bo.planning.arrangements import USUAL
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Deadline, Percentile, upper_quantile
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.plan import Plan
from arbo_bo.planning.planners.registry import RECOMMENDED
from arbo_bo.planning.planners.relaxation import cheapest

POINTS = 9


def pareto_front(
    forecast: Forecast,
    probability: float = 0.95,
    planner: str = RECOMMENDED,
    points: int = POINTS,
    optimizations: Iterable[str] = USUAL,
) -> list[Plan]:
    """Plans from the fastest to the cheapest, none of which another one beats in time and cost.

    Args:
        forecast: What any choice leads to.
        probability: How likely each plan's time is kept.
        planner: Who chooses.
        points: How many deadlines are looked at, evenly spread by ratio.
        optimizations: As in `make_plan`.
    """
    names = tuple(optimizations)
    fast = make_plan(forecast, Percentile(100 * probability), planner, names)
    low = fast.makespan.quantile_s(probability)
    slow = forecast.evaluate(cheapest(forecast))
    high = max(float(upper_quantile(slow.makespan, probability)[0]), low)
    plans = [fast]
    for seconds in np.geomspace(low, high * 1.01, points):
        plans.append(make_plan(forecast, Deadline(float(seconds), probability), planner, names))
    plans.sort(key=lambda p: (p.makespan.quantile_s(probability), p.cost.mean))
    front: list[Plan] = []
    for plan in plans:
        if not front or plan.cost.mean < front[-1].cost.mean * (1 - 1e-9):
            front.append(plan)
    return front
