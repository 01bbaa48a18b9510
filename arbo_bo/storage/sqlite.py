"""Connections to an SQLite file, or to a database in memory."""

import math
import os
import random
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from arbo_bo.errors import StoreUnavailableError
from arbo_bo.storage import patience
from arbo_bo.storage.connection import Result, Values
from arbo_bo.storage.url import in_memory, masked, sqlite_path
from arbo_bo.storage.url_parts import StoreURL

LONGEST_LOOK_S = 0.02
OPENING_S = 5.0
"""How long a connection waits for a locked file while it is opened, if no limit is shorter [s]."""
_OURS = ("uri", "timeout")


def connect(url: StoreURL) -> sqlite3.Connection:
    """A connection that begins nothing by itself.

    A writer that was told that its data is on the disk may rely on that: `synchronous` is FULL.
    """
    path = ":memory:" if in_memory(url) else str(url.database)
    is_uri = bool(url.query.get("uri"))
    options = {key: value for key, value in url.query.items() if key not in _OURS}
    if is_uri and options:
        path += "?" + urlencode(options)
    left_s = patience.left_s()  # a file that is locked holds up its first statement, too
    driver = sqlite3.connect(
        path,
        timeout=OPENING_S if left_s is None else min(OPENING_S, left_s),
        isolation_level=None,
        check_same_thread=False,
        uri=is_uri,
    )
    driver.execute("PRAGMA synchronous = FULL")
    return driver


class SQLiteConnection:
    """One connection; see `Connection`."""

    def __init__(self, url: StoreURL, lock_timeout_s: float) -> None:
        self._url = url
        self._wait_s = float(url.query.get("timeout", lock_timeout_s))
        self._driver = connect(url)
        self._driver.execute("PRAGMA foreign_keys = ON")
        self._file = _identity(url)

    @property
    def is_usable(self) -> bool:
        """Whether it leads to the file that is there now.

        Raises:
            StoreUnavailableError: The file is gone: what were written would vanish with it.
        """
        now = _identity(self._url)
        if self._file is not None and now is None:
            raise StoreUnavailableError(
                f"the file of {masked(self._url)} was deleted or moved while it was in use; put it "
                "back, or open a new store to begin anew",
                may_pass=False,
            )
        return now == self._file

    @property
    def driver(self) -> sqlite3.Connection:
        """The driver's connection, for a migration of a database in memory."""
        return self._driver

    @property
    def is_lost(self) -> bool:
        """Whether the other side has gone: a file does not go."""
        return False

    def begin(self, writes: bool) -> None:
        """Begins; a writer that read first could be refused the lock without waiting."""
        left_s = patience.left_s()
        wait_s = self._wait_s if left_s is None else min(left_s, self._wait_s)
        if not writes:
            self._driver.execute("BEGIN")
        elif not self._acquired_lock(wait_s):
            self._driver.execute("BEGIN IMMEDIATE")  # raises: the lock is not free
        self._driver.execute(f"PRAGMA busy_timeout = {math.ceil(1000 * wait_s)}")

    def execute(self, text: str, values: Values) -> Result:
        """Runs one statement."""
        cursor = self._driver.execute(text, values)
        names = tuple(column[0] for column in cursor.description or ())
        return Result(names, cursor.fetchall() if names else (), cursor.rowcount)

    def execute_many(self, text: str, rows: Sequence[Values]) -> None:
        """Runs one statement with each of these values."""
        self._driver.executemany(text, rows)

    def moment(self, value: datetime) -> str:
        """UTC without an offset, and always with microseconds: texts compare as the times do."""
        text = value.astimezone(UTC).replace(tzinfo=None)
        return text.isoformat(sep=" ", timespec="microseconds")

    def commit(self) -> None:
        """Ends the transaction."""
        self._driver.execute("COMMIT")

    def rollback(self) -> None:
        """Undoes the transaction, if one is open."""
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def close(self) -> None:
        """Closes it, and so undoes an open transaction."""
        self._driver.close()

    def _acquired_lock(self, wait_s: float) -> bool:
        """Waits for the write lock, and begins.

        SQLite's own wait looks ever more rarely, so that those who came first come last where many
        write without a pause; here all look equally often.
        """
        until = time.monotonic() + wait_s
        self._driver.execute("PRAGMA busy_timeout = 0")
        while True:
            try:
                self._driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as err:
                if "locked" not in str(err) or time.monotonic() >= until:
                    return False
                time.sleep(random.uniform(0.001, LONGEST_LOOK_S))
            else:
                return True


def _identity(url: StoreURL) -> tuple[int, int] | None:
    """Which file the path leads to; None: to none, or the database is in memory."""
    path = sqlite_path(url)
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
