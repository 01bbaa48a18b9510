"""Statements as text: compiled from the tables, once, for each database."""

import re
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg2

from arbo_bo.storage.statements import FOLDER, NAMES, SCHEMA, written
from arbo_bo.storage.statements.definitions import definitions

_SCHEMA_NAME = "arbo_schema"
_MARKS = {"sqlite": re.compile(r"(?<![:\w]):(\w+)"), "postgresql": re.compile(r"%\((\w+)\)s")}


def compiled(name: str) -> str:
    """The text of a database's file, `sqlite` or `postgresql`."""
    found = definitions(on_server=name == "postgresql")
    return written({key: _text(statement, name) for key, statement in found.items()})


def rewrite() -> list[str]:
    """Writes the files anew; returns the names of those that changed."""
    changed = []
    for name in NAMES:
        path, text = FOLDER / f"{name}.sql", compiled(name)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(path.name)
    return changed


def _text(statement: Executable, name: str) -> str:
    dialect: Any = sqlite.dialect(paramstyle="named")
    schema: dict[str, Any] = {}
    if name == "postgresql":
        dialect = psycopg2.dialect()  # type: ignore[no-untyped-call]
        schema = {"schema_translate_map": {None: _SCHEMA_NAME}, "render_schema_translate": True}
    made: Any = statement.compile(dialect=dialect, **schema)  # type: ignore[attr-defined]

    def literal(match: re.Match[str]) -> str:
        bind = made.binds[match[1]]
        if bind.required:
            return match[0]
        return "NULL" if bind.value is None else made.render_literal_value(bind.value, bind.type)

    text = _MARKS[name].sub(literal, str(made)).replace(f"{_SCHEMA_NAME}.", SCHEMA)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
