"""A goal and a forecast in, a plan out."""

from dataclasses import replace
from typing import Any

import numpy as np

from arbo_bo.errors import InvalidValueError
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Evaluation, Forecast
from arbo_bo.planning.goals import Deadline, Target, upper_quantile
from arbo_bo.planning.neighbours import next_plans
from arbo_bo.planning.network import Arrangement, goes_on
from arbo_bo.planning.paths import around
from arbo_bo.planning.plan import CostDistribution, Plan, StagePlan, TimeDistribution
from arbo_bo.planning.planners.registry import RECOMMENDED, Choice, Planner, planner_of

CHECKS = 3
"""How often a choice that fails in samples that it was not chosen by is chosen anew, with the
probability asked for raised by what was missing: the best of many choices owes some of its
probability to the samples."""
OTHER_SEED = 1


def make_plan(forecast: Forecast, goal: Any, planner: str = RECOMMENDED) -> Plan:
    """Plans a workflow.

    Args:
        forecast: What any choice leads to.
        goal: A goal, or several.
        planner: A planner's name.

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
    choice, judged, found = _chosen(forecast, target, choose)
    return plan_of(judged, target, planner, choice, found)


def _chosen(
    forecast: Forecast, target: Target, choose: Planner
) -> tuple[Choice, Forecast, Evaluation]:
    """A choice, and what it leads to in samples that it was not chosen by."""
    other, asked = forecast.redrawn(OTHER_SEED), target
    best: tuple[Choice, Forecast, Evaluation] | None = None
    for _ in range(CHECKS):
        choice = choose(forecast, asked)
        judged = other.arranged(choice.arrangement or claims(forecast, choice.options))
        found = judged.evaluate(choice.options)
        missing = _missing(target, found)
        if best is None or missing < _missing(target, best[2]):
            best = choice, judged, found
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


def claims(forecast: Forecast, choice: Vector) -> Arrangement:
    """Who goes on with whose workers: the stages that are critical most often choose first.

    Each prefers the parent that it waits for most often; a parent's workers go to one stage.
    """
    kept = forecast.arrangement
    if not any(t.startup.any() for t in forecast.times) and not any(
        any(t) for t in forecast.network.transfer
    ):
        return kept
    found = forecast.evaluate(choice)
    critical = forecast.criticality(found)
    loads = [forecast.load(i, choice[None]) for i in range(len(forecast))]
    taken, chosen = set(kept.claims.values()), dict(kept.claims)
    for i in sorted(range(len(forecast)), key=lambda i: (-critical[i], i)):
        able = [
            p
            for p in forecast.network.parents[i]
            if p not in taken and i not in chosen and goes_on(loads[i], loads[p]).all()
        ]
        if able:
            last = np.array([found.timing.finish[p][0] for p in able]).argmax(0)
            chosen[i] = able[int(np.bincount(last, minlength=len(able)).argmax())]
            taken.add(chosen[i])
    return replace(kept, claims=chosen)


def plan_of(
    forecast: Forecast,
    target: Target,
    planner: str,
    choice: Choice,
    found: Evaluation | None = None,
) -> Plan:
    """The plan of a choice, as a forecast sees it.

    Args:
        forecast: With the arrangement of the choice.
        target: The goal.
        planner: Who chose.
        choice: What.
        found: What it leads to; None: it is evaluated here.
    """
    found = found or forecast.evaluate(choice.options)
    feasible = bool(target.excess(found.makespan, found.cost)[0] <= 0)
    nearest = None
    if not feasible and target.deadline is not None:
        reached = float(upper_quantile(found.makespan, target.deadline.probability)[0])
        nearest = min(reached, choice.nearest_s or reached)
    cheaper, faster = next_plans(forecast, target, choice.options)
    return Plan(
        workflow=forecast.workflow.name,
        planner=planner,
        target=target,
        stages=tuple(_stages(forecast, choice, found)),
        makespan=TimeDistribution(found.makespan[0]),
        cost=CostDistribution(found.cost[0], forecast.unit),
        feasible=feasible,
        probability=float(target.probability(found.makespan, found.cost)[0]),
        nearest_deadline_s=nearest,
        why=choice.why,
        cheaper=cheaper,
        faster=faster,
    )


def _stages(forecast: Forecast, choice: Choice, found: Evaluation) -> list[StagePlan]:
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
