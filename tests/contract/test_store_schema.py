"""The schema: made by the migrations, the same as the tables, checked at first use."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from arbo_bo.errors import SchemaVersionError
from arbo_bo.experiment import Experiment
from arbo_bo.storage import migrate, schema
from arbo_bo.storage.statements import statements
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.tables import metadata
from arbo_bo.storage.url import resolve_url


@pytest.fixture
def connection(store_url):
    """A connection of its own, past the store."""
    engine = create_engine(resolve_url(store_url).render(hide_password=False))
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def read_constraints(connection):
    seen = inspect(connection)
    return {
        table: (
            {c["name"]: c["sqltext"] for c in seen.get_check_constraints(table)},
            {c["name"]: c["column_names"] for c in seen.get_unique_constraints(table)},
            {c["name"]: c["options"] for c in seen.get_foreign_keys(table)},
            {i["name"]: i["column_names"] for i in seen.get_indexes(table)},
            seen.get_pk_constraint(table)["name"],
        )
        for table in metadata.tables
    }


def test_rebuilding_a_table_keeps_the_trials_that_refer_to_it(store, task, trial, monkeypatch):
    store.add(task, [trial(), trial()])

    def rebuild(connection):
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("task_models", recreate="always") as table:
            table.alter_column("alpha", nullable=True)

    if store.masked_url.startswith("sqlite"):  # the other database alters tables in place
        monkeypatch.setattr(migrate, "migrate", rebuild)
        monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "next"))
        store.upgrade()
    assert len(store.trials(task)) == 2


def test_migrations_make_what_the_tables_say(store, task, connection):
    options = {"version_table": schema.VERSION_TABLE, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    assert compare_metadata(context, metadata) == []


def test_migrations_make_the_same_constraints_as_the_tables(store, task, connection):
    migrated = read_constraints(connection)
    metadata.drop_all(connection)
    metadata.create_all(connection)
    assert read_constraints(connection) == migrated
    assert len(migrated["execution_history"][0]) == 14
    connection.rollback()


def test_revisions_are_those_of_the_migrations(store, task, connection):
    scripts = ScriptDirectory.from_config(migrate.configuration(connection))
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == schema.REVISIONS


def test_database_is_empty_until_the_first_use(store):
    assert store.schema_version() is None
    store.experiments()
    assert store.schema_version() == store.head_version == "0004"


def test_upgrade_tells_the_revisions_before_and_after(store):
    assert store.upgrade() == (None, "0004")
    assert store.upgrade() == ("0004", "0004")


def test_store_works_again_after_it_was_closed(store, task):
    store.close()
    assert store.experiment(task) == Experiment(task)


def test_older_schema_names_the_command(store, task, sql, store_url, monkeypatch):
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002", "0003", "0004", "0005"))
    with (
        SQLTrialStore(store_url) as opened,
        pytest.raises(SchemaVersionError, match=r"arbo db upgrade --store .*/") as caught,
    ):
        opened.experiments()
    assert "needs 0005" in str(caught.value)


@pytest.mark.parametrize("use", [SQLTrialStore.experiments, SQLTrialStore.upgrade])
def test_newer_schema_asks_for_a_newer_arbo_bo(store, task, sql, store_url, use):
    sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with (
        SQLTrialStore(store_url) as opened,
        pytest.raises(SchemaVersionError, match=r"9999.?, newer .*upgrade arbo_bo"),
    ):
        use(opened)


def test_another_alembic_user_is_left_alone(store, connection):
    with connection.begin():
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('airflow')"))
    store.experiments()
    assert connection.execute(text("SELECT * FROM alembic_version")).all() == [("airflow",)]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("history", "ix_execution_history_namespace_task_name_status_trial_index"),
        ("running", "ix_execution_history_running"),
    ],
)
def test_decisions_read_by_index(store, task, completed, trial, connection, statement, index):
    store.add(task, [completed(1.0)] * 1000 + [trial()])
    kind = store.database.kind
    if kind == "postgresql":  # which takes a new table for a small one
        connection.execute(text("ANALYZE"))
        connection.commit()
    explain = "EXPLAIN QUERY PLAN" if kind == "sqlite" else "EXPLAIN"
    explained = f"{explain} {statements(kind)[statement]}"
    plan = store.database.read(lambda t: t.text(explained, name=task, window=5))
    lines = "\n".join(str(row) for row in plan)
    assert index in lines
    assert "Seq Scan" not in lines
    assert "SCAN execution_history\n" not in lines
