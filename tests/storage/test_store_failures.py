"""What a user is told when a database cannot do what was asked."""

import sqlite3

import psycopg2
import pytest

from arbo_bo.errors import (
    InvalidValueError,
    StoreError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreUnavailableError,
    StoreURLError,
)
from arbo_bo.experiment import Arm, Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.storage import patience, sqlite
from arbo_bo.storage.failures import translate
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.url import resolve_url
from arbo_bo.storage.url_parts import parse_url

TRIAL = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.ATTACHED)


@pytest.fixture
def filled(store_url):
    """URL of a store with one task and one trial."""
    with SQLTrialStore(store_url) as store:
        store.configure("a", lambda _: Experiment("a"))
        store.add("a", [TRIAL])
    return store_url


def test_unreachable_server_is_named():
    with pytest.raises(StoreUnavailableError, match=r"u:\*\*\*@127.0.0.1:1/db.*refused"):
        SQLTrialStore("postgresql://u:pw@127.0.0.1:1/db").experiments()


def test_missing_database_is_named(postgresql_url):
    url = postgresql_url.replace("/arbo?", "/nothing?")
    with pytest.raises(StoreUnavailableError, match='"nothing" does not exist'):
        SQLTrialStore(url).experiments()


def test_unknown_parameter_is_a_matter_of_the_url():
    with pytest.raises(StoreURLError, match="invalid"):
        SQLTrialStore("postgresql://127.0.0.1:1/db?nonsense=1").experiments()


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ("/arbo?", "/nothing?", "create that database"),
        ("postgres:@", "nobody:secret@", "check user and password"),
        ("/arbo?host=", "/arbo?sslmode=odd&host=", "mend that part of the URL"),
    ],
)
def test_refusal_is_not_tried_again_and_says_what_to_do(postgresql_url, old, new, remedy):
    assert old in postgresql_url
    with pytest.raises(StoreUnavailableError, match=remedy) as caught:
        SQLTrialStore(postgresql_url.replace(old, new)).experiments()
    assert not caught.value.may_pass
    assert "secret" not in str(caught.value)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreUnavailableError, match=f"folder {tmp_path}/no/where .*create it"):
        SQLTrialStore(f"sqlite:///{tmp_path}/no/where/arbo.db").experiments()


def test_folder_is_no_store(tmp_path):
    with pytest.raises(StoreUnavailableError, match="must be a file, got a folder"):
        SQLTrialStore(f"sqlite:///{tmp_path}").experiments()


def test_missing_file_is_not_created_when_the_url_says_so(tmp_path):
    with pytest.raises(StoreUnavailableError, match="check that the file exists"):
        SQLTrialStore(f"sqlite:///{tmp_path}/arbo.db?mode=rw").experiments()


def test_other_file_is_no_database(tmp_path):
    (tmp_path / "notes.txt").write_text("no database at all\n" * 200)
    with pytest.raises(StoreError, match=r"notes.txt is not an SQLite database"):
        SQLTrialStore(f"sqlite:///{tmp_path}/notes.txt").experiments()


def test_reading_works_and_writing_is_refused_when_the_file_is_opened_read_only(tmp_path):
    url = f"sqlite:///{tmp_path}/arbo.db"
    with SQLTrialStore(url) as store:
        store.configure("a", lambda _: Experiment("a"))
    with SQLTrialStore(f"{url}?mode=ro&uri=true") as store:
        assert len(store.experiments()) == 1
        with pytest.raises(StoreReadOnlyError, match="may not be written to"):
            store.configure("a", lambda _: Experiment("a", window=3))


def test_reading_works_and_writing_is_refused_when_the_server_is_read_only(postgresql_url):
    with SQLTrialStore(postgresql_url) as store:
        store.configure("a", lambda _: Experiment("a"))
    option = "options=-c%20default_transaction_read_only%3Don"
    with SQLTrialStore(f"{postgresql_url}&{option}") as store:
        assert len(store.experiments()) == 1
        with pytest.raises(StoreReadOnlyError, match="read-only transaction"):
            store.configure("a", lambda _: Experiment("a", window=3))


