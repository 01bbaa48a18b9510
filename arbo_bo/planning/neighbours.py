"""What one more or one less would cost: the plans that differ in one stage."""

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.plan import Neighbour
from arbo_bo.planning.planners.search import EXACT_MOVES, IN_SLOTS, single_moves

NOTICED = 1e-3
"""A plan is faster, or cheaper, if it is so by a tenth of a per cent."""


def next_plans(
    forecast: Forecast, target: Target, choice: Vector
) -> tuple[Neighbour | None, Neighbour | None]:
    """The next cheaper and the next faster plan that differ in one stage.

    Of the cheaper ones the fastest, and of the faster ones the cheapest.

    Args:
        forecast: With the arrangement of the choice.
        target: The goal.
        choice: Shape (S,).
    """
    every: list[Numbers] = [np.arange(len(t.options)) for t in forecast.times]
    moves = single_moves(choice, every)
    most = EXACT_MOVES if forecast.network.capacity is None else EXACT_MOVES // IN_SLOTS
    if not 0 < len(moves) <= most:
        return None, None
    rows = np.vstack([choice[None], moves])
    time, cost, likely = forecast.summary(rows, target)
    cheaper = np.flatnonzero(cost < cost[0] * (1 - NOTICED))
    faster = np.flatnonzero(time < time[0] * (1 - NOTICED))

    def found(among: Numbers, least: Vector) -> Neighbour | None:
        if not len(among):
            return None
        at = int(among[least[among].argmin()])
        i = int(np.flatnonzero(rows[at] != choice)[0])
        option = forecast.times[i].options[rows[at, i]]
        return Neighbour(
            forecast.times[i].stage.name,
            option.parallelism,
            option.type_name,
            float(time[at]),
            float(cost[at]),
            float(likely[at]),
        )

    return found(cheaper, time), found(faster, cost)
