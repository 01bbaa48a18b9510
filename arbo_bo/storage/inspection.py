"""What a store's owner wants to know of its database; nothing is changed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Executable, delete, false, insert, select, text, update

from arbo_bo.errors import StoreError, StoreReadOnlyError
from arbo_bo.storage import codec
from arbo_bo.storage.schema import REVISIONS, VERSION_TABLE
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.tables import execution_history, task_models

_history = execution_history.c
DELETION = "delete from"


class Inspection:
    """Questions to the database of a store.

    Args:
        store: The store.
    """

    def __init__(self, store: SQLTrialStore) -> None:
        self._store, self._database = store, store._database
        self.masked_url, self.namespace = store.masked_url, store.namespace

    def server(self) -> str:
        """Which server answers, and in which version.

        Raises:
            StoreError: None does.
        """

        def work(connection: Connection) -> str:
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
            connection.execute(text("SELECT 1"))
            return f"{connection.dialect.name} {version}"

        return self._database._run(work, writes=False)

    def damage(self) -> str | None:
        """What SQLite finds wrong in the file; None: nothing, or another database system."""

        def work(connection: Connection) -> str | None:
            if connection.dialect.name != "sqlite":
                return None
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
            return None if found == "ok" else " ".join(str(found).split())

        return self._database._run(work, writes=False)

    def schema_versions(self) -> tuple[str | None, str]:
        """The database's revision (None: it is empty), and the one that is needed."""
        return self._database.schema_version(), REVISIONS[-1]

    def is_newer(self, revision: str) -> bool:
        """Whether a later version of arbo_bo made it."""
        return revision not in REVISIONS

    def missing_rights(self) -> Iterator[str]:
        """What the user may not do to the tables; each is tried on no row at all."""
        missing = False
        for verb, statement in _attempts():

            def attempt(connection: Connection, tried: Executable = statement) -> None:
                connection.execute(tried)

            try:
                self._database.write(attempt)
            except StoreReadOnlyError:
                missing = True
                yield verb
        if not missing and not self._may_keep_a_journal():
            yield "write to the file's folder"

    def _may_keep_a_journal(self) -> bool:
        """Whether SQLite can make its journal beside the file: only a real change shows it."""

        def work(connection: Connection) -> None:
            if connection.dialect.name == "sqlite":
                same = f"UPDATE {VERSION_TABLE} SET version_num = version_num"
                connection.execute(text(same))
                connection.rollback()

        try:
            self._database.write(work)
        except StoreReadOnlyError:
            return False
        return True

    def clock_skew_s(self) -> float | None:
        """This machine's clock minus the server's [s]; None where they are the same clock."""

        def work(connection: Connection) -> float | None:
            if connection.dialect.name != "postgresql":
                return None
            before = datetime.now(UTC)
            server: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            after = datetime.now(UTC)
            return (before + (after - before) / 2 - server).total_seconds()

        return self._database.read(work)

    def stale_runs(self) -> list[tuple[str, int]]:
        """Task and index of the trials that are RUNNING past their lease."""

        def work(connection: Connection) -> list[tuple[str, int]]:
            leases = self._store._queries.leases(connection)
            query = select(_history.task_name, _history.trial_index).where(*leases.lapsed())
            ordered = query.order_by(_history.task_name, _history.trial_index)
            rows = connection.execute(ordered, leases.moment())
            return [(row.task_name, row.trial_index) for row in rows]

        return self._database.read(work)

    def unreadable_tasks(self) -> dict[str, str]:
        """Task -> why its configuration cannot be read."""
        found = {}
        for row in self._tasks():
            try:
                codec.experiment_of(row)
            except StoreError as err:
                found[row.task_name] = str(err)
        return found

    def states(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The stored hyperparameters of each task."""
        return [(row.task_name, row.hyperparameters) for row in self._tasks()]

    def _tasks(self) -> list[codec.AnyRow]:
        query = self._store._queries.tasks().order_by(task_models.c.task_name)
        return self._database.read(lambda connection: list(connection.execute(query).all()))


def _attempts() -> list[tuple[str, Executable]]:
    """Statements that need a right and touch no row."""
    tables = (task_models, execution_history)
    return [
        (f"{verb} {table.name}", statement)
        for table in tables
        for verb, statement in (
            ("add to", insert(table).from_select(list(table.c), select(table).where(false()))),
            ("change", update(table).where(false()).values({table.c.task_name: "none"})),
            (DELETION, delete(table).where(false())),
        )
    ]
