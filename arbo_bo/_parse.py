"""Quantities as people write them, and as `arbo_bo._format` and other programs print them."""

import math
import re

_SECONDS = {
    1e-6: "us µs μs microsecond microseconds",
    1e-3: "ms msec msecs millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "m min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
    7 * 86400.0: "w week weeks",
}
_TIME_UNITS = {name: unit_s for unit_s, names in _SECONDS.items() for name in names.split()}
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|\.[0-9]+"
_PART = re.compile(rf"\s*({_NUMBER})\s*([a-zµμ]+)[\s,]*", re.IGNORECASE)
_BARE = re.compile(rf"\s*({_NUMBER})\s*", re.IGNORECASE)
_CLOCK = re.compile(r"\s*(?:([0-9]+):)?([0-5]?[0-9]):([0-5]?[0-9](?:\.[0-9]*)?)\s*")
"""Hours, minutes and seconds, or minutes and seconds, as ``time`` prints them."""

_PREFIXES = " kMGTPE"
_SIZE = re.compile(rf"\s*({_NUMBER})\s*([kmgtpe]?)(i?)(b|bytes?)?\s*", re.IGNORECASE)


def parse_time_s(text: str, needs_unit: bool = False) -> float:
    """Reads a time: 90, 40sec, 1h30m, 2 min 05 s, 0:01:30; a bare number is seconds.

    Args:
        text: What was written.
        needs_unit: Whether a bare number, and ``1:30``, is refused: it might be either.

    Returns:
        The time [s], 0 or more.

    Raises:
        ValueError: It is no time, or lacks a unit.
    """
    bare, clock = _BARE.fullmatch(text), _CLOCK.fullmatch(text)
    if needs_unit and (bare or (clock and clock[1] is None)):
        raise ValueError(f"no unit: {text!a}")
    if bare is not None:
        return _finite(text, float(bare[1]))
    if clock is not None:
        minutes = 60 * int(clock[1] or 0) + int(clock[2])
        return _finite(text, 60.0 * minutes + float(clock[3]))
    total_s, smallest_s, at = 0.0, math.inf, 0
    while (part := _PART.match(text, at)) is not None:
        unit_s = _TIME_UNITS.get(part[2].lower(), math.inf)
        if unit_s >= smallest_s:  # unknown, or not below the one before
            break
        total_s, smallest_s, at = total_s + float(part[1]) * unit_s, unit_s, part.end()
    if not at or at != len(text):
        raise ValueError(f"no time: {text!a}")
    return _finite(text, total_s)


def parse_size(text: str) -> float:
    """Reads a size: 1234, 2GB, 1.5 GiB, 400 kB; k, M, G, ... are powers of 1000, Ki, ... of 1024.

    Raises:
        ValueError: It is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"no size: {text!a}")
    power = _PREFIXES.lower().index(match[2].lower() or " ")
    return _finite(text, float(match[1]) * (1024.0 if match[3] else 1000.0) ** power)


def _finite(text: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"out of range: {text!a}")
    return value
