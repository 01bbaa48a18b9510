"""Databases that earlier releases made are upgraded, and keep what they hold.

`saved/REVISION.DATABASE.sql` was written by the release of that revision: five runs of load_sales
(completed, completed, failed, abandoned, running) and one of nightly in another namespace.
"""

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.experiment import TrialStatus
from arbo_bo.storage import schema
from arbo_bo.storage.store import SQLTrialStore

UPGRADE = """
import sys
from arbo_bo.storage import SQLTrialStore, migrate
print("ready", flush=True)
sys.stdin.readline()
print(SQLTrialStore(sys.argv[1]).upgrade()[0])
"""
SAVED = Path(__file__).with_name("saved")


@pytest.fixture(params=schema.REVISIONS[:-1])
def saved_url(request, store_url):
    """URL of a database as a release left it."""
    kind = "sqlite" if store_url.startswith("sqlite") else "postgresql"
    script = (SAVED / f"{request.param}.{kind}.sql").read_text()
    if kind == "sqlite":
        connection = sqlite3.connect(store_url.removeprefix("sqlite:///"))
        connection.executescript(script)
    else:
        connection = psycopg2.connect(store_url)
        connection.cursor().execute(script)
        connection.commit()
    connection.close()
    return store_url


@pytest.fixture
def upgraded(saved_url):
    with SQLTrialStore(saved_url) as store:
        before, after = store.upgrade()
        assert before != after == store.schema_version() == schema.REVISIONS[-1]
        yield store


def test_saved_trials_are_kept_when_their_database_is_upgraded(upgraded):
    trials = upgraded.trials("load_sales")
    assert [(t.trial_index, t.parallelism, t.execution_time_s) for t in trials[:2]] == [
        (0, 1, 100.0),
        (1, 5, 28.0),
    ]
    assert [t.status for t in trials] == [
        TrialStatus.COMPLETED,
        TrialStatus.COMPLETED,
        TrialStatus.FAILED,
        TrialStatus.ABANDONED,
        TrialStatus.RUNNING,
    ]
    assert trials[2].failure_reason == "exit status 1\nno space"
    assert {t.idempotency_key for t in trials} == {None}
    assert len({t.trial_id for t in trials} - {None}) == len(trials)
    assert {t.decision for t in trials} == {t.reason for t in trials} == {None}


def test_saved_tasks_are_kept_when_their_database_is_upgraded(upgraded, saved_url):
    experiment = upgraded.experiment("load_sales")
    assert (experiment.window, experiment.search_space.largest) == (40, 16)
    assert experiment.model.law is not None
    assert (experiment.model.sample_count, experiment.model.base_input_size) == (2, 2.5e9)
    with SQLTrialStore(saved_url, namespace="team ü") as other:
        assert [t.execution_time_s for t in other.trials("nightly")] == [12.0]


def test_upgraded_database_works_on_as_a_new_one(upgraded):
    arbo = ArboOptimizer(upgraded)
    decision = arbo.suggest("load_sales", idempotency_key="run 7")
    arbo.complete_trial("load_sales", decision.trial_index, execution_time_s=20.0)
    assert decision.trial_index == 5
    assert upgraded.experiment("load_sales").model.sample_count == 3


def test_upgrade_is_done_once_when_two_processes_upgrade_at_once(saved_url):
    command = [sys.executable, "-c", UPGRADE, saved_url]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    assert [p.stdout.readline() for p in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    befores = sorted(p.communicate(timeout=120)[0].strip() for p in processes)
    newest = schema.REVISIONS[-1]
    assert [p.returncode for p in processes] == [0, 0]
    assert befores[-1] == newest != befores[0]
