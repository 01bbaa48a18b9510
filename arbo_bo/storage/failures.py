"""What a database's failure means, in one line that shows no secret.

The driver's exception is never chained: its text and its arguments may hold the password.
"""

import os
import re
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from arbo_bo.errors import (
    StoreError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreUnavailableError,
    StoreURLError,
)
from arbo_bo.storage.url import masked, scrub, sqlite_path

_LOCKED_CODES = ("55P03", "40P01", "40001")  # lock timeout, deadlock, serialization
_READ_ONLY_CODES = ("25006", "42501")  # read-only transaction, insufficient privilege
_LOST_CODES = ("08", "533", "57")  # connection, too many of them, operator intervention
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


def translate(error: Exception, url: URL) -> StoreError:
    """Returns the error to raise in place of SQLAlchemy's or the driver's."""
    said = scrub(_first_line(error), url)
    if isinstance(error, IntegrityError):
        return StoreError(
            f"the database refused the change, and nothing was written: {said} ({masked(url)})"
        )
    if isinstance(error, PoolTimeoutError):
        return _locked("no connection became free", url)
    if url.get_backend_name() == "sqlite":
        return _sqlite(error, said, url)
    return _postgresql(error, said, url)


def _sqlite(error: Exception, said: str, url: URL) -> StoreError:
    if "disk is full" in said:
        return _full(said, url)
    if said.startswith(_LOCKED_TEXTS):
        return _locked(said, url)
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


def _cannot_open(said: str, url: URL) -> StoreError:
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


def _postgresql(error: Exception, said: str, url: URL) -> StoreError:
    driver = getattr(error, "orig", None) or error
    code = getattr(driver, "pgcode", None) or ""
    if code in _LOCKED_CODES:
        return _locked(said, url)
    if code in _READ_ONLY_CODES:
        return _read_only(said, url)
    if code == _FULL_CODE:
        return _full(said, url)
    if "invalid dsn" in said or "invalid connection option" in said:
        return StoreURLError(f"the driver refuses the URL {masked(url)}: {said}")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    silent = isinstance(error, OperationalError) and not code
    if lost or silent or code.startswith(_LOST_CODES):
        return StoreUnavailableError(
            f"the database {masked(url)} cannot be reached: {said}; {_remedy(said)}",
            may_pass=_REFUSED.search(said) is None,
        )
    return _other(error, said, url)


def _remedy(said: str) -> str:
    usual = "check that the server runs and that host, port, user and password are right"
    return next((remedy for pattern, remedy in _REMEDIES if pattern.search(said)), usual)


def _locked(said: str, url: URL) -> StoreError:
    return StoreLockedError(
        f"another process held the lock of {masked(url)} for too long ({said}); try again, "
        "or end the process that holds it"
    )


def _full(said: str, url: URL) -> StoreError:
    return StoreError(
        f"the disk of {masked(url)} is full, and nothing was written ({said}); make room on it, "
        "then do this again"
    )


def _read_only(said: str, url: URL) -> StoreError:
    return StoreReadOnlyError(
        f"the store {masked(url)} may not be written to ({said}); "
        "give this user the right to write, or give another store"
    )


def _other(error: Exception, said: str, url: URL) -> StoreError:
    driver = getattr(error, "orig", None) or error
    return StoreError(f"the database {masked(url)} failed: {type(driver).__name__}: {said}")


def _first_line(error: Exception) -> str:
    driver = getattr(error, "orig", None) or error
    lines = [line.strip() for line in str(driver).splitlines() if line.strip()]
    return lines[0] if lines else type(driver).__name__
