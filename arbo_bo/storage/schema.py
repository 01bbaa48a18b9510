"""Which schema a database has, and whether this version works with it; alembic isn't needed."""

from arbo_bo.errors import SchemaVersionError
from arbo_bo.experiment import validation
from arbo_bo.storage.transaction import Transaction
from arbo_bo.storage.url import masked
from arbo_bo.storage.url_parts import StoreURL

VERSION_TABLE = "arbo_alembic_version"
"""Of our own: Airflow and Optuna use alembic's default name and may share the database."""

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision in `migrations/versions`, oldest first; the last is the one to have."""


def revision(transaction: Transaction, url: StoreURL) -> str | None:
    """The database's revision; None if its table is empty.

    Raises:
        sqlite3.Error, psycopg2.Error: It holds no schema of ours.
    """
    found = transaction.text(f"SELECT version_num FROM {qualified(VERSION_TABLE, url)}")
    return str(found[0]["version_num"]) if found else None


def qualified(table: str, url: StoreURL) -> str:
    """A table's name with the schema that the URL says."""
    schema = url.query.get("schema")
    return table if schema is None else f'"{schema}".{table}'


def require_known(found: str | None, url: StoreURL) -> None:
    """Refuses a schema that a later version of arbo_bo made.

    Raises:
        SchemaVersionError: The revision isn't one of `REVISIONS`.
    """
    if found is not None and found not in REVISIONS:
        raise SchemaVersionError(
            f"the store {masked(url)} has schema {validation.short(found)}, newer than this "
            f"version's {REVISIONS[-1]}; upgrade arbo_bo: pip install --upgrade arbo-bo"
        )


def require_current(found: str, url: StoreURL) -> None:
    """Refuses any schema but the newest that this version knows.

    Raises:
        SchemaVersionError: It is older or newer; the message says what to do.
    """
    require_known(found, url)
    if found != REVISIONS[-1]:
        raise SchemaVersionError(
            f"the store has schema {found}, and this version of arbo_bo needs {REVISIONS[-1]}; "
            f"make a backup, then run: arbo db upgrade --store {masked(url)}"
        )
