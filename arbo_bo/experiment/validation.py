"""Checks at the public edge; inside, values are trusted."""

import math
import numbers
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from arbo_bo.errors import InvalidValueError

Choice = TypeVar("Choice", bound=StrEnum)

MAX_NAME_LENGTH = 255
MIN_MAGNITUDE, MAX_MAGNITUDE = 1e-300, 1e300
"""Bounds on times, sizes and prices: far beyond any real one, and within what a double can divide
and a database can hold."""


def real(name: str, value: Any) -> float:
    """Returns `value` as a finite float.

    Raises:
        InvalidValueError: It is no real number (a bool or a string is none), or is NaN or infinite.
    """
    # float and int first: asking an abstract class is ten times as slow.
    if isinstance(value, bool) or not isinstance(value, (float, int, numbers.Real)):
        raise InvalidValueError(f"{name} must be a number, got {short(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValueError(f"{name} must be finite, got {number}")
    return number


def positive(name: str, value: Any) -> float:
    """Returns `value` as a float that is finite and above zero."""
    number = real(name, value)
    if number <= 0:
        raise InvalidValueError(f"{name} must be greater than 0, got {number:g}")
    return _in_range(name, number)


def non_negative(name: str, value: Any) -> float:
    """Returns `value` as a float that is finite and not below zero."""
    number = real(name, value)
    if number < 0:
        raise InvalidValueError(f"{name} must be 0 or more, got {number:g}")
    return number if number < MIN_MAGNITUDE else _in_range(name, number)


def _in_range(name: str, number: float) -> float:
    if not MIN_MAGNITUDE <= number < MAX_MAGNITUDE:
        raise InvalidValueError(
            f"{name} must lie between {MIN_MAGNITUDE:g} and {MAX_MAGNITUDE:g}, got {number:g}"
        )
    return number


def fraction(name: str, value: Any) -> float:
    """Returns `value` as a float in [0, 1]."""
    number = real(name, value)
    if not 0 <= number <= 1:
        raise InvalidValueError(f"{name} must lie in [0, 1], got {number:g}")
    return number


def inner_fraction(value: Any, name: str = "confidence") -> float:
    """Returns `value` as a float strictly between 0 and 1."""
    number = real(name, value)
    if not 0 < number < 1:
        raise InvalidValueError(f"{name} must lie strictly between 0 and 1, got {number:g}")
    return number


def integer(name: str, value: Any, minimum: int, maximum: int = 2**31 - 1) -> int:
    """Returns `value` as an int in [minimum, maximum]; 4.0 is taken, 4.5 is not."""
    number = real(name, value)
    if not number.is_integer():
        raise InvalidValueError(f"{name} must be a whole number, got {number:g}")
    if not minimum <= number <= maximum:
        raise InvalidValueError(f"{name} must lie in [{minimum}, {maximum}], got {number:g}")
    return int(number)


def identifier(name: str, value: Any) -> str:
    """Returns `value` as a name: 1 to 255 printable characters, no blank at either end.

    Printable means that a name can be shown in a terminal, a log or a table as it is: control
    characters, newlines and lone surrogates are refused.
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} must be a string, got {short(value)}")
    if not value or len(value) > MAX_NAME_LENGTH:
        raise InvalidValueError(
            f"{name} must have 1 to {MAX_NAME_LENGTH} characters, got {len(value)}"
        )
    if not value.isprintable() or value != value.strip():
        raise InvalidValueError(
            f"{name} must be printable, without newlines, control characters or blanks at its "
            f"ends, got {short(value)}"
        )
    return value


def member(name: str, value: Any, kind: type[Choice]) -> Choice:
    """Returns `value` as a member of an enumeration; the message lists the members."""
    try:
        return kind(value)
    except ValueError as err:
        raise InvalidValueError(
            f"{name} must be one of {', '.join(kind)}, got {short(value)}"
        ) from err


def aware(name: str, value: Any) -> datetime:
    """Returns `value` as a timezone-aware datetime."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidValueError(f"{name} must be a timezone-aware datetime, got {short(value)}")
    try:
        value.astimezone(UTC)
    except OverflowError as err:
        raise InvalidValueError(f"{name} must be within the years 1 to 9999 in UTC") from err
    return value


def short(value: object, limit: int = 60) -> str:
    """Returns a one-line picture of any value for a message, cut to `limit` characters."""
    text = ascii(value) if isinstance(value, str) else f"{type(value).__name__} {value!a}"
    return text if len(text) <= limit else text[: limit - 3] + "..."
