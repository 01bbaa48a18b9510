"""What no choice depends on, and what every choice is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from playing import HERE, completed, noisy, runs

from arbo_bo.experiment import (
    AmdahlLaw,
    Context,
    Experiment,
    MaxCost,
    MaxExecutionTime,
    Objective,
    SearchSpace,
    Strategy,
)
from arbo_bo.generation import generate

SPACE = SearchSpace.between(1, 24)
FREE = ("knowledge_gradient", "expected_cost", "expected_improvement", "lcb", "risk_averse",
        "thompson")  # fmt: skip
BOUND = ("deadline", "budget", "constrained_improvement")
names = st.sampled_from((*FREE, *BOUND))
seeds = st.integers(0, 9999)


def levels(name, unit=1.0, price=1.0):
    """The service levels that an acquisition function is about."""
    deadline = MaxExecutionTime(90 * unit, confidence=0.9)
    budget = MaxCost(0.1 * unit * price, price_per_worker_hour=0.4 * price, confidence=0.9)
    both = deadline, budget
    return {"deadline": deadline, "budget": budget, "constrained_improvement": both}.get(name, ())


def task(name, objective=None, space=SPACE, unit=1.0, price=1.0, **settings):
    strategy = Strategy(name, levels(name, unit, price), **settings)
    return Experiment(
        "t", search_space=space, objective=objective or Objective(), strategy=strategy
    )


def history(seed, unit=1.0):
    """Two to twelve runs of some law with some noise, the first at 1 worker."""
    rng = np.random.default_rng(seed)
    law = AmdahlLaw(unit * 300, float(rng.uniform(0.4, 0.99)), float(unit * rng.uniform(0, 20)))
    degrees = [1, 5, *rng.integers(1, 25, rng.integers(0, 11)).tolist()]
    return runs(degrees, noisy(float(rng.choice([0.0, 0.03, 0.1, 0.3])), seed, law))


def decide(experiment, trials, context=HERE):
    return generate(experiment, trials, context).decision


def lost(one, other):
    """How much of the acquisition function's value the other decision's degree loses."""
    values = {c.parallelism: c.value for c in one.candidates}
    return values[one.parallelism] - values[other.parallelism]


def strategies():
    slo = st.sampled_from(
        [(), MaxExecutionTime(60), MaxExecutionTime(5), MaxCost(0.05, price_per_worker_hour=0.4),
         (MaxExecutionTime(80), MaxCost(0.05, price_per_worker_hour=0.4))]
    )  # fmt: skip
    return st.builds(
        Strategy,
        acquisition=st.sampled_from(("auto", *FREE)),
        slo=slo,
        search=st.sampled_from(["all", "up_to_1.2", "up_to_1.5", "around", "efficiency"]),
        guard=st.sampled_from([None, 0.5, 0.95]),
        pin=st.sampled_from([None, 3, 30]),
        dry_run=st.booleans(),
    )


@settings(max_examples=40, deadline=None)
@given(
    strategies(), st.sets(st.integers(1, 40), min_size=1, max_size=6), st.floats(0.4, 2), seeds,
    st.integers(0, 12),
)  # fmt: skip
def test_chosen_degree_is_always_allowed(strategy, degrees, urgency, seed, seen):
    space = SearchSpace.of(sorted(degrees))
    experiment = replace(task("lcb", Objective(urgency), space), strategy=strategy)
    assert decide(experiment, history(seed)[:seen]).parallelism in space


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([1e-3, 60.0, 3600.0, 1e6]), names, seeds, st.floats(0.4, 2.0))
def test_unit_of_time_does_not_change_a_choice_when_the_levels_scale_with_it(
    unit, name, seed, urgency
):
    one, other = (
        decide(task(name, Objective(urgency), unit=u), history(seed, u)) for u in (1.0, unit)
    )
    assert lost(one, other) < 1e-3


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1e3), names, seeds, st.floats(0.4, 2.0))
def test_common_price_factor_does_not_change_a_choice(factor, name, seed, urgency):
    trials = history(seed)
    one, other = (
        decide(task(name, Objective(urgency, price_per_worker_hour=0.4 * f), price=f), trials)
        for f in (1.0, factor)
    )
    assert lost(one, other) < 1e-6


@settings(max_examples=40, deadline=None)
@given(names, seeds, st.randoms(use_true_random=False), st.booleans())
def test_order_of_trials_does_not_change_a_choice_when_the_base_run_is_fixed(
    name, seed, random, of_sizes
):
    trials = history(seed)
    experiment = task(name)
    if of_sizes:
        experiment = replace(experiment, model=replace(experiment.model, base_input_size=10.0))
        trials = [
            replace(t, context=Context(s, 0.0), execution_time_s=t.execution_time_s * s / 10)
            for t, s in zip(trials, (10.0, *[5.0, 20.0, 40.0] * 4), strict=False)
        ]
    order = list(range(1, len(trials)))
    random.shuffle(order)
    shuffled = [replace(trials[j], trial_index=i) for i, j in enumerate([0, *order])]
    one, other = (decide(experiment, ts) for ts in (trials, shuffled))
    assert lost(one, other) < 1e-3


@pytest.mark.parametrize("newest", ["slow", "fast"])
def test_order_of_trials_matters_when_the_speed_has_changed(newest):
    """Of two levels the newest counts: that is what following a change of speed means."""
    degrees, time_of = (1, 5, 8, 12, 5, 8), noisy(0.02, 1, AmdahlLaw(300.0, 0.93, 5.0))
    fast = runs(degrees, time_of)
    slow = [replace(t, execution_time_s=3 * t.execution_time_s) for t in fast]
    ordered = [*fast, *slow] if newest == "slow" else [*slow, *fast]
    trials = [completed(i, t.parallelism, t.execution_time_s) for i, t in enumerate(ordered)]
    predicted = decide(task("expected_cost"), trials).candidates[7].prediction.mean_s
    expected = AmdahlLaw(300.0, 0.93, 5.0).runtime_s(8) * (3 if newest == "slow" else 1)
    assert predicted == pytest.approx(expected, rel=0.1)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(30, 250), st.floats(1, 3), st.floats(0.5, 0.99), seeds, st.floats(0.4, 2),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_laxer_deadline_never_costs_more_once_the_stricter_one_is_feasible(
    strict, factor, confidence, seed, urgency, priced, with_budget
):
    objective = Objective(urgency, price_per_worker_hour=0.4 if priced else None)
    budget = (MaxCost(0.2, price_per_worker_hour=0.4, confidence=0.9),) if with_budget else ()
    trials = history(seed)
    first, second = (
        decide(
            replace(
                task("expected_cost", objective),
                strategy=Strategy("expected_cost", (MaxExecutionTime(t, confidence), *budget)),
            ),
            trials,
        )
        for t in (strict, strict * factor)
    )
    before = {row.parallelism: row for row in first.explain().rows}
    feasible = {c.parallelism for c in first.candidates if c.keeps_slo}
    assume(first.parallelism in feasible)
    in_money = priced or with_budget
    costs = [
        row.cost if in_money else row.score
        for row in (before[first.parallelism], before[second.parallelism])
    ]
    assert costs[1] <= costs[0] * (1 + 1e-9)
