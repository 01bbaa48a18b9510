"""Stragglers, changes of speed and timeouts, as the decisions of a whole task see them."""

from dataclasses import replace

import pytest
from playing import HERE, LAW, SPACE, configured, noisy, play, regret, runs, timed_out

from arbo_bo.experiment import AmdahlLaw, Arm, MaxExecutionTime
from arbo_bo.generation import generate, predict

SPREAD = (1, 5, 8, 12) * 4
FOLLOWED_AFTER = 4


def decide(trials, experiment=None):
    return generate(experiment or configured(), trials, HERE).decision


def predicted_s(trials, s, experiment=None):
    return predict(experiment or configured(), trials, [Arm(s)], HERE)[0].mean_s


def slower(factor):
    return AmdahlLaw(factor * LAW.t1_s, LAW.p, factor * LAW.c_s)


@pytest.mark.parametrize("acquisition", ["knowledge_gradient", "expected_cost"])
@pytest.mark.parametrize("noise", [0.03, 0.1])
@pytest.mark.parametrize("factor", [1.5, 3.0, 1 / 3])
def test_change_of_speed_is_followed_within_a_handful_of_runs(factor, noise, acquisition):
    experiment, trials = play(configured(acquisition=acquisition), [], 20, noisy(noise))
    after = noisy(noise, 1, slower(factor))
    experiment, trials = play(experiment, trials, FOLLOWED_AFTER, after)
    followed = [predicted_s(trials, s, experiment) for s in (5, 8, 12)]
    assert followed == pytest.approx([factor * LAW.runtime_s(s) for s in (5, 8, 12)], rel=0.15)
    assert regret(decide(trials, experiment).parallelism) < 0.05


@pytest.mark.parametrize("slo", [(), MaxExecutionTime(80, confidence=0.9)], ids=["free", "slo"])
@pytest.mark.parametrize("noise", [0.03, 0.1])
@pytest.mark.parametrize("odd", [0, 6, 13, 15])
def test_one_run_at_ten_times_moves_no_choice(odd, noise, slo):
    experiment, trials = configured(slo=slo), runs(SPREAD, noisy(noise))
    straggler = replace(trials[odd], execution_time_s=10 * trials[odd].execution_time_s)
    without = decide([*trials[:odd], *trials[odd + 1 :]], experiment)
    beside = decide([*trials[:odd], straggler, *trials[odd + 1 :]], experiment)
    assert beside.parallelism == without.parallelism


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
def test_straggler_at_the_chosen_degree_is_followed_by_the_same_choice(noise):
    time_of = noisy(noise)
    experiment, trials = play(configured(acquisition="expected_cost"), [], 15, time_of)
    chosen = decide(trials, experiment).parallelism
    assert sum(t.parallelism == chosen for t in trials) > 1
    straggler = replace(trials[-1], trial_index=15, execution_time_s=10 * time_of(chosen))
    straggler = replace(straggler, arm=replace(straggler.arm, parallelism=chosen))
    assert decide([*trials, straggler], experiment).parallelism == chosen


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest"])
def test_run_that_timed_out_makes_its_degree_slower(residual, mean):
    experiment, trials = configured(residual=residual, mean=mean), runs(SPREAD, noisy(0.03))
    before = predicted_s(trials, 16, experiment)
    cut_off = timed_out(16, 16, 3 * before)
    assert predicted_s([*trials, cut_off], 16, experiment) > 1.2 * before


def test_choice_leaves_a_degree_when_its_runs_time_out():
    trials = runs(SPREAD, noisy(0.03))
    chosen = decide(trials).parallelism
    cut_off = [timed_out(16 + i, chosen, 5 * LAW.runtime_s(chosen)) for i in range(2)]
    assert decide([*trials, *cut_off]).parallelism != chosen


def test_limit_counts_as_a_bound_and_not_as_a_time():
    trials, limit = runs(SPREAD, noisy(0.03)), 2 * LAW.runtime_s(16)
    measured = replace(trials[0], trial_index=16, execution_time_s=limit)
    measured = replace(measured, arm=replace(measured.arm, parallelism=16))
    at_least = predicted_s([*trials, timed_out(16, 16, limit)], 16)
    assert at_least > 1.02 * predicted_s([*trials, measured], 16)


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_timeout_far_below_the_expected_time_changes_nothing(fraction):
    trials = runs(SPREAD, noisy(0.03))
    cut_off = timed_out(16, 8, fraction * LAW.runtime_s(8))
    assert predicted_s([*trials, cut_off], 8) == pytest.approx(predicted_s(trials, 8), rel=0.01)


def test_failed_run_trains_nothing_when_it_was_not_cut_off():
    trials = runs(SPREAD, noisy(0.03))
    failed = replace(timed_out(16, 8, 1e4), timed_out_after_s=None)
    excluded = replace(timed_out(16, 8, 1e4), exclusion_reason="the network was down")
    assert decide([*trials, excluded]) == decide(trials)
    assert decide([*trials, failed]).law == decide(trials).law


def test_deadline_is_kept_less_surely_when_a_run_timed_out_beyond_it():
    experiment = configured(slo=MaxExecutionTime(80, confidence=0.9))
    trials = runs(SPREAD, noisy(0.1))
    before = decide(trials, experiment)
    cut_off = timed_out(16, before.parallelism, 200.0)
    after = decide([*trials, cut_off], experiment)

    def probability(decision):
        at = {c.parallelism: c.slo_probability for c in decision.candidates}
        return at[before.parallelism]

    assert probability(after) < probability(before)
    assert after.parallelism in SPACE
