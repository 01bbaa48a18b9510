"""The idle connections of one process."""

import threading
from collections.abc import Callable
from contextlib import suppress

from arbo_bo.storage import failures, patience
from arbo_bo.storage.connection import Connection
from arbo_bo.storage.url_parts import StoreURL

MOST_IDLE = 5


class Pool:
    """Connections that wait for their next transaction; any number may be in use.

    Attributes:
        opened: Counts the times that another database may have taken the place of the earlier one.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: list[Connection] = []
        self.opened = 0

    def take(self) -> Connection:
        """A connection of the caller's own; it is closed where the caller loses it."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.close()
            self.opened += 1
        return self._connect()

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection without a transaction for the next caller."""
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def undo(self, connection: Connection) -> None:
        """Undoes what a connection was doing; one that cannot is closed."""
        is_usable = False
        try:
            with suppress(Exception):  # the server has gone, and what was open with it
                connection.rollback()
                is_usable = connection.is_usable
        finally:
            if is_usable:
                self.give_back(connection)
            else:
                connection.close()

    def drop_idle(self) -> None:
        """Closes those that wait: the server that they lead to has gone."""
        self.opened += 1
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Closes those that wait."""
        self.drop_idle()


class SinglePool(Pool):
    """One connection that the callers take turns with: in memory another one is another database.

    Args:
        connect: Opens it.
        url: For messages.
        wait_s: How long a caller waits for its turn [s].
    """

    def __init__(self, connect: Callable[[], Connection], url: StoreURL, wait_s: float) -> None:
        super().__init__(connect)
        self._url, self._wait_s = url, wait_s
        self._turn = threading.Lock()
        self._only: Connection | None = None

    def take(self) -> Connection:
        """The connection, when it is the caller's turn."""
        left_s = patience.left_s()
        wait_s = self._wait_s if left_s is None else min(left_s, self._wait_s)
        if not self._turn.acquire(timeout=wait_s):
            raise failures.locked("no connection became free", self._url)
        if self._only is None:
            self._only = self._connect()
        return self._only

    def give_back(self, connection: Connection) -> None:
        """Ends the caller's turn."""
        with suppress(RuntimeError):
            self._turn.release()

    def undo(self, connection: Connection) -> None:
        """Undoes what the connection was doing; closed, it would take the database with it."""
        try:
            connection.rollback()
        finally:
            self.give_back(connection)

    def drop_idle(self) -> None:
        """Nothing: there is no server that could go."""

    def close(self) -> None:
        """Closes the database, and so forgets it."""
        self.opened += 1
        if self._only is not None:
            self._only.close()
            self._only = None
