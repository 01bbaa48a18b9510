"""HTTP as far as a context needs it: what a server says about a resource, and a query."""

import base64
import re
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import cast
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import Request, urlopen

_USER = re.compile(r"(https?://)([^/?#]*)@", re.IGNORECASE)
_RANGE_TOTAL = re.compile(r"bytes .*/(\d+)")


def opened(
    url: str, timeout_s: float, method: str = "GET", headers: Mapping[str, str] | None = None
) -> HTTPResponse:
    """The response to a request; ``user:password@`` in the URL becomes basic authentication.

    Args:
        url: ``http://`` or ``https://``.
        timeout_s: Limit of each step, such as the connection [s].
        method: GET or HEAD.
        headers: Of the request.

    Raises:
        OSError: The server is not there, or answers with an error (`HTTPError`).
        ValueError: The URL is none.
    """
    user = _USER.match(url)
    request = Request(_USER.sub(r"\1", url), headers=dict(headers or {}), method=method)
    if user is not None:
        secret = base64.b64encode(unquote(user[2]).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
    return cast(HTTPResponse, urlopen(request, timeout=timeout_s))


def content_length(url: str, timeout_s: float) -> int | None:
    """What a resource weighs [bytes], its content left where it is; None: the server does not say.

    HEAD first. A server that refuses that, as one does with a link signed for reading alone, or
    names no length there, is asked for the first byte: its answer names the whole.

    Raises:
        OSError: As in `opened`.
        ValueError: As in `opened`.
    """
    identity = {"Accept-Encoding": "identity"}
    try:
        with opened(url, timeout_s, "HEAD", identity) as response:
            if length := _length(response):
                return length
    except HTTPError as err:
        err.close()
    try:
        with opened(url, timeout_s, "GET", {**identity, "Range": "bytes=0-0"}) as response:
            return _length(response)
    except HTTPError as err:
        err.close()
        raise


def _length(response: HTTPResponse) -> int | None:
    if response.status == 206:
        match = _RANGE_TOTAL.fullmatch(response.headers.get("Content-Range", ""))
        return None if match is None else int(match[1])
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
