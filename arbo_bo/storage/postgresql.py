"""Connections to a PostgreSQL server.

The driver works without blocking, and every wait for the server has a limit and can be interrupted.
A connection sets nothing that outlives a transaction: behind a pooler the server's session belongs
to others too.
"""

import math
import select
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import psycopg2
from psycopg2 import extensions

from arbo_bo.errors import StoreError, StoreUnavailableError
from arbo_bo.storage import patience
from arbo_bo.storage.connection import ConnectionLostError, Result, Values
from arbo_bo.storage.url import masked
from arbo_bo.storage.url_parts import StoreURL, split_place

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 60.0
"""How long a server may take over one statement where the caller set no limit."""
IDLE_TIMEOUT_S = 10.0
"""After this the server ends a transaction whose client says nothing more, and frees its locks."""
LOCK_SHARE = 0.9
"""Of what is left, for a lock: the server then says itself what it waited for, and in time."""
BATCH = 100
_DEFAULTS = {
    "client_encoding": "UTF8",
    # A dead peer is noticed within half a minute, and not after two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_JSON, _MOMENT = (114,), (1184,)
_AS_TEXT = [
    extensions.new_type(oids, name, lambda value, _: value)
    for oids, name in ((_JSON, "JSON_TEXT"), (_MOMENT, "MOMENT_TEXT"))
]
_SETTINGS = (
    "SET LOCAL lock_timeout = {lock_ms}; SET LOCAL idle_in_transaction_session_timeout = {idle_ms};"
    " SET LOCAL extra_float_digits = 1; SET LOCAL datestyle = 'ISO'; "
)
_READS = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + _SETTINGS
# What is acknowledged must be on the disk, whatever the database's default.
_WRITES = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; "
    + _SETTINGS
    + "SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') = 'off'; "
)


class _Quiet(extensions.connection):  # type: ignore[misc]  # the driver has no types
    """Psycopg2's own repr and str show the connection string."""

    def __repr__(self) -> str:
        return f"<connection at {id(self):#x}>"

    __str__ = __repr__


def parameters(url: StoreURL) -> list[dict[str, Any]]:
    """What libpq is given to connect: for each host in turn."""
    given: dict[str, Any] = dict(_DEFAULTS) | {
        key: value for key, value in url.query.items() if key not in ("schema", "host", "port")
    }
    for key, value in (
        ("user", url.username),
        ("password", url.password),
        ("dbname", url.database),
    ):
        if value:
            given[key] = value
    return [given | place for place in _places(url)]


def _places(url: StoreURL) -> Iterator[dict[str, Any]]:
    host, port = url.host, url.port
    if "host" in url.query:
        in_query = url.query["host"]
        host, port = (in_query, port) if in_query.startswith("/") else split_place(in_query)
    port = url.query.get("port", port)
    hosts = [] if host is None else host.split(",")
    ports = [] if port is None else str(port).split(",")
    if len(ports) == 1:
        ports *= max(1, len(hosts))
    for name, number in zip_longest(hosts or [""], ports, fillvalue=""):
        yield {key: value for key, value in (("host", name), ("port", number)) if value}


def connect_blocking(url: StoreURL) -> Any:
    """A connection as the driver makes it, for a migration.

    Raises:
        psycopg2.Error: No host answers.
    """
    problem: Exception = StoreError("no host was given")
    for place in parameters(url):
        try:
            return psycopg2.connect(
                connection_factory=_Quiet, **{"connect_timeout": round(CONNECT_TIMEOUT_S), **place}
            )
        except psycopg2.OperationalError as err:
            problem = err
    raise problem


