"""The size of a run's input, from what the place that holds it says about it."""

import glob
import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, Literal
from urllib.parse import unquote

from arbo_bo._parse import parse_size
from arbo_bo.context.deadline import within
from arbo_bo.context.http import content_length
from arbo_bo.context.secrets import masked, scrubbed
from arbo_bo.errors import InputSizeError, InvalidValueError
from arbo_bo.experiment import validation

logger = logging.getLogger("arbo_bo")

SizeSource = float | str | os.PathLike[str]
"""A size, or the path or URL of what has one."""

UNKNOWN: Final = "unknown"
Fallback = float | Literal["unknown"] | None

TIMEOUT_S = 5.0
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def input_size_of(
    source: SizeSource | None, fallback: Fallback = None, timeout_s: float = TIMEOUT_S
) -> float | None:
    """The size of a run's input; metadata is read, never the content.

    A string that is a number is one, and 2GB is 2e9 bytes; a file of such a name is ./2GB. A path
    names a file, or a directory with all that is in it; a name that does not exist may be a glob,
    whose matches are summed. A URL is fsspec's business
    (``s3://``, ``gs://``, ``memory://``, ...), prefixes and globs included; ``http://`` and
    ``https://`` are asked directly, for one resource.

    Args:
        source: A size in any unit, or a path or URL, measured in bytes; None: unknown.
        fallback: What stands for a size that cannot be had: a number, or "unknown"; None: nothing
            does. The log says why it was needed.
        timeout_s: How long it may take [s].

    Returns:
        The size, above 0; None: unknown.

    Raises:
        InputSizeError: The size cannot be had, or is 0, and there is no fallback; the message shows
            the URL without its secrets.
        InvalidValueError: It is neither number, path nor URL.
    """
    if fallback is not None and fallback != UNKNOWN:
        fallback = validation.positive("the fallback of input_size", fallback)
    timeout_s = validation.positive("timeout_s", timeout_s)
    if source is None:
        return None
    text = _text(source)
    if not isinstance(text, str):
        return text
    problem = None
    try:
        size = within(timeout_s, lambda: _measure(text, timeout_s))
        if size > 0:
            return float(size)
        problem = "it is empty, and a size must be above 0"
    except Exception as err:  # a driver of fsspec may raise anything
        problem = scrubbed(_said(err), text)
    # Outside of the handler: what a driver raises may show the URL's secrets in a traceback.
    message = f"the input size of {masked(text)} cannot be had: {problem}"
    if fallback is None:
        raise InputSizeError(f"{message}; give a number such as 1500 or 2GB, or a fallback")
    logger.warning("%s; it is taken as %s", message, fallback)
    return None if fallback == UNKNOWN else float(fallback)


def _text(source: SizeSource) -> str | float:
    """A path or URL as text, a number as a number."""
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    elif isinstance(source, str):
        source = _number(source)
    if isinstance(source, str) and source:
        return source
    if isinstance(source, (str, bytes)) or not hasattr(source, "__float__"):
        raise InvalidValueError(
            f"input_size must be a number, a path or a URL, got {validation.short(source)}"
        )
    return validation.positive("input_size", source)


def _number(text: str) -> str | float:
    for read in (float, parse_size):
        with suppress(ValueError):
            return read(text)
    return text


def _measure(text: str, timeout_s: float) -> int:
    scheme = _SCHEME.match(text)
    name = "" if scheme is None else scheme[1].lower()
    if name in ("", "file"):
        path = text if scheme is None else unquote(text[scheme.end() :])
        return sum(_local_sizes(os.path.expanduser(path)).values())
    if name in ("http", "https"):
        length = content_length(text, timeout_s)
        if length is None:
            raise ValueError("the server names no length")
        return length
    return sum(_remote_sizes(text).values())


def _local_sizes(path: str) -> dict[str, int]:
    """Size of every file that a path or glob stands for, by its path."""
    if os.path.lexists(path):
        found = [path]
    elif glob.has_magic(path):
        found = glob.glob(path, recursive=True)
    else:
        raise FileNotFoundError("there is no such file or directory")
    if not found:
        raise FileNotFoundError("nothing matches")
    files = {os.path.normpath(file) for start in found for file in _files(start)}
    sizes = {}
    for file in files:
        try:
            status = os.stat(file)
        except FileNotFoundError:  # gone meanwhile, or a link that leads nowhere
            continue
        if stat.S_ISREG(status.st_mode):
            sizes[file] = status.st_size
    return sizes


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, _, names in os.walk(path, onerror=_raise):
        yield from (os.path.join(folder, name) for name in names)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _remote_sizes(url: str) -> dict[str, int]:
    """Size of every object that a URL, a prefix or a glob stands for, by its name."""
    if "::" in url:
        raise ValueError("a chain of URLs would have to be opened; give the innermost one")
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url)
    system.invalidate_cache()  # of an earlier listing, in this process
    try:
        found = [system.info(path)]
    except FileNotFoundError:
        if not glob.has_magic(path):
            raise
        found = list(system.glob(path, detail=True).values())
        if not found:
            raise FileNotFoundError("nothing matches") from None
    return {str(info["name"]): _size(info) for info in _objects(system, found)}


def _objects(system: Any, found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for info in found:
        if info["type"] == "directory":
            yield from system.find(info["name"], detail=True).values()
        else:
            yield info


def _size(info: dict[str, Any]) -> int:
    if info.get("size") is None:
        raise ValueError("the server names no size")
    return int(info["size"])


def _said(error: Exception) -> str:
    """What went wrong, in the words of the system or the driver."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, FileNotFoundError):
        return error.strerror
    text = str(error)
    if isinstance(error, FileNotFoundError) and not text.startswith(("there is", "nothing")):
        return "there is no such object or prefix"
    return text or type(error).__name__
