"""Public names that load their module on first use, so that importing a package costs nothing."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

EXTRAS = {
    "torch": "botorch",
    "gpytorch": "botorch",
    "botorch": "botorch",
    "linear_operator": "botorch",
    "ax": "ax",
    "airflow": "airflow",
}
"""The extra that brings a package."""


def missing_extra(wanted: str, err: ModuleNotFoundError) -> ImportError:
    """The error for something that an extra of arbo_bo brings; `err` itself for anything else.

    Args:
        wanted: What was asked for.
        err: Why it cannot be had.
    """
    package = (err.name or "").partition(".")[0]
    if package not in EXTRAS:
        return err
    from arbo_bo.errors import MissingExtraError

    return MissingExtraError(
        f"{wanted} needs {package}, which is not installed: "
        f"pip install 'arbo-bo[{EXTRAS[package]}]'",
        name=package,
    )


def resolver(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns a package's ``__getattr__`` (PEP 562) for names that live in other modules.

    Args:
        package: The package's name, for the message.
        homes: Public name -> module that defines it.
    """

    def resolve(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(homes[name]), name)
        except ModuleNotFoundError as err:
            raise missing_extra(f"{package}.{name}", err) from err

    return resolve
