from dataclasses import replace

import numpy as np
import pytest

from arbo_bo.errors import UnknownAcquisitionError
from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    MaxCost,
    MaxExecutionTime,
    Objective,
    Phase,
    SearchSpace,
    Strategy,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate
from arbo_bo.generation.surrogate import fit
from arbo_bo.numerics.acquisition import utility
from arbo_bo.numerics.choosers import probability_not_worse

HERE = Context(None, 0.0)
LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)
SPACE = SearchSpace.between(1, 24)
NAMES = ("expected_cost", "expected_improvement", "lcb", "risk_averse", "thompson")


def experiment(objective=None, space=SPACE, **strategy):
    return Experiment(
        "t", search_space=space, objective=objective or Objective(), strategy=Strategy(**strategy)
    )


def trial(index, s, time=None, status="COMPLETED"):
    return Trial("t", index, TrialStatus(status), Arm(s), Context(None, 0.0), Phase.OPTIMIZE,
                 execution_time_s=time)  # fmt: skip


def history(degrees=(1, 5, 8, 12), law=LAW, noise=0.03, seed=0, unit=1.0):
    rng = np.random.default_rng(seed)
    return [
        trial(i, s, unit * law.runtime_s(s) * float(np.exp(noise * rng.standard_normal())))
        for i, s in enumerate(degrees)
    ]


def decide(configured, trials=None):
    return generate(configured, history() if trials is None else trials, Context()).decision


@pytest.mark.parametrize("name", NAMES)
def test_decision_is_recorded_with_what_took_it(name):
    decision = decide(experiment(acquisition=name))
    assert decision.acquisition == name
    assert decision.strategy.chooser == name
    best = max(decision.candidates, key=lambda c: (c.value, -c.parallelism))
    assert decision.parallelism == best.parallelism


def test_deadline_takes_the_cheapest_degree_that_keeps_it():
    decision = decide(
        experiment(Objective(0.6), acquisition="deadline", slo=MaxExecutionTime(60, 0.9))
    )
    kept = [c for c in decision.candidates if c.slo_probability >= 0.9]
    assert decision.acquisition == "deadline"
    assert 0 < len(kept) < len(SPACE)
    cheapest = min(kept, key=lambda c: c.log_score)
    assert decision.parallelism == cheapest.parallelism
    assert "it is the cheapest" in decision.reason


def test_budget_takes_the_fastest_degree_that_it_buys():
    slo = MaxCost(0.06, price_per_worker_hour=0.4, confidence=0.9)
    decision = decide(experiment(slo=slo))
    kept = [c for c in decision.candidates if c.slo_probability >= 0.9]
    assert 0 < len(kept) < len(SPACE)
    fastest = min(kept, key=lambda c: c.prediction.mean_s)
    assert decision.parallelism == fastest.parallelism
    assert "it is the fastest" in decision.reason


def test_likeliest_degree_is_taken_and_said_when_nothing_is_feasible():
    decision = decide(experiment(slo=MaxExecutionTime(21)))
    likeliest = max(decision.candidates, key=lambda c: c.slo_probability)
    assert decision.parallelism == likeliest.parallelism == SPACE.largest
    assert "infeasible: no allowed degree keeps 21 s" in decision.reason
    assert "with probability below 0.001" in decision.reason


@pytest.mark.parametrize("name", ["expected_improvement", "lcb", "constrained_improvement"])
def test_running_trial_moves_the_next_one_elsewhere_when_it_explores(name):
    slo = MaxExecutionTime(400) if name == "constrained_improvement" else ()
    configured = experiment(acquisition=name, slo=slo)
    trials = history((1, 3), noise=0.0)
    first = decide(configured, trials)
    second = decide(configured, [*trials, trial(2, first.parallelism, status="RUNNING")])
    assert second.parallelism != first.parallelism


def test_draw_is_the_same_when_the_history_is():
    configured, trials = experiment(acquisition="thompson"), history((1, 4), noise=0.1)
    assert decide(configured, trials) == decide(configured, trials)
    chosen = {
        decide(configured, [replace(t, trial_index=t.trial_index + i) for t in trials]).parallelism
        for i in range(0, 60, 6)
    }
    assert len(chosen) > 1


def test_unknown_acquisition_is_named_when_it_is_no_longer_installed():
    with pytest.raises(UnknownAcquisitionError, match="got 'theirs'"):
        decide(experiment(acquisition="theirs"))


@pytest.mark.parametrize(
    ("rails", "degree"), [({"pin": 7}, 7), ({"dry_run": True}, 5), ({"pin": 7, "dry_run": True}, 7)]
)
def test_fixed_degree_runs_and_the_choice_is_recorded(rails, degree):
    decision, free = decide(experiment(**rails)), decide(experiment())
    assert decision.parallelism == degree
    assert decision.phase is Phase.FIXED
    assert decision.acquisition is None
    assert decision.recommended_parallelism == free.parallelism
    assert decision.prediction.parallelism == degree
    assert f"it would choose {free.parallelism}" in decision.reason


