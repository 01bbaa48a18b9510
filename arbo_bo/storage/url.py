"""The store's URL: which forms there are, and how one is shown without its secrets."""

import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

from arbo_bo.errors import StoreUnavailableError, StoreURLError
from arbo_bo.experiment.validation import short
from arbo_bo.storage.url_parts import MASK, StoreURL, parse_url

ENVIRONMENT_VARIABLE = "ARBO_DATABASE_URL"
SCHEMA_VARIABLE = "ARBO_DATABASE_SCHEMA"
FORMS = (
    "sqlite:///relative/path.db, sqlite:////absolute/path.db, sqlite:// (in memory), "
    "or postgresql://user:password@host:port/database, with ?schema=name if it is not public"
)
POSTGRESQL = "postgresql+psycopg2"
_SCHEMA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_POSTGRESQL_NAMES = ("postgres", "postgresql", POSTGRESQL)
_SQLITE_URI_KEYS = frozenset({"mode", "cache", "immutable", "nolock", "psow", "vfs"})
_SQLITE_KEYS = _SQLITE_URI_KEYS | {"uri", "timeout"}
# Any other parameter may hold a secret, now or in a later libpq: its value isn't shown.
_SHOWN_KEYS = _SQLITE_KEYS | {
    "schema",
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "load_balance_hosts",
    "port",
    "service",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
}


def resolve_url(url: str | None = None) -> StoreURL:
    """Returns the URL of the database to use.

    Args:
        url: None means ``$ARBO_DATABASE_URL``, and without that ``arbo.db`` in the user's data
            folder, which is created. ``postgres://`` and ``postgresql://`` mean psycopg2.

    Raises:
        StoreURLError: It cannot be understood, or names another database system.
        StoreUnavailableError: The user's data folder cannot be created.
    """
    text = os.environ.get(ENVIRONMENT_VARIABLE) or None if url is None else url
    if text is None:
        return StoreURL("sqlite", database=str(_data_folder() / "arbo.db"))
    if not isinstance(text, str):
        raise StoreURLError(f"the store's URL must be a string, got {type(text).__name__}")
    parsed = _parse(text)
    if parsed.drivername in _POSTGRESQL_NAMES:
        return _resolve_postgresql(replace(parsed, drivername=POSTGRESQL))
    if parsed.drivername == "sqlite":
        return _resolve_sqlite(parsed)
    raise StoreURLError(
        f"{parsed.drivername!r} is not supported as a store ({masked(text)}); "
        f"give one of these: {FORMS}"
    )


def masked(url: str | StoreURL) -> str:
    """Returns the URL with every secret in it hidden: fit for a message, a log or a repr."""
    if isinstance(url, str):
        scheme, separator, _ = url.partition("://")
        try:
            url = _parse(url)
        except StoreURLError:
            known = separator and scheme in (*_POSTGRESQL_NAMES, "sqlite")
            return f"{scheme}://{MASK}" if known else MASK
    query = {key: value if key in _SHOWN_KEYS else MASK for key, value in url.query.items()}
    shown = replace(url, query=query).render()
    return shown.replace(f"={quote_plus(MASK)}", f"={MASK}")


def without_secrets(url: StoreURL) -> StoreURL:
    """The URL without its password and whatever else may be a secret."""
    shown = {key: value for key, value in url.query.items() if key in _SHOWN_KEYS}
    return replace(url, password=None, query=shown)


def with_secrets(url: StoreURL) -> StoreURL:
    """The URL with the environment's secrets, where that names the same place."""
    if os.environ.get(ENVIRONMENT_VARIABLE):
        known = resolve_url(None)
        if without_secrets(known) == url:
            return known
    return url


