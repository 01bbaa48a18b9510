"""Failures are evidence: of the degree, of the time limit, or of a bad night."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    MaxExecutionTime,
    Objective,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate

ACQUISITIONS = [
    "auto",
    "expected_cost",
    "expected_improvement",
    "lcb",
    "risk_averse",
    "thompson",
]


def nightly(nights, outcome, degrees=(1, 2, 4, 8, 16), default=4, **settings):
    """Plays nights: `outcome` maps (night, degree) to a time, or to a dict of a failed trial."""
    experiment = Experiment(
        "nightly",
        search_space=SearchSpace.of(degrees),
        default_parallelism=default,
        objective=Objective(2.0),
    ).changed(settings)
    trials, decisions = [], []
    for night in range(nights):
        generated = generate(experiment, trials, Context(1e9, 0.0))
        decisions.append(generated.decision)
        trials.append(ended(night, generated.decision.parallelism, outcome))
        if generated.learned is not None:
            found = generated.learned
            model = replace(experiment.model, law=found.law, hyperparameters=found.hyperparameters)
            experiment = replace(experiment, model=model)
    return trials, decisions


def ended(night, degree, outcome):
    told = outcome(night, degree)
    if isinstance(told, dict) and "execution_time_s" not in told:
        status, values = TrialStatus.FAILED, told
    else:
        values = told if isinstance(told, dict) else {"execution_time_s": told}
        status = TrialStatus.COMPLETED
    return Trial("nightly", night, status, Arm(degree), Context(1e9, 0.0), Phase.OPTIMIZE, **values)


def failures(trials):
    return sum(t.status is TrialStatus.FAILED for t in trials[3:])


def time_s(s):
    return 10.0 + 1000 / s


def killed_above(limit):
    killed = {"failure_reason": "OOMKilled, exit code 137"}
    return lambda _, s: time_s(s) if s <= limit else killed


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_degree_that_is_killed_is_left_alone(acquisition):
    trials, decisions = nightly(25, killed_above(4), acquisition=acquisition)
    assert failures(trials) <= 2
    assert [t.parallelism for t in trials[-4:]] == [4] * 4
    assert "out of" in decisions[-1].reason
    assert "OOMKilled" in decisions[-1].reason


def test_degree_below_which_runs_are_killed_is_left_alone():
    killed = {"failure_reason": "OOMKilled"}
    trials, _ = nightly(20, lambda _, s: time_s(s) if s >= 8 else killed)
    assert failures(trials) <= 2
    assert min(t.parallelism for t in trials[-8:]) >= 8


def test_degree_that_succeeds_on_a_retry_only_counts_as_failing():
    def outcome(_, s):
        if s <= 4:
            return time_s(s)
        return {"execution_time_s": time_s(s) + 600, "exclusion_reason": "retried: map index [5]"}

    trials, _ = nightly(25, outcome)
    assert sum(t.parallelism > 4 for t in trials[3:]) <= 2


def test_time_limit_speaks_against_degrees_that_are_too_slow():
    limit = 300.0

    def outcome(_, s):
        slow = {"failure_reason": "timed out", "timed_out_after_s": limit}
        return time_s(s) if time_s(s) <= limit else slow

    trials, _ = nightly(15, outcome)
    assert failures(trials) <= 1
    assert time_s(trials[-1].parallelism) <= limit


def test_outage_bans_no_degree():
    def outcome(night, s):
        return {"failure_reason": "connection refused"} if 8 <= night < 13 else time_s(s)

    trials, _ = nightly(30, outcome)
    before = trials[7].parallelism
    assert {t.parallelism for t in trials[-5:]} == {before}


def test_default_runs_and_says_so_when_everything_fails():
    down = {"failure_reason": "no such table"}
    trials, decisions = nightly(22, lambda night, s: time_s(s) if night < 8 else down)
    assert [t.parallelism for t in trials[-3:]] == [4] * 3
    assert "runs fail at every degree lately (no such table)" in decisions[-1].reason


@pytest.mark.parametrize("settings", [{}, {"baseline": False}, {"guard": 0.8}])
def test_default_runs_and_says_so_when_no_run_has_ever_succeeded(settings):
    bug = {"failure_reason": "a bug in the code"}
    trials, decisions = nightly(10, lambda *_: bug, **settings)
    assert [t.parallelism for t in trials[-5:]] == [4] * 5
    assert "default degree" in decisions[-1].reason
    assert "(a bug in the code) at every degree that was tried" in decisions[-1].reason
    if not settings.get("baseline", True):
        assert 1 not in {t.parallelism for t in trials}


def test_few_of_many_runs_at_the_same_moment_open_and_the_others_take_the_default():
    experiment = Experiment("bf", search_space=SearchSpace.of((1, 32)), default_parallelism=4)
    running = []
    for index in range(14):
        degree = generate(experiment, running, Context(1e9, 0.0)).decision.parallelism
        arm, context = Arm(degree), Context(1e9, 0.0)
        running.append(Trial("bf", index, TrialStatus.RUNNING, arm, context, Phase.PROBE))
    assert [t.parallelism for t in running] == [1] + [4] * 13


def test_failed_degree_is_tried_again_rarely_when_its_limit_was_lifted():
    def outcome(night, s):
        killed = {"failure_reason": "OOMKilled"}
        return killed if night < 10 and s > 4 else time_s(s)

    trials, _ = nightly(80, outcome)
    assert max(t.parallelism for t in trials[40:]) > 4


def test_service_level_counts_a_failed_run_as_missed():
    trials, _ = nightly(6, killed_above(4))
    experiment = Experiment(
        "nightly", search_space=SearchSpace.of([1, 2, 4, 8, 16]), default_parallelism=4
    ).changed({"slo": MaxExecutionTime(150.0, 0.9)})
    decision = generate(experiment, trials, Context(1e9, 0.0)).decision
    (sixteen,) = (c for c in decision.candidates if c.parallelism == 16)
    assert sixteen.slo_probability < 0.9
    assert not sixteen.keeps_slo


def test_candidates_tell_the_probability_of_success():
    trials, _ = nightly(6, killed_above(4))
    experiment = Experiment(
        "nightly", search_space=SearchSpace.of([1, 2, 4, 8, 16]), default_parallelism=4
    )
    candidates = generate(experiment, trials, Context(1e9, 0.0)).decision.candidates
    told = [c.success_probability for c in candidates]
    assert np.diff(told)[2:].max() < 0
    assert "likely to fail: failed 1 time out of 1" in candidates[-1].excluded


def test_rule_gives_way_when_all_that_it_leaves_fails():
    trials, _ = nightly(20, killed_above(4), search="around", eta=0.9)
    assert max(t.parallelism for t in trials[-5:]) <= 4


def test_guard_gives_way_when_its_default_fails():
    trials, _ = nightly(15, killed_above(4), default=8, guard=0.8)
    assert failures(trials) <= 2
    assert max(t.parallelism for t in trials[-5:]) <= 4


def test_degree_that_keeps_its_deadline_is_not_left_out_for_a_small_risk():
    flaky = {"failure_reason": "connection reset"}
    slo = MaxExecutionTime(200.0, 0.8)
    trials, _ = nightly(20, lambda night, s: flaky if night == 6 and s > 4 else time_s(s), slo=slo)
    assert time_s(trials[-1].parallelism) < 200


def test_time_limit_that_every_degree_nearly_breaks_leaves_the_fastest():
    def outcome(night, s):
        slow = {"failure_reason": "timed out", "timed_out_after_s": 300.0}
        time = time_s(s) * (1 + night / 4)
        return time if time <= 300 else slow

    trials, _ = nightly(16, outcome)
    assert trials[-1].parallelism == 16


def test_runs_that_are_lost_count_as_failed():
    lost = replace(
        ended(2, 16, lambda *_: time_s(16)),
        status=TrialStatus.ABANDONED,
        execution_time_s=None,
        lease_expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    trials = [ended(0, 1, lambda *_: time_s(1)), ended(1, 4, lambda *_: time_s(4))]
    more = [replace(lost, trial_index=i) for i in (2, 3, 4)]
    space = SearchSpace.of([1, 2, 4, 8, 16])
    experiment = Experiment("nightly", search_space=space, default_parallelism=4)
    decision = generate(experiment, [*trials, *more], Context(1e9, 0.0)).decision
    assert decision.candidates[-1].success_probability < 0.3


def test_nothing_is_told_of_failures_when_there_are_none():
    _, decisions = nightly(5, lambda _, s: time_s(s))
    assert {c.success_probability for c in decisions[-1].candidates} == {None}
