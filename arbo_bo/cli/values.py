"""How the texts of options become values."""

from typing import overload

from arbo_bo._parse import parse_size, parse_time_s
from arbo_bo.context.input_size import UNKNOWN, Fallback
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import SearchSpace


def parse_parallelism(text: str | None) -> SearchSpace | None:
    """Reads ``1:32``, ``1,2,4`` or ``4``.

    Raises:
        InvalidValueError: It is none of these.
    """
    if text is None:
        return None
    try:
        if ":" in text:
            low, high = (int(part) for part in text.split(":"))
            return SearchSpace.between(low, high)
        return SearchSpace(tuple(int(part) for part in text.split(",")))
    except InvalidValueError:
        raise
    except ValueError as err:
        raise InvalidValueError(
            f"allowed degrees are written 1:32 (a range) or 1,2,4 (a list), got {text!a}"
        ) from err


@overload
def parse_duration_s(
    name: str, text: str, needs_unit: bool = False, may_be_zero: bool = False
) -> float: ...
@overload
def parse_duration_s(
    name: str, text: str | None, needs_unit: bool = False, may_be_zero: bool = False
) -> float | None: ...
def parse_duration_s(
    name: str, text: str | None, needs_unit: bool = False, may_be_zero: bool = False
) -> float | None:
    """Reads ``90``, ``90s``, ``1h30m``, ``2 min 05 s`` or ``0:01:30`` as seconds.

    Args:
        name: The option's name, for the message.
        text: What was given; None: nothing.
        needs_unit: Whether a bare number is refused.
        may_be_zero: Whether no time at all is one.

    Raises:
        InvalidValueError: It is no duration, has no unit, or is not above zero.
    """
    if text is None:
        return None
    above = "" if may_be_zero else ", above 0"
    expected = f"{name} must be a time such as 90s, 10m or 1.5h{above}, got {text!a}"
    try:
        value = parse_time_s(text)
    except ValueError as err:
        raise InvalidValueError(expected) from err
    if value == 0 and not may_be_zero:
        raise InvalidValueError(expected)
    try:
        return parse_time_s(text, needs_unit)
    except ValueError as err:
        unit = f"as in {text.strip()}s or 10m"
        raise InvalidValueError(f"{name} needs a unit, {unit}, got {text!a}") from err


def parse_fallback(text: str | None) -> Fallback:
    """Reads ``unknown`` or a size.

    Raises:
        InvalidValueError: It is neither.
    """
    if text is None:
        return None
    if text == UNKNOWN:
        return UNKNOWN
    try:
        return parse_size(text)
    except ValueError as err:
        raise InvalidValueError(
            f"--input-size-fallback must be a size or 'unknown', got {text!a}"
        ) from err
