"""How long a store is waited for, and what a second attempt does."""

import os
import signal
import sqlite3
from itertools import chain, repeat

import psycopg2
import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.errors import (
    ArboError,
    InvalidValueError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from arbo_bo.experiment import Experiment, Outcome
from arbo_bo.storage import patience
from arbo_bo.storage.store import SQLTrialStore


@pytest.fixture
def no_pauses(monkeypatch):
    """Back-off that takes no time, and a clock that counts it."""
    slept = []
    monkeypatch.setattr(patience.time, "sleep", slept.append)
    monkeypatch.setattr(patience.time, "monotonic", lambda: sum(slept))
    return slept


@pytest.fixture
def held(store, store_url, task):
    """Another connection that holds the lock of the task."""
    if store_url.startswith("sqlite"):
        holder = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
    else:
        holder = psycopg2.connect(store_url)
        holder.cursor().execute("SELECT * FROM task_models FOR UPDATE")
    yield holder
    holder.close()


def lose_answer(store):
    """Lets the next commit succeed, and breaks the connection before its answer is read."""

    pool = store.database._pool()
    connection = pool.take()
    commit = connection.commit

    def commit_and_break():
        commit()
        del connection.commit
        raise StoreUnavailableError("the answer was lost")

    connection.commit = commit_and_break
    pool.give_back(connection)


def test_suggestion_times_out_when_another_process_holds_the_task(store, task, held):
    arbo = ArboOptimizer(store)
    with pytest.raises(StoreTimeoutError, match=r"within 0\.2 s.*held the lock of") as caught:
        arbo.suggest(task, deadline_s=0.2)
    held.close()
    assert (f"task {task!r}" in str(caught.value)) == (store.database.kind == "postgresql")
    assert arbo.suggest(task).trial_index == 0


def test_suggestion_times_out_when_the_server_hangs(postgresql_url):
    with SQLTrialStore(postgresql_url) as store:
        store.configure("a", lambda _: Experiment("a"))
        pids = store.database.read(lambda t: t.text("SELECT pg_backend_pid() AS pid"))
        process = pids[0]["pid"]
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(StoreTimeoutError, match=r"within 0\.2 s"):
                ArboOptimizer(store).suggest("a", deadline_s=0.2)
        finally:
            os.kill(process, signal.SIGCONT)
        assert ArboOptimizer(store).suggest("a").trial_index == 0


def test_advice_is_the_default_when_the_store_hangs(store, task, caplog, monkeypatch):
    def hangs(*_):
        raise StoreTimeoutError("the store did not answer within 5 s")

    monkeypatch.setattr(store, "experiment", hangs)
    assert ArboOptimizer(store).get_optimal_parallelism(task, 7) == 7
    assert "did not answer within 5 s" in caplog.text


@pytest.mark.parametrize("value", [0, -1, float("nan"), "soon", None])
def test_deadline_is_refused_when_it_is_no_time(store, value):
    with pytest.raises(InvalidValueError, match="deadline"):
        ArboOptimizer(store).suggest("t", deadline_s=value)


def test_trial_is_added_once_when_the_answer_was_lost(store, task, trial):
    lose_answer(store)
    (added,) = store.add(task, [trial()])
    assert [t.trial_index for t in store.trials(task)] == [added.trial_index] == [0]


def test_trial_is_started_once_when_the_answer_was_lost(store, task, trial):
    lose_answer(store)
    started, is_new = store.start(task, trial())
    assert is_new
    assert [t.trial_index for t in store.trials(task)] == [started.trial_index] == [0]


def test_trial_counts_once_when_the_answer_to_its_completion_was_lost(store, task, trial):
    store.add(task, [trial()])
    lose_answer(store)
    store.change(task, 0, lambda t: t.complete(Outcome(3.0)))
    assert store.experiment(task).model.sample_count == 1


@pytest.mark.parametrize("failures", [1, 4])
def test_change_is_tried_again_when_the_failure_passes(store, task, trial, no_pauses, failures):
    store.add(task, [trial()])
    problems = chain(repeat(StoreUnavailableError("restarting"), failures), repeat(None))

    def complete(found):
        if (problem := next(problems)) is not None:
            raise problem
        return found.complete(Outcome(3.0))

    assert store.change(task, 0, complete).execution_time_s == 3.0
    assert len(no_pauses) == failures


def test_pauses_grow_and_end_when_the_failure_stays(store_url, no_pauses):
    def fail(_):
        raise StoreUnavailableError("restarting")

    with SQLTrialStore(store_url, retry_s=10) as store:
        store.configure("a", lambda _: Experiment("a"))
        with pytest.raises(StoreUnavailableError, match="restarting"):
            store.database.write(fail, retries=True)
    assert no_pauses[0] <= 0.05 < no_pauses[-1] <= 2.0
    assert 8 < sum(no_pauses) <= 10


def test_change_is_not_tried_again_when_the_failure_will_not_pass(no_pauses):
    with (
        SQLTrialStore("sqlite:////no/such/folder/arbo.db") as store,
        pytest.raises(StoreUnavailableError, match="does not exist"),
    ):
        store.change("a", 0, lambda trial: trial)
    assert no_pauses == []


@pytest.mark.parametrize("value", [-1, float("nan"), "1"])
def test_retry_time_is_refused_when_it_is_no_time(value):
    with pytest.raises(ArboError, match="retry_s"):
        SQLTrialStore("sqlite://", retry_s=value)
