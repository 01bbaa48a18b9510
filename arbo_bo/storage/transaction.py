"""Named statements in one transaction, and rows with Python's values."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arbo_bo.errors import StoreError
from arbo_bo.storage.columns import KINDS, Kind
from arbo_bo.storage.connection import Connection, Result, Values

logger = logging.getLogger("arbo_bo.storage")
Row = dict[str, Any]
"""A row's values by column; one that cannot be read is `Unreadable`."""
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.REAL: (float, int),
}


class Unreadable:
    """Stands for a value that another client wrote and arbo_bo cannot read."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"<{self.why}>"


class Transaction:
    """The statements of one namespace, while a transaction lasts.

    Args:
        connection: It has begun.
        texts: The statements by name.
        namespace: A value of all of them.

    Attributes:
        subject: What the latest statement was about, for messages; None: no one task or trial.
    """

    def __init__(self, connection: Connection, texts: Mapping[str, str], namespace: str) -> None:
        self._connection, self._texts = connection, texts
        self.namespace = namespace
        self.subject: str | None = None
        self._begun = datetime.now(UTC)

    def rows(self, statement: str, /, **values: Any) -> list[Row]:
        """The rows that a statement returns."""
        logger.debug("statement %s", statement)
        return self.text(self._texts[statement], **values)

    def row(self, statement: str, /, **values: Any) -> Row | None:
        """The row that a statement returns, if it does."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def run(self, statement: str, /, **values: Any) -> int:
        """Runs a statement; returns how many rows it changed."""
        logger.debug("statement %s", statement)
        return self._execute(self._texts[statement], values).count

    def run_many(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement with each of these values."""
        logger.debug("statement %s, %d times", statement, len(rows))
        if rows:
            self._connection.execute_many(self._texts[statement], [*map(self._encoded, rows)])

    def text(self, statement: str, /, **values: Any) -> list[Row]:
        """The rows that an SQL text returns."""
        result = self._execute(statement, values)
        kinds = [KINDS.get(name) for name in result.names]
        return [
            {
                name: value if kind is None or value is None else _decoded(kind, value)
                for name, kind, value in zip(result.names, kinds, row, strict=True)
            }
            for row in result.rows
        ]

    def ahead(self, moment: datetime) -> timedelta:
        """How far the database's clock is ahead of this machine's.

        Args:
            moment: When the transaction began, as a statement has just said.

        Returns:
            The least that explains the moment, and nothing where it lies between the beginning
            here and now: so the way to the server is not taken for a wrong clock.
        """
        return moment - min(max(moment, self._begun), datetime.now(UTC))

    def _execute(self, text: str, values: Mapping[str, Any]) -> Result:
        self.subject = _subject(values)
        return self._connection.execute(text, self._encoded(values))

    def _encoded(self, values: Mapping[str, Any]) -> Values:
        given = {"namespace": self.namespace, "now": datetime.now(UTC), **values}
        return {name: self._encode(value) for name, value in given.items()}

    def _encode(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self._connection.moment(value)
        if isinstance(value, Mapping):
            return json.dumps(value)
        return value


def readable(row: Row, what: str) -> Row:
    """The row, if all of it can be read.

    Raises:
        StoreError: A column cannot; the message names it and the row.
    """
    for name, value in row.items():
        if isinstance(value, Unreadable):
            raise StoreError(
                f"{what} cannot be read: column {name} holds {value.why}; correct the row or "
                "delete it"
            )
    return row


def _subject(values: Mapping[str, Any]) -> str | None:
    if "name" in values:
        return f"task {values['name']!r}"
    return f"trial {values['trial_id']}" if "trial_id" in values else None


def _decoded(kind: Kind, value: Any) -> Any:
    try:
        if kind is Kind.MOMENT:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if kind is Kind.OBJECT:
            return json.loads(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as err:
        return Unreadable(f"no {kind} ({type(err).__name__})")
    if not isinstance(value, _TYPES[kind]):
        return Unreadable(f"no {kind} ({type(value).__name__})")
    return value