@pytest.mark.parametrize(("rails", "degree"), [({"pin": 7}, 7), ({"dry_run": True}, 5)])
def test_opening_stays_at_the_fixed_degree(rails, degree):
    opening = decide(experiment(**rails), [])
    assert (opening.parallelism, opening.phase) == (degree, Phase.FIXED)
    after = decide(experiment(**rails), [trial(0, degree, LAW.runtime_s(degree))])
    assert after.parallelism == degree
    assert after.recommended_parallelism is not None


def test_pin_gives_way_when_there_are_fewer_workers_now():
    decision = decide(experiment(pin=7, space=SearchSpace.between(1, 4)))
    assert decision.parallelism == 4
    assert "7 is not among the degrees that it may take now" in decision.reason


def test_guard_holds_at_the_default_degree_when_nothing_is_known():
    decision = decide(experiment(guard=0.8), [])
    assert (decision.parallelism, decision.phase) == (5, Phase.PROBE)
    assert "the guard holds" in decision.reason


def test_guard_excludes_degrees_that_may_be_worse():
    trials = history((1, 5), noise=0.0)
    free, held = decide(experiment(), trials), decide(experiment(guard=0.999), trials)
    assert free.parallelism != held.parallelism
    assert "the guard holds here" in held.reason
    assert f"{free.parallelism} would be chosen" in held.reason
    excluded = {c.parallelism for c in held.candidates if c.excluded is not None}
    assert free.parallelism in excluded
    assert 5 not in excluded


def test_guard_lets_go_when_the_improvement_is_sure():
    trials = history((1, 5, 8, 12) * 4, noise=0.01)
    assert decide(experiment(guard=0.8), trials).parallelism > 8


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_guard_is_the_joint_probability(residual):
    configured = replace(experiment(space=SearchSpace.of([3, 5, 8])), residual=residual)
    surrogate = fit(configured, history((1, 5, 9), noise=0.2))
    alternatives = surrogate.alternatives(configured, HERE, configured.arms, [])
    found = probability_not_worse(alternatives)
    belief = surrogate.posterior.at(surrogate.inputs(configured.arms, HERE))
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal(belief.mean, belief.covariance, 100_000)
    times = np.exp(draws) if residual == "multiplicative" else draws
    score = times * np.sqrt([3.0, 5.0, 8.0])
    expected = (score <= score[:, 1:2]).mean(0)
    assert found == pytest.approx(expected, abs=0.01)
    assert found[1] == 1


@pytest.mark.parametrize("rule", ["up_to_1.2", "around", "efficiency"])
def test_rule_bounds_the_choice_and_keeps_the_whole_table(rule):
    space = SearchSpace.of([1, 2, 4, 8, 12, 16, 24])
    decision = decide(experiment(Objective(0.7), space, search=rule, eta=0.5))
    assert [c.parallelism for c in decision.candidates] == list(space.degrees)
    outside = [c for c in decision.candidates if c.excluded]
    assert outside
    assert all(f"search rule {rule}" in c.excluded for c in outside)
    assert decision.parallelism not in {c.parallelism for c in outside}


def test_incumbent_is_one_that_the_rule_allows():
    configured = experiment(Objective(0.7), search="up_to_1.2")
    surrogate = fit(configured, history())
    every = surrogate.alternatives(configured, HERE, configured.arms, [])
    expected, _ = utility(every.degrees, configured.objective)
    best = int(expected.argmax())
    others = [arm for i, arm in enumerate(configured.arms) if i != best]
    within = surrogate.alternatives(configured, HERE, others, [])
    assert within.incumbent() == pytest.approx(np.sort(expected)[-2], abs=1e-12)


def under_a_deadline(acquisition):
    """Twelve workers are known to be in time; seven, never run, most probably are."""
    trials = history((1, 5, *[12] * 8), noise=0.02)
    slo = MaxExecutionTime(1.09 * LAW.runtime_s(7))
    return decide(experiment(Objective(0.6), acquisition=acquisition, slo=slo), trials)


def test_default_tries_a_cheaper_degree_that_is_likely_to_keep_the_deadline():
    strict, trying = under_a_deadline("deadline"), under_a_deadline("auto")
    assert trying.parallelism < strict.parallelism
    chosen = next(c for c in trying.candidates if c.parallelism == trying.parallelism)
    assert 0.8 <= chosen.slo_probability < 0.95
    assert "tried: it is likely to keep" in trying.reason
