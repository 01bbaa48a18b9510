"""Old trials go, and no decision changes."""

from datetime import UTC, datetime, timedelta

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import TrialStatus
from arbo_bo.storage.pruning import prune

NOW = datetime.now(UTC)
DAY_S = 86400.0


@pytest.fixture
def old(store, trial, completed):
    """A task of window 3: 40 closed trials of four kinds, one a day, and two open ones."""
    ArboOptimizer(store).configure_experiment("t", window=3)

    def ended(make, age, **changed):
        moment = NOW - timedelta(days=age)
        return make(created_at=moment, started_at=moment, finished_at=moment, **changed)

    def kinds(age):
        return [
            ended(lambda **k: completed(100.0 + age, 5.0, **k), age),
            ended(lambda **k: completed(1.0, 9.0, **k), age, exclusion_reason="odd"),
            ended(trial, age, status=TrialStatus.FAILED),
            ended(trial, age, status=TrialStatus.ABANDONED),
        ]

    store.add("t", [trial(created_at=NOW - timedelta(days=99)) for _ in range(2)])
    store.add("t", [one for age in range(10, 0, -1) for one in kinds(age)])
    return store


def counts(store):
    found = [t.status for t in store.trials("t") if t.exclusion_reason is None]
    excluded = sum(t.exclusion_reason is not None for t in store.trials("t"))
    names = ("COMPLETED", "FAILED", "ABANDONED", "RUNNING")
    return [*(sum(s == name for s in found) for name in names), excluded]


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"keep_last": 5}, [5, 5, 5, 2, 5]),
        ({"keep_last": 0}, [3, 3, 0, 2, 0]),
        ({"older_than_s": 6.5 * DAY_S}, [6, 6, 6, 2, 6]),
        ({"older_than_s": 0.5 * DAY_S}, [3, 3, 0, 2, 0]),
        ({"keep_last": 8, "older_than_s": 6.5 * DAY_S}, [8, 8, 8, 2, 8]),
        ({"keep_last": 2, "older_than_s": 6.5 * DAY_S}, [6, 6, 6, 2, 6]),
        ({"older_than_s": 1e200}, [10, 10, 10, 2, 10]),
        ({"keep_last": 100}, [10, 10, 10, 2, 10]),
    ],
)
def test_newest_and_open_and_training_trials_stay(old, limits, left):
    gone = {"t": 42 - sum(left)} if sum(left) < 42 else {}
    assert prune(old, **limits, dry_run=True) == gone
    assert counts(old) == [10, 10, 10, 2, 10]
    assert prune(old, **limits) == gone
    assert counts(old) == left
    assert prune(old, **limits) == {}


def test_newest_are_those_that_stay(old):
    prune(old, keep_last=0)
    trained = [t.execution_time_s for t in old.trials("t") if t.trains]
    assert trained == [103.0, 102.0, 101.0]


def test_what_was_learned_stays_and_so_does_the_next_index(old, trial):
    before, history = old.experiment("t"), old.history("t", 3)
    prune(old, keep_last=0)
    assert old.experiment("t") == before
    assert old.history("t", 3) == history
    (added,) = old.add("t", [trial()])
    assert added.trial_index == 42


def test_decision_is_the_same_afterwards(store):
    arbo = ArboOptimizer(store)
    arbo.configure_experiment("t", parallelism=(1, 8), window=4)
    rows = [{"parallelism": s, "execution_time_s": 5 + 90 / s} for s in (1, 2, 4, 8, 8, 4, 6, 5)]
    arbo.attach_trials("t", rows)
    before = arbo.decide("t")
    assert prune(store, keep_last=1) == {"t": 4}
    assert arbo.decide("t") == before


def test_other_namespaces_are_left_alone(old):
    from arbo_bo.storage.store import SQLTrialStore

    url = old.database.url.render(hide_password=False)
    with SQLTrialStore(url, "theirs") as theirs:
        assert prune(theirs, keep_last=0) == {}
    assert counts(old) == [10, 10, 10, 2, 10]


@pytest.mark.parametrize("limits", [{}, {"keep_last": -1}, {"older_than_s": 0.0}])
def test_limits_are_refused_when_they_say_nothing(store, limits):
    with pytest.raises(InvalidValueError):
        prune(store, **limits)
