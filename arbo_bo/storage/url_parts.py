"""The parts of a database's URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote

MASK = "***"
_FORM = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<place>[^/?]*)"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]*))?")


@dataclass(frozen=True)
class StoreURL:
    """Where a database is.

    Attributes:
        drivername: ``sqlite`` or ``postgresql+psycopg2``.
        username: Who connects.
        password: Its secret.
        host: One host, or several with commas between.
        port: One port, or several with commas between, one for each host.
        database: A database's name, or a file's path.
        query: Parameters.
    """

    drivername: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | str | None = None
    database: str | None = None
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether it names an SQLite database."""
        return self.drivername == "sqlite"

    def render(self, hide_password: bool = True) -> str:
        """The URL as text; what is hidden is the password alone, see `masked`."""
        text = f"{self.drivername}://"
        if self.username is not None:
            text += quote(self.username, safe=" +")
            if self.password is not None:
                text += ":" + (MASK if hide_password else quote(self.password, safe=" +"))
            text += "@"
        text += _place(self.host, self.port)
        if self.database is not None:
            text += "/" + quote(self.database, safe=" +/")
        pairs = [f"{quote_plus(key)}={quote_plus(self.query[key])}" for key in sorted(self.query)]
        return text + ("?" + "&".join(pairs) if pairs else "")


def _place(host: str | None, port: int | str | None) -> str:
    hosts = [] if host is None else host.split(",")
    ports = [] if port is None else str(port).split(",")
    shown = [f"[{name}]" if ":" in name else name for name in hosts or [""]]
    if len(ports) == 1:
        ports *= len(shown)
    return ",".join(
        name + (f":{number}" if number else "")
        for name, number in zip(shown, ports or [""] * len(shown), strict=True)
    )


def split_place(text: str) -> tuple[str | None, int | str | None]:
    """The hosts and ports of ``host:port``, or of several with commas between."""
    found = [_HOST.fullmatch(part) for part in text.split(",")]
    if not text:
        return None, None
    hosts, ports = [], []
    for match in found:
        if match is None:
            raise ValueError("no host and port")
        hosts.append(match["ipv6"] or match["name"])
        ports.append(match["port"] or "")
    port: int | str | None = ",".join(ports) if any(ports) else None
    if len(ports) == 1 and ports[0]:
        port = int(ports[0])
    return ",".join(hosts) or None, port


def parse_url(text: str) -> StoreURL:
    """The parts of a URL.

    Raises:
        ValueError: It is none.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("no URL")
    host, port = split_place(match["place"])
    query: dict[str, str] = {}
    for key, value in parse_qsl(match["query"] or ""):
        query[key] = f"{query[key]},{value}" if key in query else value
    return StoreURL(
        match["scheme"],
        None if match["user"] is None else unquote(match["user"]),
        None if match["password"] is None else unquote(match["password"]),
        host,
        port,
        None if match["database"] is None else unquote(match["database"]),
        query,
    )
