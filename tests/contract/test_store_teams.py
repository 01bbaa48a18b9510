"""Several teams on one database: namespaces, schemas and roles."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, inspect

from arbo_bo import ArboOptimizer
from arbo_bo.errors import StoreReadOnlyError, StoreURLError
from arbo_bo.storage import migrate, schema
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.url import SCHEMA_VARIABLE, resolve_url

DOCUMENT = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
TO_WORK, TO_DELETE = DOCUMENT.split("```sql\n")[1].split("```")[0].split("--")
"""What the document lets an owner type; the second part begins with a comment."""


def run_sql(url, *statements):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    for statement in statements:
        connection.cursor().execute(statement)
    connection.close()


def test_namespaces_do_not_see_each_other(store_url):
    with ArboOptimizer(store_url) as mine, ArboOptimizer(store_url, namespace="b") as other:
        mine.configure_experiment("t", parallelism=[7])
        mine.suggest("t", idempotency_key="run 1", run_key="dag 1")
        assert other.experiments() == []
        assert other.store.running_workers() == 0
        decision = other.suggest("t", idempotency_key="run 1", run_key="dag 1")
        assert (decision.trial_index, decision.cluster_load, decision.parallelism) == (0, 0, 1)
        assert [t.status for t in mine.trials("t")] == ["RUNNING"]


def test_tables_are_in_the_schema_that_the_url_names(postgresql_url):
    with ArboOptimizer(f"{postgresql_url}&schema=team_a") as team_a:
        team_a.suggest("t")
        assert team_a.store.upgrade()[0] == team_a.store.head_version
    engine = create_engine(resolve_url(postgresql_url).render(hide_password=False))
    seen = inspect(engine)
    assert "execution_history" in seen.get_table_names(schema="team_a")
    assert seen.get_table_names(schema="public") == []
    engine.dispose()


def test_schema_that_another_process_just_made_is_found(postgresql_url):
    store = resolve_url(f"{postgresql_url}&schema=team_c")
    with (
        closing(psycopg2.connect(postgresql_url)) as first,
        closing(psycopg2.connect(postgresql_url)) as later,
        ThreadPoolExecutor(1) as thread,
    ):
        migrate.lock(later, "team_c", 10)
        assert migrate.revision(later) is None  # which the server's session remembers
        later.rollback()
        migrate.lock(first, "team_c", 10)

        def next_in_turn():
            migrate.lock(later, "team_c", 10)
            return migrate.revision(later)

        waiting = thread.submit(next_in_turn)
        until = time.monotonic() + 20
        while not is_waiting(postgresql_url):
            assert time.monotonic() < until
        table = schema.qualified(schema.VERSION_TABLE, store)
        first.cursor().execute(
            f"CREATE SCHEMA team_c; CREATE TABLE {table} (version_num text); "
            f"INSERT INTO {table} VALUES ('0001')"
        )
        first.commit()
        assert waiting.result() == "0001"
        later.rollback()


def is_waiting(url):
    """Whether a session waits for a lock that others agreed on."""
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'")
        return cursor.fetchone()[0] > 0


def test_schemas_do_not_see_each_other(postgresql_url, monkeypatch):
    with ArboOptimizer(f"{postgresql_url}&schema=team_a") as team_a:
        team_a.suggest("t")
    with ArboOptimizer(postgresql_url) as public:
        assert public.experiments() == []
    monkeypatch.setenv(SCHEMA_VARIABLE, "team_a")
    with ArboOptimizer(postgresql_url) as again:
        assert [e.name for e in again.experiments()] == ["t"]
        assert "schema=team_a" in again.store.masked_url


@pytest.mark.parametrize("schema", ["1st", "a;b", 'a"b', "a.b", "x" * 64])
def test_schema_is_refused_when_it_is_no_name(schema):
    with pytest.raises(StoreURLError, match="schema"):
        resolve_url(f"postgresql://host/db?schema={schema}")


def test_role_without_ddl_works_after_the_upgrade(postgresql_url):
    with SQLTrialStore(postgresql_url) as owner:
        owner.upgrade()
    run_sql(postgresql_url, "DROP ROLE IF EXISTS worker", "CREATE ROLE worker LOGIN", TO_WORK)
    with ArboOptimizer(postgresql_url.replace("postgres:@", "worker@")) as worker:
        decision = worker.suggest("t", idempotency_key="a", run_key="b")
        worker.complete_trial("t", decision.trial_index, execution_time_s=2.0)
        assert worker.get_optimal_parallelism("t", 3) >= 1
        assert worker.rename_experiment("t", "u").name == "u"
        with pytest.raises(StoreReadOnlyError, match="permission denied"):
            worker.delete_experiment("u")
        run_sql(postgresql_url, f"--{TO_DELETE}")
        worker.delete_experiment("u")
        assert worker.experiments() == []
