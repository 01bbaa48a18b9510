"""A run that is under way."""

import logging

import measured
import pytest

from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.planning import Deadline, Workflow
from arbo_bo.planning.histories import Histories
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.pareto import pareto_front
from arbo_bo.planning.predicted import predicted


@pytest.fixture(scope="module")
def plan():
    wf = Workflow("w")
    for name, after in (("a", []), ("b", ["a"]), ("c", ["b"])):
        wf.stage(name, after=after, parallelism=(1, 16))
    known = [measured.history(f"w.{n}", lambda s: 5 + 200 / s, noise=0.1) for n in "abc"]
    return make_plan(predicted(wf, Histories(known)), Deadline(200))


def test_slow_start_is_made_up_for_by_what_has_not_begun(plan):
    late = plan["a"].duration.quantile_s(0.95) * 1.3
    again = plan.replan(late, finished={"a": late})
    assert again["a"].parallelism == plan["a"].parallelism
    assert again["c"].parallelism > plan["c"].parallelism
    assert again.feasible


def test_running_stage_keeps_its_degree_and_lasts_longer_than_it_has(plan):
    ended = plan["a"].duration.mean_s
    again = plan.replan(ended + 90, finished={"a": ended}, running={"b": ended})
    assert again["b"].parallelism == plan["b"].parallelism
    assert again["b"].duration.samples.min() >= 90


def test_fast_start_saves_money(plan):
    early = plan["a"].duration.quantile_s(0.05) / 1.5
    again = plan.replan(early, finished={"a": early})
    assert again["c"].cost + again["b"].cost < plan["c"].cost + plan["b"].cost


def test_deadline_that_is_not_likely_any_more_is_warned_of(plan, caplog):
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        again = plan.replan(180, finished={"a": 180})
    assert not again.feasible
    assert "not kept" in caplog.text


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"finished": {"z": 1}}, WorkflowError),
        ({"finished": {"b": 1}}, WorkflowError),
        ({"finished": {"a": 50}}, InvalidValueError),
        ({"finished": {"a": 5}, "running": {"a": 1}}, InvalidValueError),
        ({"running": {"a": -1}}, InvalidValueError),
    ],
)
def test_what_cannot_have_happened_is_refused(plan, given, error):
    with pytest.raises(error):
        plan.replan(10, **given)


def test_front_goes_from_the_fastest_to_the_cheapest(plan):
    front = pareto_front(plan.made.forecast, points=5)
    costs = [p.cost.mean for p in front]
    times = [p.makespan.quantile_s(0.95) for p in front]
    assert costs == sorted(costs, reverse=True)
    assert times == sorted(times)
    assert len(front) >= 4
