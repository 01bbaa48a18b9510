"""No sizing, but locality: the style of Wukong (B. Carver et al., SoCC 2020), not the system."""

from dataclasses import replace

import numpy as np

from arbo_bo.planning.arrangements import DelayedIO, claims
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target
from arbo_bo.planning.planners.registry import Choice
from arbo_bo.planning.planners.simple import default


def wukong(forecast: Forecast, target: Target) -> Choice:
    """Default degrees; fan-ins and fan-outs go on with a parent's workers, large outputs wait."""
    choice = default(forecast, target).options
    arrangement = claims(forecast, choice)
    deferred = DelayedIO().stages(forecast.arranged(arrangement), np.asarray(choice))
    arrangement = replace(arrangement, deferred=arrangement.deferred | frozenset(deferred))
    why = "default degrees, children on their parents' workers, large outputs delayed"
    return Choice(choice, why, arrangement)
