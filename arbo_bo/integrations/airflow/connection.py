"""Where arbo's database is: an Airflow connection, or an environment variable."""

import json
import os
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode

from arbo_bo.errors import StoreURLError

DEFAULT_CONNECTION = "arbo_default"
ENVIRONMENT_VARIABLE = "ARBO_DATABASE_URL"
CONNECT_TIMEOUT_S = 3
"""How long one attempt to reach the server may take, unless the connection says otherwise [s]."""

_POSTGRESQL_TYPES = ("postgres", "postgresql")
_LIBPQ_OPTIONS = frozenset({
    "application_name", "channel_binding", "connect_timeout", "gssencmode", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "options", "service", "sslcert",
    "sslkey", "sslmode", "sslpassword", "sslrootcert", "target_session_attrs",
})  # fmt: skip


class ConnectionFields(Protocol):
    """The fields of an Airflow connection that are read."""

    conn_id: str
    conn_type: str | None
    host: str | None
    schema: str | None
    login: str | None
    password: str | None
    port: int | None
    extra: str | None


def url_from_environment() -> str | None:
    """Returns ``$ARBO_DATABASE_URL``; None where it is unset or empty."""
    return os.environ.get(ENVIRONMENT_VARIABLE) or None


def url_of(connection: ConnectionFields) -> str:
    """Returns the store's URL of a connection, built from its fields.

    Airflow's own ``get_uri()`` begins with ``postgres://``, and holds extras that no driver knows.

    Args:
        connection: Of type ``postgres``: host (a folder that begins with ``/`` holds the server's
            socket), schema (the database), login, password, port; of the extras those that libpq
            knows, such as ``sslmode``. Or of type ``sqlite``: host is the path of the file.

    Raises:
        StoreURLError: It has another type, lacks its database, or its extra is no JSON object.
    """
    if connection.conn_type in _POSTGRESQL_TYPES:
        return _postgresql_url(connection)
    if connection.conn_type == "sqlite":
        path = connection.host or connection.schema
        if not path:
            raise StoreURLError(
                f"connection {connection.conn_id!r} of type sqlite needs the path of its file "
                "as host"
            )
        return f"sqlite:///{path}"
    raise StoreURLError(
        f"connection {connection.conn_id!r} must be of type postgres (or sqlite), "
        f"got {connection.conn_type!r}; change its type under Admin > Connections"
    )


def _postgresql_url(connection: ConnectionFields) -> str:
    if not connection.schema:
        raise StoreURLError(
            f"connection {connection.conn_id!r} names no database; give it in the field Schema "
            "(Database)"
        )
    options = {"connect_timeout": str(CONNECT_TIMEOUT_S)}
    options |= {k: str(v) for k, v in _extra(connection).items() if k in _LIBPQ_OPTIONS}
    host = connection.host or ""
    if host.startswith("/"):
        options["host"], host = host, ""
    user = quote(connection.login or "", safe="")
    if connection.password:
        user += ":" + quote(connection.password, safe="")
    if ":" in host and not host.startswith("["):  # an IPv6 address
        host = f"[{host}]"
    if connection.port:
        if host:
            host += f":{connection.port}"
        else:
            options["port"] = str(connection.port)
    place = f"{user}@{host}" if user else host
    return f"postgresql://{place}/{quote(connection.schema, safe='')}?{urlencode(options)}"


def _extra(connection: ConnectionFields) -> Mapping[str, object]:
    if not connection.extra:
        return {}
    try:
        extra = json.loads(connection.extra)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise StoreURLError(f"the extra of connection {connection.conn_id!r} must be a JSON object")
    return extra
