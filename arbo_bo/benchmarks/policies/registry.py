"""Policies by name; each loads its packages when it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from arbo_bo.benchmarks.policies.variants import PREFIX, settings_of
from arbo_bo.benchmarks.problems import TimedProblem
from arbo_bo.benchmarks.protocol import Policy, Setting
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation

ORACLE = "oracle"
"""The name of the policy that only `make_oracle` makes, since it needs the problem."""


@dataclass(frozen=True)
class Entry:
    """How a policy is made, and what it needs.

    Attributes:
        make: Makes it.
        package: What it needs beyond arbo_bo's own dependencies, by pip's name.
        extra: arbo-bo's extra that brings it.
    """

    make: Callable[[Setting], Policy]
    package: str | None = None
    extra: str | None = None


def _arbo(setting: Setting, **settings: Any) -> Policy:
    from arbo_bo.benchmarks.policies.arbo import ArboPolicy

    return ArboPolicy(setting, **settings)


def _online(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.online import OnlinePolicy

    return OnlinePolicy(setting)


def _original(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.online import OriginalPolicy

    return OriginalPolicy(setting)


def _ernest(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.ernest import ErnestPolicy

    return ErnestPolicy(setting)


def _gp_ei(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.cherrypick import GPEIPolicy

    return GPEIPolicy(setting)


def _tpe(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.tpe import TPEPolicy

    return TPEPolicy(setting)


def _ax(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.ax_client import AxPolicy

    return AxPolicy(setting)


def _default(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.fixed import DefaultPolicy

    return DefaultPolicy(setting)


def _random(setting: Setting) -> Policy:
    from arbo_bo.benchmarks.policies.fixed import RandomPolicy

    return RandomPolicy(setting)


POLICIES: dict[str, Entry] = {
    "arbo": Entry(_arbo),
    "online": Entry(_online),
    "original": Entry(_original),
    "ernest": Entry(_ernest),
    "gp-ei": Entry(_gp_ei),
    "optuna-tpe": Entry(_tpe, "optuna", "bench"),
    "ax": Entry(_ax, "ax-platform", "ax"),
    "default": Entry(_default),
    "random": Entry(_random),
}


def policy_names() -> tuple[str, ...]:
    """Every policy that `make_policy` knows, installed or not; `variants` names arbo's others."""
    return tuple(POLICIES)


def missing_package(name: str) -> str | None:
    """The package that a policy needs and that is not installed, by pip's name, or None.

    Raises:
        InvalidValueError: There is no such policy.
    """
    package = _entry(name).package
    # By the distribution: another package may well have a module of the name `ax`.
    return package if package is not None and not _is_installed(package) else None


def installation(name: str) -> str:
    """The command that installs what a policy needs."""
    return f"pip install 'arbo-bo[{_entry(name).extra}]'"


def missing_message(name: str, package: str) -> str:
    """Says what a policy lacks and how to get it."""
    return (
        f"policy {name!r} needs the package {package}, which is not installed: {installation(name)}"
    )


def make_policy(name: str, setting: Setting) -> Policy:
    """Makes a policy for one task.

    Args:
        name: One of `policy_names`.
        setting: What it is told of the task before the first run.

    Raises:
        InvalidValueError: There is no such policy, or a package that it needs is not installed.
    """
    entry = _entry(name)
    package = missing_package(name)
    if package is not None:
        raise InvalidValueError(missing_message(name, package))
    return entry.make(setting)


def make_oracle(problem: TimedProblem, setting: Setting) -> Policy:
    """Makes the policy that knows the truth of one problem."""
    from arbo_bo.benchmarks.policies.oracle import OraclePolicy

    return OraclePolicy(problem, setting)


def _entry(name: str) -> Entry:
    if name.startswith(PREFIX):
        return Entry(partial(_arbo, **settings_of(name)))
    entry = POLICIES.get(name)
    if entry is None:
        raise InvalidValueError(
            f"there is no policy {validation.short(name)}; those that exist: {', '.join(POLICIES)}"
        )
    return entry


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