class PostgreSQLConnection:
    """One connection; see `Connection`."""

    def __init__(self, url: StoreURL, lock_timeout_s: float) -> None:
        self._url, self._lock_timeout_s = url, lock_timeout_s
        self._opening = ""
        self._driver = self._connected()
        for kind in _AS_TEXT:
            extensions.register_type(kind, self._driver)

    @property
    def is_usable(self) -> bool:
        """Whether another transaction may begin."""
        return not self._driver.closed and self._status() == extensions.TRANSACTION_STATUS_IDLE

    @property
    def is_lost(self) -> bool:
        """Whether the server has gone."""
        return bool(self._driver.closed) or self._status() == extensions.TRANSACTION_STATUS_UNKNOWN

    def begin(self, writes: bool) -> None:
        """Begins, with the first statement: a round trip less."""
        left_s = patience.left_s()
        wait_s = self._lock_timeout_s
        if left_s is not None:
            wait_s = min(LOCK_SHARE * left_s, wait_s)
        self._opening = (_WRITES if writes else _READS).format(
            lock_ms=max(1, round(1000 * wait_s)), idle_ms=round(1000 * IDLE_TIMEOUT_S)
        )

    def execute(self, text: str, values: Values) -> Result:
        """Runs one statement."""
        return self._run(text, values)

    def execute_many(self, text: str, rows: Sequence[Values]) -> None:
        """Runs one statement with each of these values, many in one round trip."""
        cursor = self._driver.cursor()
        for first in range(0, len(rows), BATCH):
            batch = (cursor.mogrify(text, values) for values in rows[first : first + BATCH])
            self._run(b";".join(batch).decode(), None)

    def moment(self, value: datetime) -> datetime:
        """The driver knows instants."""
        return value

    def commit(self) -> None:
        """Ends the transaction."""
        if self._opening:  # nothing was asked, so nothing has begun
            self._opening = ""
            return
        cursor = self._driver.cursor()
        cursor.execute("COMMIT")
        self._wait(self._answer_until(), "it did not answer to a commit")
        if cursor.statusmessage != "COMMIT":
            raise StoreError(f"the database {masked(self._url)} undid a change that it was to keep")

    def rollback(self) -> None:
        """Undoes the transaction, if one is open."""
        self._opening = ""
        if self._status() == extensions.TRANSACTION_STATUS_ACTIVE:
            self._driver.close()  # it was interrupted in the middle of a statement
        elif self._status() != extensions.TRANSACTION_STATUS_IDLE:
            self._driver.cursor().execute("ROLLBACK")
            self._wait(self._answer_until(), "it did not answer")

    def close(self) -> None:
        """Closes it, and so undoes an open transaction."""
        self._driver.close()

    def _run(self, text: str, values: Values | None) -> Result:
        opening, self._opening = self._opening, ""
        cursor = self._driver.cursor()
        cursor.execute(opening + text, values)
        self._wait(self._answer_until(), "it did not answer")
        names = tuple(column.name for column in cursor.description or ())
        return Result(names, cursor.fetchall() if names else (), cursor.rowcount)

    def _status(self) -> int:
        return int(self._driver.info.transaction_status)

    def _connected(self) -> Any:
        """A connection to the first host that answers."""
        usual_s = float(self._url.query.get("connect_timeout", CONNECT_TIMEOUT_S)) or math.inf
        problem: Exception = StoreError("no host was given")
        for place in parameters(self._url):
            left_s = patience.left_s()
            limit_s = usual_s if left_s is None else min(left_s, usual_s)
            try:
                self._driver = psycopg2.connect(async_=True, connection_factory=_Quiet, **place)
                self._wait(time.monotonic() + limit_s, "no connection was made")
            except psycopg2.OperationalError as err:
                problem = err
            except ConnectionLostError as err:
                problem = StoreUnavailableError(str(err))
            else:
                return self._driver
        raise problem

    def _answer_until(self) -> float:
        left_s = patience.left_s()
        return time.monotonic() + (ANSWER_TIMEOUT_S if left_s is None else left_s)

    def _wait(self, until: float, said: str) -> None:
        """Waits until the driver has done what it was told."""
        started = time.monotonic()
        while (state := self._driver.poll()) != extensions.POLL_OK:
            wanted = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
            poller = select.poll()  # anew: libpq may go on to another address
            poller.register(self._driver.fileno(), wanted)
            left_s = until - time.monotonic()
            if left_s <= 0 or not poller.poll(None if left_s == math.inf else 1000 * left_s):
                raise ConnectionLostError(
                    f"the database {masked(self._url)} is silent: {said} within "
                    f"{max(0.0, until - started):.3g} s; check that the server runs and can be "
                    "reached"
                )
