"""From the fastest plan down: what is off the critical path may be slower, while the goal holds."""

import numpy as np

from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target, upper_quantile
from arbo_bo.planning.planners.registry import Choice
from arbo_bo.planning.planners.relaxation import fastest

TOLERANCE = 1e-3
"""Of the fastest makespan: a step down may cost that much where no deadline says how much."""
OFF_PATH = 0.5
"""A stage that is on the longest path less often than this is off it."""


def non_uniform(forecast: Forecast, target: Target) -> Choice:
    """Starts at the fastest, and steps down off the critical path while the goal holds."""
    choice = fastest(forecast)
    now = forecast.evaluate(choice)
    reached = float(upper_quantile(now.makespan, target.quantile)[0])
    limit = reached * (1 + TOLERANCE)
    if target.deadline is not None:
        limit = max(limit, target.deadline.seconds)
    critical = forecast.criticality(now)
    steps = 0
    for i in np.argsort(critical):
        own = forecast.times[i]
        cost = own.price * own.mean_time
        while critical[i] < OFF_PATH:
            slower = np.flatnonzero((cost < cost[choice[i]]) & (own.mean_time > 0))
            if not len(slower):
                break
            trial = choice.copy()
            trial[i] = slower[np.argmin(own.mean_time[slower])]
            found = forecast.again(now, trial, [int(i)])
            if float(upper_quantile(found.makespan, target.quantile)[0]) > limit:
                break
            choice, now, steps = trial, found, steps + 1
    return Choice(choice, f"{steps} steps down from the fastest plan, off its critical path")
