"""How the texts of options become values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from arbo_bo._parse import parse_size, parse_time_s
from arbo_bo.context.input_size import UNKNOWN, Fallback
from arbo_bo.errors import InvalidValueError
from arbo_bo.execution.cores import available_cores
from arbo_bo.experiment import SearchSpace, WorkerType, WorkerTypes
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


def parse_worker_types(texts: Sequence[str]) -> WorkerTypes:
    """Reads ``m5.xlarge:cpus=4,memory=16GB,price=0.192,startup=40s,parallelism=1:16``, each.

    Raises:
        InvalidValueError: One is none of these, or they do not go together.
    """
    return WorkerTypes.of([_worker_type(text) for text in texts])


def _worker_type(text: str) -> tuple[str, WorkerType]:
    name, _, rest = text.partition(":")
    values: dict[str, str] = {}
    key = ""
    for part in rest.split(","):
        if "=" in part:
            key, _, value = part.partition("=")
            key = key.strip()
            if key not in _OF_A_TYPE or key in values:
                raise InvalidValueError(f"{_EXPECTED_TYPE}, got {text!a}")
            values[key] = value
        elif key == "parallelism":  # a list of degrees has commas too
            values[key] += f",{part}"
        else:
            raise InvalidValueError(f"{_EXPECTED_TYPE}, got {text!a}")
    try:
        known = {_OF_A_TYPE[key][0]: _OF_A_TYPE[key][1](value) for key, value in values.items()}
        return name, WorkerType(**known)
    except InvalidValueError as err:
        raise InvalidValueError(f"--worker-type {name}: {err}") from err
    except (TypeError, ValueError) as err:
        raise InvalidValueError(f"{_EXPECTED_TYPE}, got {text!a}") from err


def _gigabytes(text: str) -> float:
    """A number is gigabytes; with a unit it is what the unit says."""
    try:
        return float(text)
    except ValueError:
        return parse_size(text) / 1e9


def _startup_s(text: str) -> float:
    return parse_duration_s("startup", text, may_be_zero=True)


_OF_A_TYPE: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "cpus": ("cpus", float),
    "memory": ("memory_gb", _gigabytes),
    "price": ("price_per_hour", float),
    "startup": ("startup_s", _startup_s),
    "parallelism": ("parallelism", parse_parallelism),
}
_EXPECTED_TYPE = (
    "a worker type is written NAME:cpus=4,memory=16GB, perhaps with price=0.192, startup=40s and "
    "parallelism=1:16"
)


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
