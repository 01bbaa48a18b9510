"""Planners that look at no workflow, or at one number for all of it."""

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target
from arbo_bo.planning.options import StageTimes
from arbo_bo.planning.planners.registry import Choice


def default(forecast: Forecast, target: Target) -> Choice:
    """Every stage's default degree, on its first worker type."""
    return Choice(np.array([_default(t) for t in forecast.times]), "everyone's default degree")


def _default(times: StageTimes) -> int:
    first = times.options[0].type_name
    wanted = times.experiment.default_parallelism
    own = [i for i, o in enumerate(times.options) if o.type_name == first]
    return min(own, key=lambda i: (abs(times.options[i].parallelism - wanted), i))


def independent(forecast: Forecast, target: Target) -> Choice:
    """Each stage's own decision: its least score, whatever the others do."""
    return Choice(
        np.array([_own(t) for t in forecast.times]),
        "each stage's own decision, whatever the others do",
    )


def _own(times: StageTimes) -> int:
    scores = [
        times.experiment.objective.log_score(float(time), option.parallelism)
        for time, option in zip(times.mean_time, times.options, strict=True)
    ]
    return int(np.argmin(scores))


def uniform(forecast: Forecast, target: Target) -> Choice:
    """One degree and worker type for all stages, the nearest where a stage has no such."""
    choices, names = uniform_choices(forecast)
    excess, value = forecast.judged(choices, target)
    best = int(np.lexsort((value, excess))[0])
    return Choice(
        choices[best], f"{names[best]} for all stages, the best of {len(names)} such plans"
    )


def uniform_choices(forecast: Forecast) -> tuple[Vector, list[str]]:
    """Every plan with one degree and worker type for all stages that take them."""
    kinds = dict.fromkeys((o.parallelism, o.type_name) for t in forecast.times for o in t.options)
    rows, names = [], []
    for degree, kind in kinds:
        rows.append([_nearest(t, degree, kind) for t in forecast.times])
        names.append(f"{degree} workers" if kind is None else f"{degree} workers of {kind}")
    found, first = np.unique(np.array(rows), axis=0, return_index=True)
    return found, [names[i] for i in first]


def _nearest(times: StageTimes, degree: int, kind: str | None) -> int:
    alike = [i for i, o in enumerate(times.options) if o.type_name == kind]
    among = alike or range(len(times.options))
    return min(among, key=lambda i: (abs(times.options[i].parallelism - degree), i))
