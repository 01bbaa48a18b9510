"""Every verb, its connection broken at each statement: done once, or refused."""

import psycopg2
import pytest

from arbo_bo.errors import ArboError, ExperimentNotFoundError, InvalidValueError
from arbo_bo.experiment import Arm, Context, Experiment, Outcome, Phase, Trial, TrialStatus
from arbo_bo.storage.archive import import_csv, import_lines
from arbo_bo.storage.connection import ConnectionLostError
from arbo_bo.storage.export import export_csv, export_lines
from arbo_bo.storage.store import SQLTrialStore

RUNNING = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(None, 1.0), Phase.ATTACHED)


@pytest.fixture
def store(store_url):
    with SQLTrialStore(store_url, retry_s=0) as opened:
        opened.configure("a", lambda _: Experiment("a"))
        opened.start("a", RUNNING)
        yield opened


class Breaking:
    """Loses the answer to one call of a store's connections: after it was done, or before."""

    def __init__(self, store, monkeypatch, call, done):
        self.calls, self.call, self.done = 0, call, done
        connection = store.database._pool().take()
        self.kind = type(connection)
        store.database._pool().give_back(connection)
        for name in ("execute", "execute_many", "commit"):
            monkeypatch.setattr(self.kind, name, self._wrapped(getattr(self.kind, name)))

    def _wrapped(self, method):
        def breaking(connection, *arguments):
            self.calls += 1
            if self.calls != self.call:
                return method(connection, *arguments)
            if self.done:
                method(connection, *arguments)
            if self.done and method.__name__ == "commit":
                raise ConnectionLostError("the answer was lost")
            connection.close()
            raise ConnectionLostError("the connection was lost")

        breaking.__name__ = method.__name__
        return breaking


def broken_everywhere(monkeypatch, store, verb, check):
    """Runs the verb with each call broken in turn; `check` looks at what came of each."""
    call = 0
    while True:
        call += 1
        for done in (False, True):
            with monkeypatch.context() as patch:
                breaking = Breaking(store, patch, call, done)
                try:
                    answer = verb()
                except ArboError as err:
                    answer = err
            if breaking.calls < call:
                return call
            check(answer)


def test_rename_to_a_taken_name_is_refused_wherever_the_connection_breaks(store, monkeypatch):
    store.configure("taken", lambda _: Experiment("taken"))

    def check(answer):
        assert isinstance(answer, InvalidValueError)
        assert [e.name for e in store.experiments()] == ["a", "taken"]

    assert broken_everywhere(monkeypatch, store, lambda: store.rename("a", "taken"), check) >= 3


def test_rename_is_done_once_wherever_the_connection_breaks(store, monkeypatch):
    def check(answer):
        assert answer.name == "b"
        assert [e.name for e in store.experiments()] == ["b"]
        store.rename("b", "a")

    assert broken_everywhere(monkeypatch, store, lambda: store.rename("a", "b"), check) > 3


def test_delete_of_what_is_not_there_is_refused_wherever_the_connection_breaks(store, monkeypatch):
    def check(answer):
        assert isinstance(answer, ExperimentNotFoundError)

    assert broken_everywhere(monkeypatch, store, lambda: store.delete("no"), check) >= 2


def test_delete_is_done_wherever_the_connection_breaks(store, monkeypatch):
    def check(answer):
        assert answer is None
        assert store.experiments() == []
        store.configure("a", lambda _: Experiment("a"))

    assert broken_everywhere(monkeypatch, store, lambda: store.delete("a"), check) > 3


@pytest.mark.parametrize(
    ("export", "take_in"), [(export_lines, import_lines), (export_csv, import_csv)]
)
def test_import_is_done_once_wherever_the_connection_breaks(store, monkeypatch, export, take_in):
    lines = [line.replace('"a"', '"b"').replace("\na,", "\nb,") for line in export(store, ["a"])]
    lines = ["b," + line[2:] if line.startswith("a,") else line for line in lines]

    def check(answer):
        assert answer == (1, 1)
        assert len(store.trials("b")) == 1
        store.delete("b")

    broken_everywhere(monkeypatch, store, lambda: take_in(store, lambda: lines), check)


def test_completion_counts_once_wherever_the_connection_breaks(store, monkeypatch):
    def verb():
        trial = store.start("a", RUNNING)[0]
        return store.change("a", trial.trial_index, lambda t: t.complete(Outcome(2.0)))

    def check(answer):
        assert answer.status is TrialStatus.COMPLETED
        trials = store.trials("a")
        assert store.experiment("a").model.sample_count == sum(t.trains for t in trials)
        assert sum(t.status is TrialStatus.RUNNING for t in trials) == 1

    assert broken_everywhere(monkeypatch, store, verb, check) > 8


def test_nobody_waits_long_when_a_transaction_says_nothing_more(postgresql_url, monkeypatch):
    from arbo_bo.storage import postgresql

    monkeypatch.setattr(postgresql, "IDLE_TIMEOUT_S", 0.2)
    with SQLTrialStore(postgresql_url) as partitioned, SQLTrialStore(postgresql_url) as other:
        partitioned.configure("a", lambda _: Experiment("a"))
        pool = partitioned.database._pool()
        connection = pool.take()
        connection.begin(writes=True)
        connection.execute("SELECT * FROM task_models FOR UPDATE", {})
        assert other.configure("a", lambda e: Experiment("a", window=7)).window == 7
        with pytest.raises(psycopg2.OperationalError, match="idle-in-transaction"):
            connection.execute("SELECT 1", {})
        connection.close()
