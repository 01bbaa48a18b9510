"""Rows that another client wrote: each is named, and hides no other."""

import json
import os

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main
from arbo_bo.errors import StoreError, StoreUnavailableError
from arbo_bo.experiment import Experiment
from arbo_bo.storage.export import export_lines
from arbo_bo.storage.store import SQLTrialStore

EVERYWHERE = [
    ("strategy", json.dumps({"n": 1}).replace("1", "1" * 5000)),
    ("phase", "odd"),
]
IN_SQLITE = [
    ("strategy", "{not json"),
    ("created_at", "someday"),
    ("parallelism", "many"),
    ("residual_s", "long"),
    ("strategy", "[" * 100_000 + "]" * 100_000),
]


@pytest.fixture
def filled(store, task, completed):
    store.add(task, [completed(1.0), completed(2.0), completed(3.0)])
    return store


@pytest.fixture
def damaged(filled, sql):
    """Puts a value into a column of the second trial, unless the database refuses it."""

    def put(column, value):
        if filled.database.kind == "postgresql" and (column, value) in IN_SQLITE:
            with pytest.raises(StoreError):
                sql(f"UPDATE execution_history SET {column} = :v WHERE trial_index = 1", v=value)
            return None
        sql(f"UPDATE execution_history SET {column} = :v WHERE trial_index = 1", v=value)
        return filled

    return put


@pytest.mark.parametrize(("column", "value"), EVERYWHERE + IN_SQLITE, ids=range(7))
def test_row_that_cannot_be_read_is_named_and_hides_no_other(
    damaged, task, column, value, caplog, capsys
):
    if (store := damaged(column, value)) is None:
        return
    assert [t.trial_index for t in store.trials(task)] == [0, 2]
    assert "1 rows were left out: trial 1 of task 'load_sales' cannot be read" in caplog.text
    assert [t.trial_index for t in store.situation(task).trials] in ([0, 2], [0, 1, 2])
    with pytest.raises(StoreError, match="trial 1 of task 'load_sales' cannot be read"):
        store.trial(task, 1)
    if column != "phase":  # a record of text may hold any
        with pytest.raises(StoreError, match=f"trial 1 .*column {column}"):
            list(export_lines(store))
    url = store.database.url.render(hide_password=False)
    assert main(["doctor", "--json", "--store", url]) == 1
    found = {f["check"]: f for f in json.loads(capsys.readouterr().out)}
    assert found["trials"]["verdict"] == "error"
    assert "trial 1 of task 'load_sales'" in found["trials"]["message"]


def test_task_that_cannot_be_read_hides_no_other(filled, sql, caplog):
    filled.configure("other", lambda _: Experiment("other"))
    sql("UPDATE task_models SET configuration = :c WHERE task_name = 'other'", c="[1]")
    assert [e.name for e in filled.experiments()] == ["load_sales"]
    assert "the configuration of task 'other'" in caplog.text


def test_degree_that_no_trial_can_have_is_no_load(filled, task, sql, trial):
    filled.add(task, [trial(4), trial(3)])
    if filled.database.kind == "postgresql":  # whose column cannot hold more
        return
    sql("UPDATE execution_history SET parallelism = :n WHERE trial_index = 3", n=2**62)
    assert filled.running_workers() == 3
    assert ArboOptimizer(filled).suggest("elsewhere").cluster_load == 3


def test_escapes_never_reach_a_terminal(filled, task, sql, capsys):
    sql("UPDATE execution_history SET failure_reason = :r", r="\x1b[2Jgone")
    assert all("\x1b" not in t.failure_reason for t in filled.trials(task))
    sql("UPDATE arbo_alembic_version SET version_num = :r", r="\x1b[2J9")
    assert main(["tasks", "--store", filled.database.url.render(hide_password=False)]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_abandoning_many_is_one_line(store, task, trial, sql, caplog):
    store.add(task, [trial() for _ in range(2000)])
    sql("UPDATE execution_history SET lease_expires_at = :t", t="2020-01-01 00:00:00.000000")
    caplog.clear()
    assert store.abandon_lapsed() == 2000
    assert [r.name for r in caplog.records] == ["arbo_bo"]
    assert "and 1995 more" in caplog.text


def test_decision_looks_at_a_bounded_number_of_running_trials(store, task, trial):
    store.add(task, [trial() for _ in range(2000)])
    situation = store.situation(task)
    assert len(situation.trials) == 500
    assert situation.running_workers == 8000


def test_floats_are_whole_whatever_the_server_is_set_to(postgresql_url):
    with SQLTrialStore(f"{postgresql_url}&options=-c%20extra_float_digits%3D0") as store:
        ArboOptimizer(store).attach_trial("t", parallelism=1, execution_time_s=1 / 3)
        assert store.trials("t")[0].execution_time_s == 1 / 3


def test_names_beyond_latin_are_an_error_or_right_in_a_latin_database(postgresql_server):
    import psycopg2

    admin = psycopg2.connect(postgresql_server)
    admin.autocommit = True
    admin.cursor().execute("DROP DATABASE IF EXISTS latin")
    admin.cursor().execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    with SQLTrialStore(postgresql_server.replace("/postgres?", "/latin?")) as store:
        assert store.configure("größe", lambda _: Experiment("größe")).name == "größe"
        assert [e.name for e in store.experiments()] == ["größe"]
        with pytest.raises(StoreError, match="refused the change"):
            store.configure("☃", lambda _: Experiment("☃"))
    admin.cursor().execute("DROP DATABASE latin")
    admin.close()


def test_acknowledged_writes_are_on_the_disk_whatever_the_servers_default(postgresql_url):
    with SQLTrialStore(f"{postgresql_url}&options=-c%20synchronous_commit%3Doff") as store:
        store.experiments()
        shown = store.database.write(lambda t: (t.rows("tasks"), t.text("SHOW synchronous_commit")))
        assert shown[1] == [{"synchronous_commit": "on"}]


def test_file_that_was_deleted_is_an_error_and_one_that_was_replaced_is_opened(tmp_path):
    with SQLTrialStore(f"sqlite:///{tmp_path}/a.db") as store:
        store.configure("old", lambda _: Experiment("old"))
        with SQLTrialStore(f"sqlite:///{tmp_path}/b.db") as other:
            other.configure("new", lambda _: Experiment("new"))
        os.unlink(tmp_path / "a.db")
        with pytest.raises(StoreUnavailableError, match="was deleted or moved"):
            store.configure("lost", lambda _: Experiment("lost"))
        os.rename(tmp_path / "b.db", tmp_path / "a.db")
        assert [e.name for e in store.experiments()] == ["new"]
