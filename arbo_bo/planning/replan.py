"""The plan of the rest of a run that is under way."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.experiment import validation
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.plan import Plan

logger = logging.getLogger("arbo_bo")

WIDTH = 0.5
"""How near a sample must come to a measured time to count, in standard deviations of log T: within
one it weighs a seventh or more."""
CLOSE_S = 1e-6
SEED = 11


def replanned(
    plan: Plan, elapsed_s: float, finished: Mapping[str, float], running: Mapping[str, float]
) -> Plan:
    """See `Plan.replan`."""
    if plan.made is None:
        raise WorkflowError(f"the plan of workflow {plan.workflow!r} cannot be made anew")
    elapsed = validation.non_negative("elapsed_s", elapsed_s)
    forecast = plan.made.forecast
    chosen = _chosen(plan, forecast)
    ends = {_number(forecast, n): _moment(n, t, elapsed) for n, t in finished.items()}
    begun = {_number(forecast, n): _moment(n, t, elapsed) for n, t in running.items()}
    if twice := set(ends) & set(begun):
        name = forecast.times[min(twice)].stage.name
        raise InvalidValueError(f"stage {name!r} is finished or running, not both")
    for i in sorted({*ends, *begun}):
        _require_parents(forecast, i, ends)
    starts = {i: _ready(forecast, i, ends) for i in ends} | begun
    kept = _alike(forecast, chosen, {i: ends[i] - starts[i] for i in ends})
    times = [t.picked(kept) for t in forecast.times]
    for i, end in ends.items():
        spent = np.full(forecast.size, max(end - starts[i], CLOSE_S))
        times[i] = times[i].fixed(chosen[i], spent)
    for i, start in begun.items():
        so_far = elapsed - start
        times[i] = times[i].fixed(chosen[i], _beyond(times[i].time[chosen[i]], so_far))
    release = [starts.get(i, elapsed) for i in range(len(forecast))]
    network = replace(forecast.network, release=release)
    found = make_plan(
        forecast.under_way(times, network), plan.target, plan.made.planner, plan.made.optimizations
    )
    if not found.feasible:
        logger.warning("workflow %s, %.0f s after its start: %s", plan.workflow, elapsed, found)
    return found


def _chosen(plan: Plan, forecast: Forecast) -> list[int]:
    return [forecast.number_of(s.name, s.parallelism, s.worker_type) for s in plan.stages]


def _number(forecast: Forecast, name: str) -> int:
    if name not in forecast.number:
        raise WorkflowError(f"workflow {forecast.workflow.name!r} has no stage {name!r}")
    return forecast.number[name]


def _moment(name: str, value: float, elapsed: float) -> float:
    moment = validation.non_negative(f"the moment of stage {name!r}", value)
    if moment > elapsed:
        raise InvalidValueError(
            f"stage {name!r} is said to have come to {moment:g} s, and only {elapsed:g} s are over"
        )
    return moment


def _require_parents(forecast: Forecast, i: int, ends: Mapping[int, float]) -> None:
    for parent in forecast.network.parents[i]:
        if parent not in ends:
            child, before = (forecast.times[k].stage.name for k in (i, parent))
            raise WorkflowError(f"stage {child!r} has begun, and its parent {before!r} not ended")


def _ready(forecast: Forecast, i: int, ends: Mapping[int, float]) -> float:
    return min(max((ends[p] for p in forecast.network.parents[i]), default=0.0), ends[i])


def _alike(forecast: Forecast, chosen: list[int], spent: Mapping[int, float]) -> Numbers:
    """Samples that agree with what the finished stages took: numbers, drawn by their weight."""
    log_weight = np.zeros(forecast.size)
    for i, seconds in spent.items():
        parts = forecast.load(i, np.array([chosen])).duration[0]
        log_time = np.log(parts)
        width = max(WIDTH * float(log_time.std()), 1e-6)
        log_weight -= 0.5 * ((np.log(max(seconds, CLOSE_S)) - log_time) / width) ** 2
    weight = np.exp(log_weight - log_weight.max())
    ends = np.cumsum(weight / weight.sum())
    at = (np.arange(forecast.size) + np.random.default_rng(SEED).random()) / forecast.size
    return np.asarray(np.searchsorted(ends, np.minimum(at, ends[-1])))


def _beyond(time: Vector, so_far: float) -> Vector:
    """The time given that it is longer than that: the samples that are, each again and again."""
    longer = np.sort(time[time > so_far])
    if not len(longer):
        return np.asarray(so_far + 0.1 * time)
    at = np.random.default_rng(SEED).permutation(len(time)) * len(longer) // len(time)
    return np.asarray(longer[at])
