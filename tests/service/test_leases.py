"""Runs that never report: their lease expires, and what they say afterwards is still taken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from known_task import run

from arbo_bo import ArboOptimizer
from arbo_bo.errors import InvalidValueError, TrialClosedError
from arbo_bo.experiment import TrialStatus

DAY = timedelta(days=1)


@pytest.fixture
def expire(arbo):
    """Moves the lease of a task's trials into the past."""

    def move(task):
        past = datetime.now(UTC) - timedelta(seconds=1)
        for trial in arbo.trials(task):
            late = replace(trial, lease_expires_at=past)
            arbo.store.change(task, trial.trial_index, lambda _, late=late: late)

    return move


def lease(arbo, task, **settings):
    arbo.configure_experiment(task, **settings)
    decision = arbo.suggest(task)
    trial = arbo.store.trial(task, decision.trial_index)
    return trial.lease_expires_at - trial.started_at


def test_lease_is_a_day_when_nothing_is_predicted(arbo):
    assert abs(lease(arbo, "t") - DAY) < timedelta(minutes=1)


def test_lease_is_the_tasks_own_when_one_is_set(arbo):
    assert abs(lease(arbo, "t", lease_s=600) - timedelta(minutes=10)) < timedelta(minutes=1)


def test_lease_is_ten_times_the_prediction_when_that_is_longer_than_a_day(arbo):
    for _ in range(2):
        decision = arbo.suggest("t")
        arbo.complete_trial("t", decision.trial_index, execution_time_s=30_000.0)
    predicted = timedelta(seconds=arbo.decide("t").predicted_time_s)
    assert abs(lease(arbo, "t") - 10 * predicted) < timedelta(minutes=1)


@pytest.mark.parametrize("value", [0, -1, float("inf"), "1h"])
def test_lease_is_refused_when_it_is_no_time(arbo, value):
    with pytest.raises(InvalidValueError, match="lease_s"):
        arbo.configure_experiment("t", lease_s=value)


def test_expired_run_is_no_load_and_is_abandoned_at_the_next_suggestion(arbo, expire):
    arbo.suggest("t")
    expire("t")
    assert arbo.store.running_workers() == 0
    assert arbo.suggest("another").cluster_load == 0
    trial = arbo.trials("t")[0]
    assert trial.status is TrialStatus.ABANDONED
    assert "lease expired" in trial.failure_reason
    assert trial.finished_at is not None


def test_expired_run_is_left_alone_when_another_namespace_suggests(arbo, expire, store_url):
    arbo.suggest("t")
    expire("t")
    with ArboOptimizer(store_url, namespace="other") as other:
        other.suggest("t")
    assert arbo.trials("t")[0].status is TrialStatus.RUNNING


@pytest.mark.parametrize("kept", ["a second one of this task", "another task"])
def test_other_runs_keep_their_lease_when_one_expires(arbo, expire, kept):
    arbo.suggest("t")
    expire("t")
    other = "t" if kept.startswith("a second") else "u"
    arbo.suggest(other)
    arbo.suggest("v")
    assert arbo.trials(other)[-1].status is TrialStatus.RUNNING


def test_late_completion_is_taken_and_says_so(arbo, expire, caplog):
    decision = arbo.suggest("t")
    expire("t")
    arbo.suggest("u")
    trial = arbo.complete_trial("t", decision.trial_index, execution_time_s=100.0)
    assert trial == arbo.trials("t")[0]
    assert trial.trains
    assert trial.failure_reason.startswith("completed late: its lease expired at 20")
    assert "completed late" in caplog.text
    assert arbo.experiment("t").model.sample_count == 1


def test_late_failure_is_taken(arbo, expire):
    decision = arbo.suggest("t")
    expire("t")
    arbo.suggest("u")
    trial = arbo.mark_trial_failed("t", decision.trial_index, reason="no luck")
    assert (trial.status, trial.failure_reason) == (TrialStatus.FAILED, "no luck")


def test_completion_is_refused_when_a_person_abandoned_the_trial(arbo, expire):
    decision = arbo.suggest("t")
    expire("t")
    arbo.suggest("u")
    arbo.mark_trial_abandoned("t", decision.trial_index, reason="stopped by hand")
    with pytest.raises(TrialClosedError, match="abandoned"):
        arbo.complete_trial("t", decision.trial_index, execution_time_s=1.0)


def test_completion_is_refused_when_the_trial_was_superseded(arbo):
    decision = arbo.suggest("t", run_key="run 1")
    arbo.suggest("t", run_key="run 1")
    with pytest.raises(TrialClosedError, match="abandoned"):
        arbo.complete_trial("t", decision.trial_index, execution_time_s=1.0)


def test_completion_before_the_lease_expires_is_not_late(arbo):
    run(arbo)
    trial = arbo.trials("t")[0]
    assert (trial.failure_reason, trial.lease_expires_at) == (None, None)
