"""One database: connections opened when needed, explicit transactions, safe over a fork."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from arbo_bo.errors import ArboError, StoreError, StoreUnavailableError
from arbo_bo.storage import patience, schema
from arbo_bo.storage.connection import Connection, ConnectionLostError
from arbo_bo.storage.failures import READ_ONLY_CODE, MissingTableError, code_of, translate
from arbo_bo.storage.forks import GATE
from arbo_bo.storage.pool import Pool, SinglePool
from arbo_bo.storage.sqlite import SQLiteConnection
from arbo_bo.storage.statements import statements
from arbo_bo.storage.transaction import Transaction
from arbo_bo.storage.url import in_memory
from arbo_bo.storage.url_parts import StoreURL

T = TypeVar("T")
SCHEMA_TIMEOUT_S = 300.0
"""How long making or upgrading the schema may take; no other limit counts it."""


class Database:
    """Runs transactions on one database.

    Attributes:
        url: Where it is.
        namespace: A value of every statement.
        lock_timeout_s: How long a writer waits for another one [s].
        retry_s: How long a change is tried again where the failure may pass [s].
    """

    def __init__(
        self, url: StoreURL, namespace: str, lock_timeout_s: float, retry_s: float
    ) -> None:
        self.url = url
        self.namespace = namespace
        self.lock_timeout_s = lock_timeout_s
        self.retry_s = retry_s
        self._born = GATE.forks
        self._texts: dict[str, str] | None = None
        # Which opening of the pool was seen to have the right schema.
        self._checked: int | None = None
        # By the count of forks. The parent's connections stay referenced in a child, and untouched:
        # were they collected there, they would be closed under the parent's feet.
        self._pools: dict[int, Pool] = {}

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return "sqlite" if self.url.is_sqlite else "postgresql"

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in a transaction that only reads."""
        return patience.retried(lambda: self._checked_run(work, writes=False), 0.0)

    def write(self, work: Callable[[Transaction], T], retries: bool = False) -> T:
        """Runs `work` in a transaction that may write; whatever it raises undoes all of it.

        Args:
            work: Run again after a lost connection, though the first time may have been committed
                and only the answer lost: it must find that, and do nothing then.
            retries: Whether it is tried again for longer, up to `retry_s`.
        """
        retry_s = self.retry_s if retries else 0.0
        return patience.retried(lambda: self._checked_run(work, writes=True), retry_s)

    def ask(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work`, which only reads, whatever schema there is."""
        return patience.retried(lambda: self._run(work, writes=False), 0.0)

    def schema_version(self) -> str | None:
        """The schema's revision; None for an empty database."""
        return patience.retried(self._revision, 0.0)

    def upgrade(self) -> tuple[str | None, str]:
        """Brings the schema to this version; returns the revisions before and after."""
        schema.require_known(self.schema_version(), self.url)
        from arbo_bo.storage import migrate

        if not in_memory(self.url):
            self._pool().drop_idle()  # behind a pooler each of them is one that others wait for
        problem: StoreError
        try:
            with patience.apart(SCHEMA_TIMEOUT_S), self._in_memory() as driver:
                before, after = migrate.upgrade(self.url, SCHEMA_TIMEOUT_S, driver)
        except ArboError:
            raise
        except Exception as err:  # SQLAlchemy's own hold the driver's
            problem = translate(getattr(err, "orig", None) or err, self.url)
        else:
            self._checked = self._pool().opened
            return before, after
        raise problem

    def close(self) -> None:
        """Closes this process's connections; the next use opens new ones."""
        pool = self._pools.pop(GATE.forks, None)
        if pool is not None:
            pool.close()
        self._checked = None

    @contextmanager
    def _in_memory(self) -> Iterator[sqlite3.Connection | None]:
        """The connection that is the database, where it is in memory."""
        if not in_memory(self.url):
            yield None
            return
        pool = self._pool()
        connection = pool.take()
        try:
            assert isinstance(connection, SQLiteConnection)
            yield connection.driver
        finally:
            pool.undo(connection)

    def _revision(self) -> str | None:
        try:
            return self._run(lambda t: schema.revision(t, self.url), writes=False)
        except MissingTableError:
            return None

    def _checked_run(self, work: Callable[[Transaction], T], writes: bool) -> T:
        self._require_schema()
        return self._run(work, writes)

    def _require_schema(self) -> None:
        if self._checked == self._pool().opened:
            return
        revision = self._revision()
        if revision is None:
            _, revision = self.upgrade()
        schema.require_current(revision, self.url)
        self._checked = self._pool().opened

    def _run(self, work: Callable[[Transaction], T], writes: bool) -> T:
        # A connection may have been lost long ago, in the pool; a new one then serves at once. To
        # ask before every transaction whether it still stands would cost a round trip each. And a
        # server that has become a standby refuses writes: a new connection may lead to the primary.
        for _ in range(2):
            try:
                return self._run_once(work, writes)
            except _TryElsewhereError as err:
                problem = err.problem
            self._pool().drop_idle()
            if patience.left_s() == 0:
                break
        raise problem

    def _run_once(self, work: Callable[[Transaction], T], writes: bool) -> T:
        problem: StoreError
        pool, held, is_working = self._pool(), list[Connection](), False
        transaction: Transaction | None = None
        with GATE.inside() if self.url.is_sqlite else nullcontext():
            try:
                held.append(pool.take())
                held[0].begin(writes)
                transaction = Transaction(held[0], self._statements(), self.namespace)
                is_working = True
                found = work(transaction)
                is_working = False
                held[0].commit()
                pool.give_back(held.pop())
                return found
            except ConnectionLostError as err:
                problem = _TryElsewhereError(StoreUnavailableError(str(err)))
            except Exception as err:
                # A driver may also raise ValueError, UnicodeError or TypeError when it connects.
                if isinstance(err, ArboError) or (is_working and not _is_drivers(err)):
                    raise
                lost = bool(held) and held[0].is_lost
                subject = None if transaction is None else transaction.subject
                problem = translate(err, self.url, lost, subject)
                if lost or (writes and code_of(err) == READ_ONLY_CODE):
                    problem = _TryElsewhereError(problem)
            finally:
                # Whatever came, an interrupt included: a lock that stays would stop everybody.
                if held:
                    pool.undo(held.pop())
        # Outside of the handlers, so that nothing of the driver's exception is chained.
        raise problem

    def _statements(self) -> dict[str, str]:
        if self._texts is None:
            self._texts = statements(self.kind, self.url.query.get("schema"))
        return self._texts

    def _pool(self) -> Pool:
        pool = self._pools.get(GATE.forks)
        if pool is not None:
            return pool
        if in_memory(self.url):
            if self._born != GATE.forks:
                raise StoreUnavailableError(
                    "a database in memory lives in the process that opened it, and this is a fork "
                    "of that; give a file: sqlite:///path.db",
                    may_pass=False,
                )
            made: Pool = SinglePool(self._connect, self.url, self.lock_timeout_s)
        else:
            made = Pool(self._connect)
        return self._pools.setdefault(GATE.forks, made)

    def _connect(self) -> Connection:
        if self.url.is_sqlite:
            return SQLiteConnection(self.url, self.lock_timeout_s)
        from arbo_bo.storage.postgresql import PostgreSQLConnection

        return PostgreSQLConnection(self.url, self.lock_timeout_s)


class _TryElsewhereError(StoreError):
    """Another connection may serve."""

    def __init__(self, problem: StoreError) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _is_drivers(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) or type(error).__module__.startswith("psycopg2")
