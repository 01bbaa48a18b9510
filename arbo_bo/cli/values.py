"""How the texts of options become values."""

from typing import overload

from arbo_bo._parse import parse_size, parse_time_s
from arbo_bo.context.input_size import UNKNOWN, Fallback
from arbo_bo.errors import InvalidValueError
from arbo_bo.execution.cores import available_cores
from arbo_bo.experiment import SearchSpace
from arbo_bo.experiment.experiment import DEFAULT_SPACE

AUTO, CORES = "auto", "cores"


def parse_parallelism(text: str | None) -> SearchSpace | None:
    """Reads ``1:32``, ``1,2,4``, ``4``, ``1:cores``, or ``auto``, which is the same.

    Raises:
        InvalidValueError: It is none of these.
    """
    if text is None:
        return None
    if text.strip() == AUTO:
        text = f"1:{CORES}"
    try:
        if ":" in text:
            low, high = text.split(":")
            smallest, largest = _degree(low), _degree(high)
            if high.strip() == CORES:  # a machine that has fewer than the smallest degree
                largest = max(smallest, largest)
            return SearchSpace.between(smallest, largest)
        return SearchSpace(tuple(map(_degree, text.split(","))))
    except InvalidValueError:
        raise
    except ValueError as err:
        raise InvalidValueError(
            "allowed degrees are written 1:32 (a range) or 1,2,4 (a list), or 1:cores or auto, "
            f"got {text!a}"
        ) from err


def all_cores(default: int | None = None) -> SearchSpace:
    """From one worker to the cores of this process, or to the default degree if that is more.

    Without being told which degrees are allowed, nobody takes more than the usual ones.
    """
    return SearchSpace.between(1, max(available_cores(), min(default or 1, DEFAULT_SPACE.largest)))


def _degree(text: str) -> int:
    return available_cores() if text.strip() == CORES else int(text)


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
