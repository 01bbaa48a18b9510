"""What planners choose, and what a plan says."""

import itertools

import measured
import numpy as np
import pytest

from arbo_bo.errors import InvalidValueError, UnknownPlannerError, WorkflowError
from arbo_bo.planning import Budget, Deadline, Mean, Percentile, WorkerType, Workflow
from arbo_bo.planning.goals import Target
from arbo_bo.planning.histories import Histories
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.planners.chance import solved
from arbo_bo.planning.planners.registry import available, planner_of
from arbo_bo.planning.planners.relaxation import relaxed_choices
from arbo_bo.planning.planners.search import best_of, improved, useful_options
from arbo_bo.planning.predicted import predicted

LAWS = {
    "a": lambda s: 10 + 300 / s,
    "b": lambda s: 5 + 100 / s,
    "c": lambda s: 5 + 200 / s,
    "d": lambda s: 20.0,
}


def diamond(**given):
    wf = Workflow("w", **given)
    wf.stage("a", parallelism=(1, 16))
    wf.stage("b", after=["a"], parallelism=(1, 16))
    wf.stage("c", after=["a"], parallelism=(1, 16))
    wf.stage("d", after=["b", "c"], parallelism=[1])
    return wf


def histories():
    return Histories([measured.history(f"w.{name}", law) for name, law in LAWS.items()])


@pytest.fixture(scope="module")
def known():
    return predicted(diamond(), histories())


@pytest.mark.parametrize("name", available())
def test_every_planner_names_an_allowed_degree_for_every_stage(known, name):
    plan = make_plan(known, Deadline(120), name)
    assert list(plan) == ["a", "b", "c", "d"]
    assert plan["d"].parallelism == 1
    assert plan.planner == name


def test_deadline_is_kept_as_likely_as_asked(known):
    plan = make_plan(known, Deadline(120, probability=0.9))
    assert plan.feasible
    assert plan.probability >= 0.9
    assert plan.makespan.quantile_s(0.9) <= 120


def test_deadline_is_kept_at_less_than_any_plan_of_one_degree_costs(known):
    ours, uniform = (make_plan(known, Deadline(100), p) for p in ("chance", "uniform"))
    assert ours.cost.mean <= uniform.cost.mean


def test_later_deadline_costs_no_more(known):
    costs = [make_plan(known, Deadline(d)).cost.mean for d in (80, 110, 150, 250)]
    assert costs == sorted(costs, reverse=True)


def test_infeasible_deadline_is_answered_with_the_nearest_one(known):
    plan = make_plan(known, Deadline(40))
    assert not plan.feasible
    assert plan.probability < 0.95
    nearest = make_plan(known, Deadline(plan.nearest_deadline_s * 1.02))
    assert nearest.feasible


def test_least_expected_makespan_takes_every_worker_that_helps(known):
    plan = make_plan(known, Mean())
    assert plan.makespan.mean_s <= make_plan(known, Deadline(90)).makespan.mean_s


def test_median_is_what_the_50th_percentile_minimises(known):
    assert make_plan(known, Percentile(50)).makespan.quantile_s(0.5) == pytest.approx(
        make_plan(known, Mean()).makespan.quantile_s(0.5), rel=0.02
    )


def test_budget_needs_prices(known):
    with pytest.raises(InvalidValueError, match="price"):
        make_plan(known, Budget(1.0))


def priced():
    wf = Workflow("w")
    types = {
        "small": WorkerType(1, 4, price_per_hour=0.05, startup_s=5),
        "large": WorkerType(4, 16, price_per_hour=0.20, startup_s=60),
    }
    wf.stage("a", parallelism=(1, 16), worker_types=types)
    wf.stage("b", after=["a"], parallelism=(1, 16), worker_types=types)
    return predicted(wf, histories())


def test_budget_buys_the_fastest_plan_that_it_pays_for():
    known = priced()
    cheap, dear = (make_plan(known, Budget(usd)) for usd in (0.0072, 0.02))
    assert cheap.feasible
    assert cheap.cost.quantile(0.95) <= 0.0072
    assert dear.makespan.mean_s < cheap.makespan.mean_s
    assert dear.cost.unit == "usd"


def test_critical_stage_goes_on_with_its_critical_parents_workers():
    plan = make_plan(priced(), Deadline(200))
    assert plan["b"].parallelism <= plan["a"].parallelism
    assert plan["b"].worker == "a"


def test_stage_that_cannot_fit_is_named():
    wf = Workflow("w", capacity=4)
    wf.stage("huge", parallelism=[8, 16])
    with pytest.raises(WorkflowError, match="'huge' needs 8 workers or more, and there are 4"):
        predicted(wf, Histories())


def test_other_workflows_take_from_the_capacity():
    wf = diamond(capacity=20)
    alone = make_plan(predicted(wf, histories(), samples=64), Mean())
    beside = make_plan(predicted(wf, histories(), samples=64, cluster_load=12), Mean())
    assert max(s.parallelism for s in beside.stages) <= 8
    assert beside.makespan.mean_s > alone.makespan.mean_s


def test_unknown_planner_is_refused_with_those_that_exist(known):
    with pytest.raises(UnknownPlannerError, match="chance"):
        make_plan(known, Deadline(100), "oracle")


def test_plan_is_frozen_and_its_samples_are(known):
    plan = make_plan(known, Deadline(120))
    with pytest.raises(AttributeError):
        plan.feasible = False
    with pytest.raises(ValueError, match="read-only"):
        plan.makespan.samples[0] = 0.0


def test_criticality_slack_and_neighbours_are_explained(known):
    plan = make_plan(known, Deadline(120))
    assert plan["a"].criticality == 1.0
    text = plan.explain()
    assert "critical path: a -> " in text
    assert "next cheaper: " in text
    assert "next faster: " in text
    assert plan.faster.cost > plan.cost.mean


def random_workflow(rng):
    stages = int(rng.integers(3, 6))
    wf, found = Workflow("r"), []
    degrees = [1, 2, 3, 4, 6, 8]
    for i in range(stages):
        parents = rng.choice(i, min(i, int(rng.integers(0, 3))), replace=False)
        wf.stage(f"s{i}", after=[f"s{j}" for j in parents], parallelism=degrees)
        serial, work = rng.uniform(1, 10), rng.uniform(20, 200)
        law = lambda s, a=serial, b=work: a + b / s  # noqa: E731
        found.append(measured.history(f"r.s{i}", law, degrees=(1, 4, 8), seed=i))
    return predicted(wf, Histories(found), samples=128)


@pytest.mark.parametrize("seed", range(6))
def test_search_comes_within_2_per_cent_of_the_enumerated_optimum(seed):
    rng = np.random.default_rng(seed)
    known = random_workflow(rng)
    every = np.array(list(itertools.product(range(6), repeat=len(known))))
    reached = known.reached(every, 0.95)
    target = Target.of(Deadline(float(np.quantile(reached, rng.uniform(0.02, 0.5)))))
    optimum = best_of(known, target, every)
    assert optimum.excess <= 0
    assert solved(known, target)[0].value == pytest.approx(optimum.value)
    start = best_of(known, target, relaxed_choices(known, target))
    found = improved(known, target, start, useful_options(known))
    assert found.excess <= 0
    assert found.value <= 1.02 * optimum.value


def test_planners_of_other_packages_have_a_protocol(known):
    choice = planner_of("uniform")(known, Target.of(Deadline(100)))
    assert choice.options.shape == (4,)
