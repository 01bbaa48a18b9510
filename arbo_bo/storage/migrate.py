"""Runs the migrations in a transaction that the caller opened; the only module with alembic."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateSchema

from arbo_bo.errors import StoreError
from arbo_bo.storage import schema

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x6172626F  # "arbo"
_ALEMBIC_IS_GLOBAL = threading.Lock()


def upgrade(connection: Connection, place: object = None) -> tuple[str | None, str]:
    """Brings the schema to the newest revision; returns the revisions before and after.

    Processes that come at once take turns, and the later ones find nothing to do.

    Args:
        connection: In a transaction.
        place: The PostgreSQL schema that the tables are in, made if it is not there; None: the
            connection's usual one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    before = schema.revision(connection)
    if before is None and place is not None:
        connection.execute(CreateSchema(str(place), if_not_exists=True))
    newest = schema.REVISIONS[-1]
    if before != newest:
        with _ALEMBIC_IS_GLOBAL:
            command.upgrade(configuration(connection), newest)
        _require_whole(connection)
    return before, newest


def _require_whole(connection: Connection) -> None:
    """Checks what SQLite does not enforce during a migration."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise StoreError(f"the migration would leave {len(broken)} rows without their task")


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, without an ini file; the connection is handed over as it is."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
