"""How the texts of options become values."""

import math
import re
from typing import overload

from arbo_bo.context.input_size import UNKNOWN, Fallback
from arbo_bo.errors import InvalidValueError
from arbo_bo.execution.cores import available_cores
from arbo_bo.experiment import SearchSpace

AUTO, CORES = "auto", "cores"
_UNITS_S = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


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
            "allowed degrees are written 1:32 (a range), 1,2,4 (a list), 1:cores or auto, "
            f"got {text!a}"
        ) from err


def all_cores() -> SearchSpace:
    """From one worker to as many as this machine has cores for this process."""
    return SearchSpace.between(1, available_cores())


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
    """Reads ``90``, ``90s``, ``10m`` or ``1.5h`` as seconds.

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
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([a-z]*)\s*", text)
    try:
        value = float(match[1]) * _UNITS_S[match[2]] if match else math.nan
    except (ValueError, KeyError):
        value = math.nan
    if not (0 < value < math.inf or (may_be_zero and value == 0)):
        above = "" if may_be_zero else ", above 0"
        raise InvalidValueError(
            f"{name} must be a time such as 90s, 10m or 1.5h{above}, got {text!a}"
        )
    if needs_unit and match and not match[2]:
        raise InvalidValueError(f"{name} needs a unit, as in {text.strip()}s or 10m, got {text!a}")
    return value


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
        return float(text)
    except ValueError as err:
        raise InvalidValueError(
            f"--input-size-fallback must be a size or 'unknown', got {text!a}"
        ) from err
