"""What a transaction needs of a connection, whatever the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Values = Mapping[str, Any]


class ConnectionLostError(Exception):
    """The connection broke during a transaction; whether that was committed is not known.

    No error of arbo's: inside a transaction nobody is to take it for one of the work's own.
    """


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement returned.

    Attributes:
        names: Of its columns.
        rows: As the driver gives them; moments and objects are text.
        count: How many rows were changed.
    """

    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    count: int


class Connection(Protocol):
    """One connection to a database; a driver's errors leave it as they are."""

    @property
    def is_usable(self) -> bool:
        """Whether another transaction may begin."""
        ...

    @property
    def is_lost(self) -> bool:
        """Whether the other side has gone."""
        ...

    def begin(self, writes: bool) -> None:
        """Begins a transaction; SQLite waits for its lock where it may write."""
        ...

    def execute(self, text: str, values: Values) -> Result:
        """Runs one statement."""
        ...

    def execute_many(self, text: str, rows: Sequence[Values]) -> None:
        """Runs one statement with each of these values."""
        ...

    def moment(self, value: datetime) -> object:
        """An instant as a value of a statement."""
        ...

    def commit(self) -> None:
        """Ends the transaction; what it wrote is on the disk."""
        ...

    def rollback(self) -> None:
        """Undoes the transaction, if one is open."""
        ...

    def close(self) -> None:
        """Closes it, and so undoes an open transaction."""
        ...
