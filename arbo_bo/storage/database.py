"""One database: connections opened when needed, explicit transactions, safe over a fork."""

import math
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import OperationalError as SQLiteError
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from arbo_bo.errors import ArboError, StoreError, StoreUnavailableError
from arbo_bo.storage import patience, schema
from arbo_bo.storage.failures import translate
from arbo_bo.storage.url import in_memory

T = TypeVar("T")
CONNECT_TIMEOUT_S = 5
LONGEST_LOOK_S = 0.02
_WRITES = "arbo_writes"
_MIGRATES = "arbo_migrates"


class _Lineage:
    """Counts the forks between the first process and this one."""

    forks = 0

    @classmethod
    def forked(cls) -> None:
        cls.forks += 1


os.register_at_fork(after_in_child=_Lineage.forked)


class Database:
    """Runs transactions on one database.

    Attributes:
        url: Where it is.
        lock_timeout_s: How long a writer waits for another one [s].
        retry_s: How long a change is tried again where the failure may pass [s].
    """

    def __init__(self, url: URL, lock_timeout_s: float, retry_s: float) -> None:
        self.url = url
        self.lock_timeout_s = lock_timeout_s
        self.retry_s = retry_s
        self._born = _Lineage.forks
        self._checked = False
        # By the count of forks. The parent's engine stays referenced in a child, and untouched:
        # were it collected there, its connections would be closed under the parent's feet.
        self._engines: dict[int, Engine] = {}

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a transaction that only reads."""
        return patience.patiently(lambda: self._checked_run(work, writes=False), 0.0)

    def write(self, work: Callable[[Connection], T], retries: bool = False) -> T:
        """Runs `work` in a transaction that may write; whatever it raises undoes all of it.

        Args:
            work: Run again after a lost connection, though the first time may have been committed
                and only the answer lost: it must find that, and do nothing then.
            retries: Whether it is tried again for longer, up to `retry_s`.
        """
        retry_s = self.retry_s if retries else 0.0
        return patience.patiently(lambda: self._checked_run(work, writes=True), retry_s)

    def schema_version(self) -> str | None:
        """The schema's revision; None for an empty database."""
        return self._run(schema.revision, writes=False)

    def upgrade(self) -> tuple[str | None, str]:
        """Brings the schema to this version; returns the revisions before and after."""
        schema.require_known(self.schema_version(), self.url)
        from arbo_bo.storage import migrate  # alembic takes a third of a second to import

        before, after = self._run(
            lambda connection: migrate.upgrade(connection, self.url.query.get("schema")),
            writes=True,
            migrates=True,
        )
        self._checked = True
        return before, after

    def close(self) -> None:
        """Closes this process's connections; the next use opens new ones."""
        engine = self._engines.pop(_Lineage.forks, None)
        if engine is not None:
            engine.dispose()
        self._checked = False

    def _checked_run(self, work: Callable[[Connection], T], writes: bool) -> T:
        self._require_schema()
        return self._run(work, writes)

    def _require_schema(self) -> None:
        if self._checked:
            return
        revision = self.schema_version()
        if revision is None:
            _, revision = self.upgrade()
        schema.require_current(revision, self.url)
        self._checked = True

    def _run(self, work: Callable[[Connection], T], writes: bool, migrates: bool = False) -> T:
        options = {_WRITES: writes, _MIGRATES: migrates}
        # A connection may have been lost long ago, in the pool; a new one then serves at once. To
        # ask before every transaction whether it still stands would cost a round trip each.
        for _ in range(2):
            try:
                return self._run_once(work, options)
            except _ConnectionLostError as err:
                problem = StoreUnavailableError(str(err))
            if patience.left_s() == 0:
                break
        raise problem

    def _run_once(self, work: Callable[[Connection], T], options: dict[str, bool]) -> T:
        problem: StoreError
        try:
            connection = self._engine().connect()
        except ArboError:
            raise
        except Exception as err:  # a driver may also raise ValueError, UnicodeError or TypeError
            problem = translate(err, self.url)
        else:
            try:
                with (
                    connection.execution_options(**options),
                    _cut_off(connection),
                    connection.begin(),
                ):
                    return work(connection)
            except SQLAlchemyError as err:
                problem = translate(err, self.url)
                if isinstance(err, DBAPIError) and err.connection_invalidated:
                    problem = _ConnectionLostError(str(problem))
        # Outside of the handlers, so that nothing of the driver's exception is chained.
        raise problem

    def _engine(self) -> Engine:
        engine = self._engines.get(_Lineage.forks)
        if engine is not None:
            return engine
        if in_memory(self.url) and self._born != _Lineage.forks:
            raise StoreUnavailableError(
                "a database in memory lives in the process that opened it, and this is a fork of "
                "that; give a file: sqlite:///path.db",
                may_pass=False,
            )
        build = _sqlite if self.url.get_backend_name() == "sqlite" else _postgresql
        return self._engines.setdefault(_Lineage.forks, build(self.url, self.lock_timeout_s))