def test_writing_is_refused_when_the_role_may_only_read(postgresql_url):
    with SQLTrialStore(postgresql_url) as store:
        store.experiments()
    with psycopg2.connect(postgresql_url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS only_reader")
        cursor.execute("CREATE ROLE only_reader LOGIN")
        cursor.execute("GRANT USAGE ON SCHEMA public TO only_reader")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reader")
    connection.close()
    with SQLTrialStore(postgresql_url.replace("postgres:@", "only_reader@")) as store:
        assert store.experiments() == []
        with pytest.raises(StoreReadOnlyError, match="permission denied"):
            store.configure("a", lambda _: Experiment("a"))


def test_schema_is_not_created_when_the_role_may_not(postgresql_url):
    option = "options=-c%20default_transaction_read_only%3Don"
    with (
        SQLTrialStore(f"{postgresql_url}&{option}") as store,
        pytest.raises(StoreReadOnlyError),
    ):
        store.experiments()


@pytest.mark.parametrize("sqlite_lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_locked_file_is_reported_when_the_wait_is_over(tmp_path, sqlite_lock):
    url = f"sqlite:///{tmp_path}/arbo.db"
    with SQLTrialStore(url) as store:
        store.configure("a", lambda _: Experiment("a"))
    holder = sqlite3.connect(tmp_path / "arbo.db", isolation_level=None)
    holder.execute(f"BEGIN {sqlite_lock}")
    with SQLTrialStore(f"{url}?timeout=0", retry_s=0) as store:
        with pytest.raises(StoreLockedError, match="try again"):
            store.add("a", [TRIAL])
        holder.execute("ROLLBACK")
        holder.close()
        assert len(store.add("a", [TRIAL])) == 1


def test_locked_row_is_reported_when_the_wait_is_over(postgresql_url):
    with SQLTrialStore(postgresql_url, lock_timeout_s=0.01, retry_s=0) as store:
        store.configure("a", lambda _: Experiment("a"))
        holder = psycopg2.connect(postgresql_url)
        holder.cursor().execute("SELECT * FROM task_models FOR UPDATE")
        with pytest.raises(StoreLockedError, match=r"the lock of task 'a' in .*lock timeout"):
            store.add("a", [TRIAL])
        holder.close()
        assert len(store.add("a", [TRIAL])) == 1


def test_store_in_memory_is_locked_while_a_change_runs():
    with SQLTrialStore("sqlite://", lock_timeout_s=0.01, retry_s=0) as store:
        with pytest.raises(StoreLockedError):
            store.configure("a", lambda _: store.experiment("a"))
        assert store.experiments() == []


def test_lost_connection_undoes_the_change_and_the_next_one_works(postgresql_url):
    def end_other_connections(trial):
        connection = psycopg2.connect(postgresql_url)
        connection.cursor().execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = 'arbo' AND pid <> pg_backend_pid()"
        )
        connection.close()
        return trial.fail("too late")

    with SQLTrialStore(postgresql_url, retry_s=0) as store:
        store.configure("a", lambda _: Experiment("a"))
        store.add("a", [TRIAL])
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            store.change("a", 0, end_other_connections)
        assert store.trial("a", 0).status is TrialStatus.RUNNING


def test_idle_connection_is_replaced_when_the_server_ended_it(postgresql_url):
    with SQLTrialStore(postgresql_url) as store:
        store.experiments()
        connection = psycopg2.connect(postgresql_url)
        connection.cursor().execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = 'arbo' AND pid <> pg_backend_pid()"
        )
        connection.close()
        assert store.experiments() == []


def test_full_disk_is_named_and_nothing_is_written(tmp_path):
    with SQLTrialStore(f"sqlite:///{tmp_path}/arbo.db") as store:
        store.configure("a", lambda _: Experiment("a"))
        store.database.write(lambda t: t.text("PRAGMA max_page_count = 1"))
        with pytest.raises(StoreError, match=r"is full, and nothing was written .*make room"):
            store.add("a", [TRIAL] * 500)
        assert store.trials("a") == []


def test_full_disk_of_a_server_is_named():
    class DiskFullError(Exception):
        pgcode = "53100"

    url = parse_url("postgresql://u:s3cret@host/db")
    said = str(translate(DiskFullError('could not extend file "base/1"'), url))
    assert said.startswith("the disk of postgresql://u:***@host/db is full")


def test_errors_are_one_line(filled):
    with SQLTrialStore(filled) as store:
        bad = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.PROBE)
        object.__setattr__(bad.arm, "parallelism", 0)  # past the check, so that the database looks
        with pytest.raises(StoreError, match="parallelism") as caught:
            store.add("a", [bad])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), "1"])
def test_lock_timeout_must_be_positive(value):
    with pytest.raises(InvalidValueError, match="lock_timeout_s"):
        SQLTrialStore("sqlite://", lock_timeout_s=value)


def test_opening_waits_no_longer_than_the_limit_when_the_file_may_be_locked(tmp_path):
    url = resolve_url(f"sqlite:///{tmp_path / 'arbo.db'}")
    with patience.within(0.25):
        (waits_ms,) = sqlite.connect(url).execute("PRAGMA busy_timeout").fetchone()
    assert waits_ms <= 250
