"""Runs the migrations; the only module with alembic, which is imported where there are some to run.

Processes that come at once take turns, and the later ones find nothing to do.
"""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import StoreError
from arbo_bo.storage import schema
from arbo_bo.storage.url_parts import StoreURL

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x6172626F  # "arbo"
_ALEMBIC_IS_GLOBAL = threading.Lock()


def upgrade(
    url: StoreURL, wait_s: float, driver: sqlite3.Connection | None = None
) -> tuple[str | None, str]:
    """Brings the schema to the newest revision; returns the revisions before and after.

    Args:
        url: Where the database is.
        wait_s: How long another process's migration is waited for [s].
        driver: The connection to a database in memory.
    """
    place = url.query.get("schema")
    if driver is not None:
        return _upgrade(driver, None, wait_s)
    with closing(_opened(url)) as opened:
        return _upgrade(opened, place, wait_s)


def migrate(connection: "Connection") -> None:
    """Runs what is missing on a connection in a transaction."""
    from alembic import command

    with _ALEMBIC_IS_GLOBAL:
        command.upgrade(configuration(connection), schema.REVISIONS[-1])


def configuration(connection: "Connection") -> "Config":
    """Alembic's configuration, without an ini file; the connection is handed over as it is."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _opened(url: StoreURL) -> Any:
    """A connection of the driver, which waits for its answers as alembic needs it."""
    if url.is_sqlite:
        from arbo_bo.storage import sqlite

        return sqlite.connect(url)
    from arbo_bo.storage import postgresql

    return postgresql.connect_blocking(url)


def _upgrade(driver: Any, place: str | None, wait_s: float) -> tuple[str | None, str]:
    newest = schema.REVISIONS[-1]
    lock(driver, place, wait_s)
    before = revision(driver)
    if before == newest:
        driver.rollback()
        return before, newest
    # Under the lock so far: of many processes that come at once, one loads the library.
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    kind = "sqlite" if isinstance(driver, sqlite3.Connection) else "postgresql+psycopg2"
    engine = create_engine(
        f"{kind}://", creator=lambda: driver, poolclass=StaticPool, hide_parameters=True
    )
    with engine.connect() as connection, connection.begin():
        driver.rollback()  # so did SQLAlchemy when it asked the server what it is
        lock(driver, place, wait_s)
        before = revision(driver)
        if before is None and place is not None:
            driver.cursor().execute(f'CREATE SCHEMA IF NOT EXISTS "{place}"')
        if before != newest:
            migrate(connection)
            _require_whole(driver)
    return before, newest


def lock(driver: Any, place: str | None, wait_s: float) -> None:
    """Begins a transaction that no other migration runs beside."""
    cursor = driver.cursor()
    if isinstance(driver, sqlite3.Connection):
        # A migration may rebuild a table that others refer to, by dropping it: with foreign keys on
        # SQLite would delete what refers to it. The setting cannot change inside a transaction.
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute(f"PRAGMA busy_timeout = {round(1000 * wait_s)}")
        cursor.execute("BEGIN IMMEDIATE")
        return
    cursor.execute(f"SET LOCAL lock_timeout = {round(1000 * wait_s)}")
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    if place is not None:
        cursor.execute("SELECT set_config('search_path', quote_ident(%s), true)", (place,))


def revision(driver: Any) -> str | None:
    """The schema's revision, in a transaction that `lock` began; None where there is none."""
    cursor = driver.cursor()
    # By the catalog's own table: a name alone is looked up in what the server's session remembers,
    # which may be from before the lock was had.
    is_there = (
        "SELECT max(relname::text) FROM pg_catalog.pg_class "
        f"WHERE relname = '{schema.VERSION_TABLE}' AND pg_catalog.pg_table_is_visible(oid)"
    )
    if isinstance(driver, sqlite3.Connection):
        is_there = f"SELECT max(name) FROM sqlite_master WHERE name = '{schema.VERSION_TABLE}'"
    cursor.execute(is_there)
    if cursor.fetchone()[0] is None:
        return None
    cursor.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}")
    found = cursor.fetchone()
    return None if found is None else str(found[0])


def _require_whole(driver: Any) -> None:
    """Checks what SQLite does not enforce during a migration."""
    if isinstance(driver, sqlite3.Connection):
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise StoreError(f"the migration would leave {len(broken)} rows without their task")
