"""What a store loads, and how it lives with forks and threads."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from arbo_bo.experiment import Arm, Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.storage.store import SQLTrialStore

TRIAL = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.ATTACHED)
LOADED = """
import json, sys
{code}
names = {{name.partition(".")[0] for name in sys.modules}}
print(json.dumps(sorted(names & {{"torch", "numpy", "alembic", "sqlalchemy", "psycopg2"}})))
"""
FORK = """
import json, os, sys
from arbo_bo.errors import StoreError
from arbo_bo.experiment import Arm, Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.storage.store import SQLTrialStore

trial = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.ATTACHED)
store = SQLTrialStore(sys.argv[1])
store.configure("a", lambda _: Experiment("a"))
reader, writer = os.pipe()
child = os.fork()
try:
    found = [store.add("a", [trial])[0].trial_index for _ in range(20)]
except StoreError as err:
    found = str(err)
if child == 0:
    store.close()
    os.write(writer, json.dumps(found).encode())
    os._exit(0)
os.close(writer)
os.waitpid(child, 0)
of_child = json.loads(os.read(reader, 10_000))
found += [store.add("a", [trial])[0].trial_index]
print(json.dumps([found, of_child, len(store.trials("a"))]))
store.close()
"""


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_package_loads_nothing_heavy():
    assert run(LOADED.format(code="import arbo_bo.storage")) == []


def test_store_loads_the_standard_library_alone():
    assert run(LOADED.format(code="import arbo_bo.storage.store")) == []


def test_existing_store_is_used_without_sqlalchemy(store_url):
    with SQLTrialStore(store_url) as store:
        store.configure("a", lambda _: Experiment("a"))
    code = f"""
from arbo_bo.experiment import Arm, Context, Outcome, Phase, Trial
from arbo_bo.storage.store import SQLTrialStore
with SQLTrialStore({store_url!r}) as store:
    store.configure("a", lambda e: e)
    trial = store.start("a", Trial("a", 0, "RUNNING", Arm(4), Context(), Phase.ATTACHED))[0]
    store.change("a", trial.trial_index, lambda t: t.complete(Outcome(2.0)))
    store.situation("a")
"""
    assert set(run(LOADED.format(code=code))) <= {"psycopg2"}


def test_parent_and_child_get_different_trials_after_a_fork(store_url):
    parent, child, count = run(FORK, store_url)
    assert sorted(parent + child) == list(range(41))
    assert count == 41


def test_child_is_told_that_memory_stays_with_the_parent():
    parent, child, count = run(FORK, "sqlite://")
    assert "lives in the process that opened it" in child
    assert (parent, count) == (list(range(21)), 21)


@pytest.mark.parametrize("url", ["sqlite://", None])
def test_threads_get_different_trials(store_url, url):
    with SQLTrialStore(url or store_url) as store, ThreadPoolExecutor(8) as pool:
        store.configure("a", lambda _: Experiment("a"))
        added = list(pool.map(lambda _: store.add("a", [TRIAL])[0].trial_index, range(80)))
        assert sorted(added) == list(range(80))


@pytest.mark.parametrize("url", ["sqlite://", None])
def test_threads_use_an_empty_database_at_once(store_url, url):
    with SQLTrialStore(url or store_url) as store, ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: store.configure("a", lambda e: e or Experiment("a")), range(8))
        )
        assert made == [Experiment("a")] * 8
