"""A goal and a forecast in, a plan out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from arbo_bo.errors import InvalidValueError
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.arrangements import USUAL, Arranged, arranged, optimization_of
from arbo_bo.planning.distributions import CostDistribution, TimeDistribution
from arbo_bo.planning.forecast import Evaluation, Forecast
from arbo_bo.planning.goals import Deadline, Target, upper_quantile
from arbo_bo.planning.neighbours import next_plans
from arbo_bo.planning.paths import around
from arbo_bo.planning.plan import Made, Plan, StagePlan
from arbo_bo.planning.planners.registry import RECOMMENDED, Choice, Planner, planner_of

CHECKS = 3
"""How often a choice that fails in samples that it was not chosen by is chosen anew, with the
probability asked for raised by what was missing: the best of many choices owes some of its
probability to the samples."""
OTHER_SEED = 1


def make_plan(
    forecast: Forecast,
    goal: Any,
    planner: str = RECOMMENDED,
    optimizations: Iterable[str] = USUAL,
) -> Plan:
    """Plans a workflow.

    Args:
        forecast: What any choice leads to.
        goal: A goal, or several.
        planner: A planner's name.
        optimizations: Names of those that are looked at where the planner arranges nothing itself.

    Raises:
        InvalidValueError: The goal is none, or needs prices that nobody has named.
        UnknownPlannerError: There is no such planner.
    """
    target, choose = Target.of(goal), planner_of(planner)
    if target.budget is not None and forecast.unit != "usd":
        raise InvalidValueError(
            f"a budget needs prices: give the stages of workflow {forecast.workflow.name!r} worker "
            "types with price_per_hour, or configure their tasks with price_per_worker_hour"
        )
    names = tuple(optimizations)
    choice, judged = _chosen(forecast, target, choose, planner, names)
    return plan_of(judged, target, choice, Made(forecast, planner, names))


def _chosen(
    forecast: Forecast, target: Target, choose: Planner, planner: str, names: Sequence[str]
) -> tuple[Choice, Arranged]:
    """A choice, and what it leads to in samples that it was not chosen by."""
    other, asked = forecast.redrawn(OTHER_SEED), target
    best: tuple[Choice, Arranged] | None = None
    least = math.inf
    wanted = [optimization_of(name) for name in names]
    for _ in range(CHECKS):
        choice = choose(forecast, asked)
        if choice.arrangement is not None:
            judged = Arranged(other.arranged(choice.arrangement), {})
        else:
            judged = arranged(other, choice.options, planner, wanted)
        missing = _missing(target, judged.forecast.evaluate(choice.options))
        if missing < least:
            best, least = (choice, judged), missing
        own = forecast.evaluate(choice.options)
        if missing <= 0 or asked.excess(own.makespan, own.cost)[0] > 0:
            break
        asked = _raised(asked, missing)
    assert best is not None
    return best


def _missing(target: Target, found: Evaluation) -> float:
    """How much probability a deadline lacks; 0 or less: none."""
    if target.deadline is None:
        return 0.0
    kept = float((found.makespan <= target.deadline.seconds).mean())
    return target.deadline.probability - kept


def _raised(target: Target, missing: float) -> Target:
    assert target.deadline is not None
    p = target.deadline.probability
    return replace(
        target, deadline=Deadline(target.deadline.seconds, p + min(missing, (1 - p) / 2))
    )


def plan_of(judged: Arranged, target: Target, choice: Choice, made: Made) -> Plan:
    """The plan of a choice, as a forecast sees it.

    Args:
        judged: The forecast, with what workers and data do beside.
        target: The goal.
        choice: What was chosen.
        made: From what, and by whom.
    """
    forecast = judged.forecast
    found = forecast.evaluate(choice.options)
    feasible = bool(target.excess(found.makespan, found.cost)[0] <= 0)
    nearest = None
    if not feasible and target.deadline is not None:
        reached = float(upper_quantile(found.makespan, target.deadline.probability)[0])
        nearest = min(reached, choice.nearest_s or reached)
    cheaper, faster = next_plans(forecast, target, choice.options)
    return Plan(
        workflow=forecast.workflow.name,
        planner=made.planner,
        target=target,
        stages=tuple(_stages(judged, choice, found)),
        makespan=TimeDistribution(found.makespan[0]),
        cost=CostDistribution(found.cost[0], forecast.unit),
        feasible=feasible,
        probability=float(target.probability(found.makespan, found.cost)[0]),
        nearest_deadline_s=nearest,
        why=choice.why,
        cheaper=cheaper,
        faster=faster,
        made=made,
    )


def _stages(judged: Arranged, choice: Choice, found: Evaluation) -> list[StagePlan]:
    forecast = judged.forecast
    critical = forecast.criticality(found)
    slack = _slack(forecast, found)
    rows = []
    for i, own in enumerate(forecast.times):
        option = own.options[choice.options[i]]
        claimed = forecast.arrangement.claims.get(i)
        work = np.broadcast_to(found.durations[i] + found.timing.cold[i], found.makespan.shape)
        rows.append(
            StagePlan(
                name=own.stage.name,
                experiment=own.stage.experiment,
                parallelism=option.parallelism,
                worker_type=option.type_name,
                worker=None if claimed is None else forecast.times[claimed].stage.name,
                start_s=float(found.timing.start[i].mean()),
                duration=TimeDistribution(work[0]),
                criticality=float(critical[i]),
                slack_s=float(slack[i]),
                cost=float(found.costs[i].mean()),
                input_size=own.input_size,
                annotations=judged.annotations.get(i, ()),
            )
        )
    return rows


def _slack(forecast: Forecast, found: Evaluation) -> Vector:
    """How much longer each stage could take before the workflow does, on average [s].

    Under a limit on workers, as if there were none after the stage's start.
    """
    durations = [d[0] for d in found.durations]
    beside = around(forecast.network, found.timing, durations)
    through = beside.before + np.array(durations) + beside.after
    return np.asarray(np.maximum(found.makespan[0] - through, 0.0).mean(1))
