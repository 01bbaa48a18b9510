"""What a store's owner wants to know of its database; nothing is changed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from arbo_bo.errors import StoreError, StoreReadOnlyError
from arbo_bo.storage import codec
from arbo_bo.storage.schema import REVISIONS, VERSION_TABLE, qualified
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.transaction import Row, Transaction

DELETION = "delete from"
_RIGHTS = {
    f"{verb} {table}": f"may_{verb.replace(' ', '_')}_{table}"
    for table in ("task_models", "execution_history")
    for verb in ("add to", "change", DELETION)
}
"""What a user must be allowed, and the statement that tries it on no row at all."""


class Inspection:
    """Questions to the database of a store.

    Args:
        store: The store.
    """

    def __init__(self, store: SQLTrialStore) -> None:
        self._database = store.database
        self.masked_url, self.namespace = store.masked_url, store.namespace

    def server(self) -> str:
        """Which server answers, and in which version.

        Raises:
            StoreError: None does.
        """
        kind = self._database.kind
        version = "sqlite_version()" if kind == "sqlite" else "current_setting('server_version')"
        found = self._database.ask(lambda t: t.text(f"SELECT {version} AS answer"))
        return f"{kind} {found[0]['answer']}"

    def damage(self) -> str | None:
        """What SQLite finds wrong in the file; None: nothing, or another database system."""
        if self._database.kind != "sqlite":
            return None
        found = self._database.ask(lambda t: t.text("PRAGMA quick_check(1)"))
        said = " ".join(str(found[0]["quick_check"]).split())
        return None if said == "ok" else said

    def schema_versions(self) -> tuple[str | None, str]:
        """The database's revision (None: it is empty), and the one that is needed."""
        return self._database.schema_version(), REVISIONS[-1]

    def is_newer(self, revision: str) -> bool:
        """Whether a later version of arbo_bo made it."""
        return revision not in REVISIONS

    def missing_rights(self) -> Iterator[str]:
        """What the user may not do to the tables; each is tried on no row at all."""
        missing = False
        for right, statement in _RIGHTS.items():
            try:
                self._database.write(partial(_try, statement=statement))
            except StoreReadOnlyError:
                missing = True
                yield right
        if not missing and not self._may_keep_a_journal():
            yield "write to the file's folder"

    def _may_keep_a_journal(self) -> bool:
        """Whether SQLite can make its journal beside the file: only a real change shows it."""
        if self._database.kind != "sqlite":
            return True
        table = qualified(VERSION_TABLE, self._database.url)

        def work(transaction: Transaction) -> None:
            transaction.text(f"UPDATE {table} SET version_num = version_num")
            raise _UndoneError

        try:
            self._database.write(work)
        except StoreReadOnlyError:
            return False
        except _UndoneError:
            pass
        return True

    def clock_skew_s(self) -> float | None:
        """This machine's clock minus the server's [s]; None where they are the same clock."""
        if self._database.kind == "sqlite":
            return None

        def work(transaction: Transaction) -> float:
            transaction.text("SELECT 1")  # so that the transaction's beginning is not measured
            before = datetime.now(UTC)
            server: datetime = transaction.text("SELECT clock_timestamp() AS moment")[0]["moment"]
            after = datetime.now(UTC)
            return (before + (after - before) / 2 - server).total_seconds()

        return self._database.read(work)

    def stale_runs(self) -> list[tuple[str, int]]:
        """Task and index of the trials that are RUNNING past their lease."""
        rows = self._database.read(lambda t: t.rows("lapsed"))
        return [(row["task_name"], row["trial_index"]) for row in rows]

    def unreadable_tasks(self) -> dict[str, str]:
        """Task -> why its configuration cannot be read."""
        found = {}
        for row in self._tasks():
            try:
                codec.experiment_of(row)
            except StoreError as err:
                found[str(row["task_name"])] = str(err)
        return found

    def unreadable_trials(self) -> list[str]:
        """Why trials cannot be read, one text each."""
        found = []
        for task in self._tasks():
            for row in self._database.read(partial(_trials, name=task["task_name"])):
                try:
                    codec.trial_of(row)
                except StoreError as err:
                    found.append(str(err))
        return found

    def states(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The stored hyperparameters of each task, where they can be read."""
        return [
            (row["task_name"], row["hyperparameters"])
            for row in self._tasks()
            if isinstance(row["hyperparameters"], Mapping)
        ]

    def _tasks(self) -> list[Row]:
        return self._database.read(lambda t: t.rows("tasks"))


def _try(transaction: Transaction, statement: str) -> int:
    return transaction.run(statement)


def _trials(transaction: Transaction, name: str) -> list[Row]:
    return transaction.rows("trials", name=name)


class _UndoneError(Exception):
    """Ends a transaction without a change."""
