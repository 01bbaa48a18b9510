"""The store's statements, as text that was compiled from the tables.

`definitions` says what they are, in SQLAlchemy; ``python -m arbo_bo.storage.statements`` compiles
them into a file for each database, and a test holds the files equal to that. So a store runs
without SQLAlchemy.
"""

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("sqlite", "postgresql")
SCHEMA = "{schema}"
"""Stands before a table's name, for its schema."""
_TITLE, _END = "-- ", ";\n"


def written(texts: Mapping[str, str]) -> str:
    """Statements by name, as a file holds them."""
    return "\n".join(f"{_TITLE}{name}\n{text}{_END}" for name, text in texts.items())


def statements(name: str, schema: str | None = None) -> dict[str, str]:
    """The statements of a database by name.

    Args:
        name: `sqlite` or `postgresql`.
        schema: The schema that the tables are in; None: the connection's usual one.
    """
    text = (FOLDER / f"{name}.sql").read_text()
    text = text.replace(SCHEMA, "" if schema is None else f'"{schema}".')
    found = {}
    for part in text.removeprefix(_TITLE).split(f"\n{_TITLE}"):
        key, _, statement = part.partition("\n")
        found[key] = statement.rstrip().removesuffix(";")
    return found
