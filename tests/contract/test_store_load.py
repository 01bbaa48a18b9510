"""The load over a run, from the times of the runs beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.experiment import Context, Experiment, Outcome, TrialStatus, drafts
from arbo_bo.experiment import trial as trial_module
from arbo_bo.storage import transaction

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
FAR = datetime.now(UTC) + timedelta(days=30)


def at(minutes):
    return None if minutes is None else NOON + timedelta(minutes=minutes)


@pytest.fixture
def beside(store, task, trial):
    """Adds a run of another task from one minute to another; None: it goes on."""
    store.configure("other", lambda _: Experiment("other"))

    def add(workers, start, end, status=TrialStatus.COMPLETED, **changed):
        time = 1.0 if status is TrialStatus.COMPLETED else None
        made = trial(workers, status, execution_time_s=time, **changed)
        times = {"started_at": at(start), "finished_at": at(end), "lease_expires_at": FAR}
        store.add("other", [replace(made, **(times | changed))])

    return add


def mean_load(store, task, trial, start=0, end=10, **changed):
    own = trial(3, started_at=at(start), lease_expires_at=FAR)
    (own,) = store.add(task, [replace(own, **({"context": Context(None, 0.0)} | changed))])
    done = store.change(task, own.trial_index, lambda t: t.complete(Outcome(1.0), at(end)))
    assert store.trial(task, own.trial_index) == done
    return done.mean_cluster_load


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 10, 8.0),
        (-60, 70, 8.0),
        (2, 7, 4.0),
        (-5, 5, 4.0),
        (9, 99, 0.8),
        (-5, 0, 0.0),
        (10, 15, 0.0),
        (5, 4, 0.0),
    ],
)
def test_load_is_weighted_by_overlap(store, task, trial, beside, start, end, expected):
    beside(8, start, end)
    assert mean_load(store, task, trial) == pytest.approx(max(expected, 0.0), abs=1e-4)


def test_load_is_the_sum_over_all_runs_beside_it(store, task, trial, beside):
    beside(8, 0, 5)
    beside(4, 0, 10, TrialStatus.FAILED)
    beside(2, 5, None, TrialStatus.RUNNING)
    assert mean_load(store, task, trial) == pytest.approx(4 + 4 + 1, abs=1e-4)


def test_load_is_nothing_when_nothing_ran_beside_it(store, task, trial):
    assert mean_load(store, task, trial) == 0


def test_abandoned_runs_are_no_load(store, task, trial, beside):
    beside(8, 0, 10, TrialStatus.ABANDONED)
    beside(4, 0, None, TrialStatus.RUNNING, lease_expires_at=at(5))
    assert mean_load(store, task, trial) == 0


def test_other_runs_of_the_same_task_are_load(store, task, trial):
    store.add(task, [trial(4, started_at=at(0), lease_expires_at=FAR)])
    assert mean_load(store, task, trial) == pytest.approx(4.0, abs=1e-4)


def test_load_of_another_namespace_is_not_seen(store, store_url, task, trial, beside):
    beside(8, 0, 10)
    with type(store)(store_url, namespace="other") as other:
        other.configure(task, lambda _: Experiment(task))
        assert mean_load(other, task, trial) == 0


def test_load_is_unknown_when_the_clock_went_back(store, task, trial, beside):
    beside(8, -5, 5)
    assert mean_load(store, task, trial, start=5, end=0) is None


def test_load_that_the_caller_knew_is_kept(store, task, trial, beside):
    beside(8, 0, 10)
    assert mean_load(store, task, trial, mean_cluster_load=40.0) == 40.0


def test_load_stays_unknown_when_its_source_did_not_know(store, task, trial, beside):
    beside(8, 0, 10)
    assert mean_load(store, task, trial, context=Context()) is None


@pytest.fixture
def clock(monkeypatch):
    """Sets this host's clock wrong by some time; the database's stays right."""

    def set_off(by):
        class Wrong(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + by

        for module in (trial_module, drafts, transaction):
            monkeypatch.setattr(module, "datetime", Wrong)

    return set_off


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("wrong", ["own", "other"])
def test_load_is_that_of_the_databases_clock_when_a_hosts_clock_is_wrong(
    postgresql_url, clock, wrong, hours
):
    def act(whose, act):
        clock(timedelta(hours=hours if whose == wrong else 0))
        return act()

    with ArboOptimizer(postgresql_url) as arbo:
        arbo.configure_experiment("other", parallelism=[8])
        own = act("own", lambda: arbo.suggest("t"))
        other = act("other", lambda: arbo.suggest("other"))
        act("other", lambda: arbo.complete_trial("other", other, execution_time_s=1.0))
        done = act("own", lambda: arbo.complete_trial("t", own, execution_time_s=1.0))
        ran = arbo.trials("other")[0]
    beside_s = (ran.finished_at - ran.started_at).total_seconds()
    expected = 8 * beside_s / (done.finished_at - done.started_at).total_seconds()
    assert 0 < expected < 8
    assert done.mean_cluster_load == pytest.approx(expected, abs=0.01)
    moments = (done.created_at, done.started_at, done.finished_at, ran.started_at)
    assert all(abs(datetime.now(UTC) - moment) < timedelta(minutes=1) for moment in moments)