class _ConnectionLostError(StoreUnavailableError):
    """The connection broke during a transaction."""


@contextmanager
def _cut_off(connection: Connection) -> Iterator[None]:
    """Ends the connection when the block's limit is over: a server that hangs says nothing."""
    left_s = patience.left_s()
    if left_s is None or connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    # A duplicate, so that the number isn't another file's by the time that the timer looks.
    with socket.socket(fileno=os.dup(driver.fileno())) as line:
        timer = threading.Timer(left_s, _hang_up, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _sqlite(url: URL, lock_timeout_s: float) -> Engine:
    # isolation_level=None: the module begins nothing by itself.
    arguments = {"isolation_level": None, "check_same_thread": False}
    usual_s = float(str(url.query.get("timeout", lock_timeout_s)))
    # In memory each connection would be a database of its own: the threads take turns with one.
    alone = {"pool_size": 1, "max_overflow": 0, "pool_timeout": lock_timeout_s}
    engine = create_engine(
        url,
        connect_args=arguments,
        hide_parameters=True,
        poolclass=QueuePool,
        **(alone if in_memory(url) else {}),
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: SQLiteConnection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # A migration may rebuild a table that others refer to, by dropping it: with foreign keys on
        # SQLite would delete what refers to it. The setting cannot change inside a transaction.
        keys = "OFF" if options.get(_MIGRATES, False) else "ON"
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {keys}")
        left_s = patience.left_s()
        wait_s = usual_s if left_s is None else min(left_s, usual_s)
        # A writer that read first and then asked for the lock could be refused without waiting.
        if not options.get(_WRITES, False):
            connection.exec_driver_sql("BEGIN")
        elif not _took_turn(connection, wait_s):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # says why not, in SQLAlchemy's words
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {math.ceil(1000 * wait_s)}")

    return engine


def _took_turn(connection: Connection, wait_s: float) -> bool:
    """Waits for the write lock, and begins.

    SQLite's own wait looks ever more rarely, so that those who came first come last where many
    write without a pause; here all look equally often.
    """
    driver: Any = connection.connection.dbapi_connection
    until = time.monotonic() + wait_s
    driver.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except SQLiteError as err:
            if "locked" not in str(err) or time.monotonic() >= until:
                return False
            time.sleep(random.uniform(0.001, LONGEST_LOOK_S))
        else:
            return True


def _postgresql(url: URL, lock_timeout_s: float) -> Engine:
    import psycopg2.extensions

    def shown(connection: object) -> str:
        return f"<connection at {id(connection):#x}>"

    # psycopg2's own repr and str show the connection string, and SQLAlchemy's pool logs them.
    base = psycopg2.extensions.connection
    quiet = type("QuietConnection", (base,), {"__repr__": shown, "__str__": shown})
    arguments: dict[str, Any] = {"connection_factory": quiet}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = CONNECT_TIMEOUT_S
    engine = create_engine(
        url.difference_update_query(["schema"]), connect_args=arguments, hide_parameters=True
    )
    schema = url.query.get("schema")

    @event.listens_for(engine, "do_connect")
    def _limit(_dialect: Any, _entry: Any, _arguments: Any, settings: dict[str, Any]) -> None:
        left_s = patience.left_s()
        if left_s is not None and "connect_timeout" in settings:
            usual_s = int(settings["connect_timeout"])
            settings["connect_timeout"] = max(1, min(usual_s, math.ceil(left_s)))

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", (max(1, round(lock_timeout_s * 1000)),))
            cursor.execute("SET default_transaction_isolation = 'read committed'")
            if schema is not None:
                cursor.execute(
                    "SELECT set_config('search_path', quote_ident(%s), false)", (schema,)
                )
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Each statement sees what is committed by then, in a transaction or not; a reader that
        # begins none saves two round trips.
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = not connection.get_execution_options().get(_WRITES, False)

    return engine
