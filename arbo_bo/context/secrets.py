"""URLs and messages without what must not be shown."""

import re

_URL = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?:(?P<user>[^/?#]*)@)?(?P<rest>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
# Anchored: a search would try every start of a long text.
_UNQUOTED_PASSWORD = re.compile(r"\A([^/:]+://)([^/:@]+:(?!\d+/)[^?#]*)@", re.DOTALL)
MASK = "***"
LONGEST = 500


def masked(source: str) -> str:
    """A path or URL fit for a message: no user, no password, no query that could be a signature.

    The query of a scheme other than HTTP is shown where it names nothing: there ``?`` is the glob
    for one character.
    """
    match = _URL.fullmatch(_UNQUOTED_PASSWORD.sub(rf"\1{MASK}@", source))
    if match is None:
        return printable(source)
    user = "" if match["user"] is None else f"{MASK}@"
    url = f"{match['scheme']}://{user}{match['rest']}"
    if match["query"] is not None:
        url += f"?{MASK}" if _secret_query(match) else f"?{match['query']}"
    return printable(url)


def scrubbed(text: str, source: str) -> str:
    """The first line of a message of others, without the secrets of the URL that it is about."""
    text = text.replace(source, masked(source))
    for secret in sorted(_secrets(source), key=len, reverse=True):
        text = text.replace(secret, MASK)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return printable(lines[0]) if lines else ""


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey, of at most 500 characters."""
    shown = "".join(ch if ch.isprintable() else "?" for ch in text[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."


def _secret_query(match: re.Match[str]) -> bool:
    return match["scheme"].lower().startswith("http") or "=" in match["query"]


def _secrets(source: str) -> set[str]:
    found: set[str] = set()
    if unquoted := _UNQUOTED_PASSWORD.match(source):
        found.update([unquoted[2], *unquoted[2].split(":")])
    match = _URL.fullmatch(source)
    if match is not None:
        if match["user"]:
            found.update([match["user"], *match["user"].split(":")])
        if match["query"] and _secret_query(match):
            pairs = match["query"].split("&")
            found.update([match["query"], *(pair.partition("=")[2] or pair for pair in pairs)])
    return {secret for secret in found if len(secret) > 3}
