"""arbo by the names of its settings: ``arbo:usl``, ``arbo:lcb+additive``, ``arbo:window=20``."""

from dataclasses import Field, fields
from enum import StrEnum
from typing import Any

from arbo_bo.acquisition.registry import available
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Strategy

PREFIX = "arbo:"
NUMBERS = (bool, int, float)


def named_settings() -> dict[str, dict[str, Any]]:
    """Every name that may follow ``arbo:`` -> the setting of an `Experiment` that it stands for.

    These are the acquisition functions, and the members of each setting that is a choice, such as a
    mean; whoever adds one there adds it here. Settings of its `Strategy` count as the experiment's.
    """
    acquisitions = {name: {"acquisition": name} for name in available()}
    return acquisitions | {
        str(member): {field.name: member}
        for field in _fields()
        if isinstance(field.default, StrEnum)
        for member in type(field.default)
    }


def _fields() -> "tuple[Field[Any], ...]":
    return (*fields(Experiment), *fields(Strategy))


def variant_names() -> tuple[str, ...]:
    """One policy for each of `named_settings`."""
    return tuple(f"{PREFIX}{name}" for name in named_settings())


def settings_of(policy: str) -> dict[str, Any]:
    """What a policy's name sets, such as ``{"mean": "usl", "window": 20}``.

    Raises:
        InvalidValueError: There is no such setting; the message lists those that exist.
    """
    named = named_settings()
    found: dict[str, Any] = {}
    for part in policy.removeprefix(PREFIX).split("+"):
        name, equals, value = part.partition("=")
        if equals and name in _numbers():
            found[name] = _number(policy, name, value)
        elif part in named:
            found |= named[part]
        else:
            raise InvalidValueError(
                f"policy {policy!a} has the part {part!a}; each is one of {', '.join(named)}, or a "
                f"number: {', '.join(f'{n}=' for n in _numbers())}; several are joined by +"
            )
    return found


def _numbers() -> dict[str, Any]:
    """The settings that are numbers, and their defaults; False and True are 0 and 1."""
    return {f.name: f.default for f in _fields() if type(f.default) in NUMBERS}


def _number(policy: str, name: str, value: str) -> Any:
    try:
        number = float(value)
    except ValueError as err:
        raise InvalidValueError(
            f"policy {policy!a}: {name} must be a number, got {value!a}"
        ) from err
    kind = type(_numbers()[name])
    return kind(number) if kind(number) == number else number