def scrub(text: str, url: StoreURL) -> str:
    """Returns a driver's message with the URL's secrets removed, however they are written there."""
    written = {form for secret in _secrets(url) for form in _ways_to_write(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def sqlite_path(url: StoreURL) -> Path | None:
    """The file of an SQLite URL; None for a database in memory and for PostgreSQL."""
    if not url.is_sqlite or in_memory(url):
        return None
    database = url.database or ""
    if url.query.get("uri"):
        return Path(_plain(database))
    return Path(database)


def in_memory(url: StoreURL) -> bool:
    """Whether the URL names an SQLite database in memory."""
    if not url.is_sqlite:
        return False
    return (
        url.database in (None, "", ":memory:", "file::memory:") or url.query.get("mode") == "memory"
    )


def _parse(text: str) -> StoreURL:
    problem = _shape_problem(text)
    if problem is None:
        try:
            return parse_url(text)
        except Exception:  # its message may hold a part of the password
            problem = f"the store's URL cannot be understood; give one of these: {FORMS}"
    raise StoreURLError(problem)


def _shape_problem(text: str) -> str | None:
    scheme, separator, rest = text.partition("://")
    if not text.strip():
        return f"the store's URL is empty; give one of these: {FORMS}"
    if not separator:
        if any(mark in text for mark in "@=:?"):
            return f"the store's URL has no scheme; give one of these: {FORMS}"
        return f"{text!r} is not a URL; for an SQLite file write 'sqlite:///{text}'"
    if not scheme.startswith("sqlite") and rest.count("@") > 1:
        return (
            "the store's URL has more than one '@'; inside a password write %40 for '@', "
            "%2F for '/', %3A for ':' and %3F for '?'"
        )
    return None


def _resolve_postgresql(url: StoreURL) -> StoreURL:
    """The URL with its schema: the parameter's, else the environment's, else none."""
    schema = url.query.get("schema", os.environ.get(SCHEMA_VARIABLE) or None)
    if schema is None:
        return url
    if _SCHEMA_NAME.fullmatch(schema) is None:
        raise StoreURLError(
            "the schema in the store's URL must be a name of letters, digits and underscores, "
            f"63 at most, that begins with no digit, got {short(schema)}"
        )
    return replace(url, query={**url.query, "schema": schema})


def _resolve_sqlite(url: StoreURL) -> StoreURL:
    if url.host or url.username or url.password is not None or url.port:
        raise StoreURLError(
            "an SQLite URL names no host: write sqlite:///relative/path.db or "
            "sqlite:////absolute/path.db"
        )
    query = dict(url.query)
    if unknown := sorted(set(query) - _SQLITE_KEYS):
        raise StoreURLError(
            f"an SQLite URL takes {', '.join(sorted(_SQLITE_KEYS))}, got {', '.join(unknown)}"
        )
    _require_seconds(query.get("timeout"))
    if in_memory(url):
        kept = {key: value for key, value in query.items() if key == "timeout"}
        return StoreURL("sqlite", query=kept)
    path = url.database or ""
    by_uri = path.startswith("file:") or bool(_SQLITE_URI_KEYS & set(query))
    if query.pop("uri", "false") in ("true", "1") or by_uri:
        path = _plain(path) if path.startswith("file:") else path
        query["uri"] = "true"
        return replace(url, database=f"file:{quote(_absolute(path))}", query=query)
    return replace(url, database=_absolute(path), query=query)


def _plain(uri: str) -> str:
    """The path of SQLite's ``file:`` form."""
    path = unquote(uri.removeprefix("file:"))
    return path[2:] if path.startswith("///") else path


def _absolute(path: str) -> str:
    """Absolute, so that a later change of folder doesn't move the store."""
    try:
        return str(Path(path).expanduser().absolute())
    except (RuntimeError, OSError) as err:
        raise StoreURLError(f"the store's path {path!r} cannot be resolved: {err}") from err


def _require_seconds(value: object) -> None:
    if value is None:
        return
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise StoreURLError(f"timeout in the store's URL must be seconds, got {value!r}")


def _data_folder() -> Path:
    from platformdirs import user_data_path

    folder = user_data_path("arbo_bo")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise StoreUnavailableError(
            f"the folder {folder} for the store cannot be created ({err.strerror}); "
            f"set {ENVIRONMENT_VARIABLE} to {FORMS}"
        ) from err
    return folder


def _secrets(url: StoreURL) -> list[str]:
    found = [] if url.password is None else [str(url.password)]
    for key, value in url.query.items():
        if key not in _SHOWN_KEYS:
            found.append(value)
    return [secret for secret in found if secret]


def _ways_to_write(secret: str) -> set[str]:
    plain = {secret, repr(secret)[1:-1], ascii(secret)[1:-1]}
    plain.add(secret.replace("\\", "\\\\").replace("'", "\\'"))  # libpq's connection strings
    raw = secret.encode("utf-8", "surrogatepass")
    return plain | {quote(raw, safe=""), quote(raw), quote_plus(raw)}
