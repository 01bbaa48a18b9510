"""What a database's failure means, in one line that shows no secret.

The driver's exception is never chained: its text and its arguments may hold the password.
"""

import os
import re
import sqlite3
from pathlib import Path

from arbo_bo.errors import (
    StoreError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreUnavailableError,
    StoreURLError,
)
from arbo_bo.storage.url import masked, scrub, sqlite_path
from arbo_bo.storage.url_parts import StoreURL

_LOCKED_CODES = ("55P03", "40P01", "40001")  # lock timeout, deadlock, serialization
READ_ONLY_CODE = "25006"  # a standby, or a server that was made read-only
_READ_ONLY_CODES = (READ_ONLY_CODE, "42501")  # and insufficient privilege
# Connection, too many of them, operator intervention, idle in a transaction for too long.
_LOST_CODES = ("08", "533", "57", "25P03")
_MISSING_CODES = ("42P01", "3F000")  # no such table, no such schema
_REFUSED_CODES = ("22", "23")  # a value, a constraint
_FULL_CODE = "53100"
_REFUSED = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|no password supplied"
    r"|could not translate host name|not permitted to log in|certificate|^invalid "
)
_REMEDIES = (
    (re.compile(r'database ".*" does not exist'), "create that database, or name another one"),
    (
        re.compile(r"authentication|password|role .* does not exist|pg_hba|permitted to log in"),
        "the server runs: check user and password",
    ),
    (re.compile(r"translate host name"), "check the host's name"),
    (re.compile(r"^invalid "), "mend that part of the URL"),
)
_LOCKED_TEXTS = ("database is locked", "database table is locked", "database schema is locked")


class MissingTableError(StoreError):
    """A table is not there."""


def translate(
    error: Exception, url: StoreURL, lost: bool = False, subject: str | None = None
) -> StoreError:
    """Returns the error to raise in place of the driver's.

    Args:
        error: The driver's.
        url: Where the database is.
        lost: Whether the connection broke.
        subject: What the statement was about.
    """
    said = scrub(_first_line(error), url)
    code = code_of(error)
    if isinstance(error, sqlite3.IntegrityError) or code.startswith(_REFUSED_CODES):
        return StoreError(
            f"the database refused the change, and nothing was written: {said} ({masked(url)})"
        )
    if code in _MISSING_CODES or said.startswith("no such table"):
        return MissingTableError(
            f"{said} in {masked(url)}; the schema is not whole: restore the database from a backup"
        )
    if url.is_sqlite:
        return _sqlite(error, said, url)
    if code in _LOCKED_CODES:
        return locked(said, url, subject)
    return _postgresql(error, said, url, lost)


def code_of(error: Exception) -> str:
    """The server's code for what went wrong; empty where there is none."""
    return getattr(error, "pgcode", None) or ""


def _sqlite(error: Exception, said: str, url: StoreURL) -> StoreError:
    if "disk is full" in said:
        return _full(said, url)
    if said.startswith(_LOCKED_TEXTS):
        return locked(said, url)
    if "readonly" in said:
        return _read_only(said, url)
    if "unable to open database file" in said:
        return _cannot_open(said, url)
    if "not a database" in said or "malformed" in said:
        return StoreError(
            f"{masked(url)} is not an SQLite database or is damaged ({said}); "
            "give the path of another file, or restore it from a backup"
        )
    return _other(error, said, url)


def _cannot_open(said: str, url: StoreURL) -> StoreError:
    path = sqlite_path(url)
    if path is None:
        return _absent(f"the database {masked(url)} cannot be opened: {said}")
    if _forbidden(path):
        return StoreReadOnlyError(
            f"the store {masked(url)} may not be opened: permission denied for {path} or its "
            "folder; give this user the right to read and write both, or give another store"
        )
    # os.path answers where pathlib raises PermissionError.
    if not os.path.isdir(path.parent):
        return _absent(
            f"the folder {path.parent} of the store {masked(url)} does not exist; "
            "create it, or give another path"
        )
    if os.path.isdir(path):
        return _absent(
            f"the store {masked(url)} must be a file, got a folder; give a file's path in it"
        )
    return _absent(f"the store {masked(url)} cannot be opened ({said}); check that the file exists")


def _absent(message: str) -> StoreUnavailableError:
    return StoreUnavailableError(message, may_pass=False)


def _forbidden(path: Path) -> bool:
    nearest = next(folder for folder in path.parents if os.path.isdir(folder))
    if nearest != path.parent:
        return not os.access(nearest, os.X_OK)
    # SQLite writes its journal beside the file.
    folder_closed = not os.access(nearest, os.W_OK | os.X_OK)
    return folder_closed or (os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK))


def _postgresql(error: Exception, said: str, url: StoreURL, lost: bool) -> StoreError:
    code = code_of(error)
    if code in _READ_ONLY_CODES:
        return _read_only(said, url)
    if code == _FULL_CODE:
        return _full(said, url)
    if "invalid dsn" in said or "invalid connection option" in said:
        return StoreURLError(f"the driver refuses the URL {masked(url)}: {said}")
    silent = type(error).__name__ in ("OperationalError", "InterfaceError") and not code
    if lost or silent or code.startswith(_LOST_CODES):
        return StoreUnavailableError(
            f"the database {masked(url)} cannot be reached: {said}; {_remedy(said)}",
            may_pass=_REFUSED.search(said) is None,
        )
    return _other(error, said, url)


def _remedy(said: str) -> str:
    usual = "check that the server runs and that host, port, user and password are right"
    return next((remedy for pattern, remedy in _REMEDIES if pattern.search(said)), usual)


def locked(said: str, url: StoreURL, subject: str | None = None) -> StoreError:
    """The error to raise where a lock was not free in time."""
    held = masked(url) if subject is None else f"{subject} in {masked(url)}"
    return StoreLockedError(
        f"another process held the lock of {held} for too long ({said}); try again, "
        "or end the process that holds it"
    )


def _full(said: str, url: StoreURL) -> StoreError:
    return StoreError(
        f"the disk of {masked(url)} is full, and nothing was written ({said}); make room on it, "
        "then do this again"
    )


def _read_only(said: str, url: StoreURL) -> StoreError:
    return StoreReadOnlyError(
        f"the store {masked(url)} may not be written to ({said}); "
        "give this user the right to write, or give another store"
    )


def _other(error: Exception, said: str, url: StoreURL) -> StoreError:
    return StoreError(f"the database {masked(url)} failed: {type(error).__name__}: {said}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
