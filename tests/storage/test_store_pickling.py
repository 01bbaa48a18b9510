"""A used optimizer in another process: pickled, or forked beside threads."""

import multiprocessing
import pickle
import threading

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.errors import StoreError

FORK = multiprocessing.get_context("fork")


def test_used_optimizer_works_after_it_was_pickled(store_url):
    with ArboOptimizer(store_url, namespace="team") as arbo:
        decision = arbo.suggest("t")
        with pickle.loads(pickle.dumps(arbo)) as copy:
            assert copy.complete_trial("t", decision, execution_time_s=2.0).is_open is False
            assert copy.store.namespace == "team"


def test_password_is_not_in_the_pickle_and_comes_from_the_environment(monkeypatch):
    url = "postgresql://ada:Qz7k9X@db/arbo?sslpassword=Qz7k9Y&sslmode=require"
    pickled = pickle.dumps(ArboOptimizer(url))
    assert b"Qz7k9" not in pickled
    assert pickle.loads(pickled).store.database.url.password is None
    monkeypatch.setenv("ARBO_DATABASE_URL", url)
    assert pickle.loads(pickled).store.database.url.password == "Qz7k9X"
    monkeypatch.setenv("ARBO_DATABASE_URL", url.replace("@db", "@other"))
    assert pickle.loads(pickled).store.database.url.password is None


def test_database_in_memory_is_not_pickled():
    with ArboOptimizer("sqlite://") as arbo, pytest.raises(StoreError, match="cannot be pickled"):
        pickle.dumps(arbo)


def complete_one(arbo):
    arbo.attach_trial("t", parallelism=1, execution_time_s=1.0)


def test_children_succeed_when_they_are_forked_beside_busy_threads(store_url):
    with ArboOptimizer(store_url) as arbo:
        complete_one(arbo)
        stop, counts = threading.Event(), []

        def busy():
            done = 0
            while not stop.is_set():
                complete_one(arbo)
                done += 1
            counts.append(done)

        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = [FORK.Process(target=complete_one, args=(arbo,)) for _ in range(12)]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
        stop.set()
        for thread in threads:
            thread.join()
        assert [child.exitcode for child in children] == [0] * 12
        assert len(arbo.trials("t")) == 1 + sum(counts) + 12
