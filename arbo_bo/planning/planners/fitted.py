"""Planners on curves: closed forms of a/s + b, and a fitted curve with uncertain parameters.

Sources: Ditto, C. Jin et al., SIGCOMM 2023, for the ratios; Jolteon, Z. Zhang et al., NSDI 2024,
for the curve and its chance constraint. Both are the published methods' style, on arbo's own
expected times in the place of an offline profile.
"""

from dataclasses import replace

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Target
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.options import StageTimes
from arbo_bo.planning.planners.chance import solved
from arbo_bo.planning.planners.registry import Choice

SCALES = 40
"""Sizes of the whole that the ratios are tried at."""
SEED = 7


def ratio(forecast: Forecast, target: Target) -> Choice:
    """Degrees in series proportional to the root of the work, side by side proportional to it.

    Stages of one depth are side by side. The ratios leave one number open, how many workers there
    are in all: the best under the goal is taken.
    """
    work = np.array([_parallel_work(t) for t in forecast.times])
    depth = forecast.network.depth
    side_by_side = np.bincount(depth, weights=work)[depth]
    share = work / np.sqrt(side_by_side)
    share /= share.max()
    most = max(float(t.workers.max()) for t in forecast.times)
    every = [_at(forecast, share * scale) for scale in np.geomspace(1, most, SCALES)]
    choices = np.unique(np.array(every), axis=0)
    excess, value = forecast.judged(choices, target)
    best = choices[int(np.lexsort((value, excess))[0])]
    return Choice(best, "in series by the root of the work, side by side by the work")


def _parallel_work(times: StageTimes) -> float:
    """A of the least squares fit A/s + b to the first type's expected times."""
    own = _first_type(times)
    if len(own) < 2:
        return float(times.mean_time[own[0]])
    columns = np.stack([1 / times.workers[own], np.ones(len(own))], 1)
    found = np.linalg.lstsq(columns, times.mean_time[own], rcond=None)[0]
    return max(float(found[0]), 1e-9 * float(times.mean_time[own].max()))


def _first_type(times: StageTimes) -> Numbers:
    first = times.options[0].type_name
    return np.array([i for i, o in enumerate(times.options) if o.type_name == first])


def _at(forecast: Forecast, degrees: Vector) -> Numbers:
    """Each stage's option of its first type that is nearest to a degree."""
    return np.array(
        [
            own[int(np.abs(times.workers[own] - wanted).argmin())]
            for times, wanted in zip(forecast.times, degrees, strict=True)
            for own in [_first_type(times)]
        ]
    )


def jolteon(forecast: Forecast, target: Target) -> Choice:
    """A chance constraint over the parameters of a/x + b ln x/x + c/x^2 + d, x being all cores."""
    rng = np.random.default_rng(SEED)
    curves = [_curve(times, rng) for times in forecast.times]
    found, how = solved(forecast.with_times(curves), target)
    return Choice(found.choice, f"by fitted curves a/x + b ln x/x + c/x^2 + d, {how}")


def _curve(times: StageTimes, rng: np.random.Generator) -> StageTimes:
    """The times that the fitted curve gives, its parameters drawn from their own uncertainty."""
    kinds = [o.worker_type for o in times.options]
    x = times.workers * np.array([1.0 if k is None else k.cpus for k in kinds])
    columns = np.stack([1 / x, np.log(x) / x, 1 / x**2, np.ones(len(x))], 1)
    best, _, rank, _ = np.linalg.lstsq(columns, times.mean_time, rcond=None)
    left = times.mean_time - columns @ best
    variance = float(left @ left) / max(len(x) - rank, 1)
    covariance = variance * np.linalg.pinv(columns.T @ columns)
    drawn = rng.multivariate_normal(best, covariance, times.time.shape[1], method="svd")
    least = 1e-3 * float(times.mean_time.min())
    return replace(times, time=np.maximum(columns @ drawn.T, least))
