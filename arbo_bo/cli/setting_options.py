"""The options that configure a task, made from the table of its settings."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from arbo_bo.cli.options import Command
from arbo_bo.cli.values import all_cores, parse_duration_s, parse_parallelism, parse_worker_types
from arbo_bo.errors import ExperimentNotFoundError
from arbo_bo.experiment import (
    SLO,
    Experiment,
    MaxCost,
    MaxExecutionTime,
    Objective,
)
from arbo_bo.experiment.acquisitions import missing_levels
from arbo_bo.experiment.experiment import DEFAULT_PARALLELISM
from arbo_bo.experiment.settings import NONE, SETTINGS, Kind, option_of
from arbo_bo.experiment.strategy import AUTO
from arbo_bo.service.experiments import allowed_default
from arbo_bo.service.optimizer import ArboOptimizer

Given = Mapping[str, Any]
"""Values by the names of `SETTINGS`; None: back to the default; one that is missing: as it is."""

_LEVELS: Mapping[type[SLO], str] = {MaxExecutionTime: "--max-time", MaxCost: "--max-cost"}
_TYPES: Mapping[Kind, type] = {Kind.INTEGER: int, Kind.NUMBER: float}
_PLAIN = tuple(
    name for name, setting in SETTINGS.items() if setting.keyword not in ("objective", "slo")
)
_NEEDS_UNIT = ("max_time",)
"""Times where a bare number is more often minutes than seconds."""


def settings(command: Command) -> Command:
    """Adds the options of a task's settings; the command takes them as the argument ``given``."""

    @wraps(command)
    def collected(**values: Any) -> Any:
        own = {name: values.pop(name) for name in SETTINGS}
        given = {name: value for name, value in own.items() if value not in (None, ())}
        removed, no_slo = values.pop("unset"), values.pop("no_slo")
        if no_slo:
            removed = (*removed, *(n for n in ("max_time", "max_cost") if n not in given))
        return command(given=given | _removed(removed, given), **values)

    added: Any = collected
    added = click.option(
        "--no-slo", is_flag=True, help="Remove the stored deadline and budget first."
    )(added)
    added = click.option(
        "--unset", multiple=True, metavar="NAME", help="Put this setting back to its default."
    )(added)
    for name in reversed(tuple(SETTINGS)):
        added = _option(name)(added)
    return added  # type: ignore[no-any-return]


def _option(name: str) -> Callable[[Any], Any]:
    setting = SETTINGS[name]
    usual = setting.default()
    text = setting.summary if usual == NONE else f"{setting.summary}  [default: {usual}]"
    flag = option_of(name)
    if setting.kind is Kind.FLAG:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text)
    if setting.kind is Kind.TYPES:
        return click.option(flag, name, multiple=True, metavar=setting.metavar, help=text)
    kind = _TYPES.get(setting.kind, str)
    return click.option(flag, name, type=kind, metavar=setting.metavar, help=text)


def _removed(names: tuple[str, ...], given: Given) -> dict[str, None]:
    removed = [name.strip().removeprefix("--").replace("-", "_") for name in names]
    for name in removed:
        if name not in SETTINGS:
            known = ", ".join(option_of(known)[2:] for known in SETTINGS)
            raise click.UsageError(f"--unset names no setting: {name!a}; there are {known}")
        if name in given:
            raise click.UsageError(f"give {option_of(name)} or --unset {name}, not both")
    return dict.fromkeys(removed)


def is_known(arbo: ArboOptimizer, task: str) -> bool:
    """Whether the store has the task."""
    try:
        arbo.experiment(task)
    except ExperimentNotFoundError:
        return False
    return True


def apply_configuration(
    arbo: ArboOptimizer, task: str, given: Given, caller: str | None = None
) -> tuple[Experiment, list[str]]:
    """Configures the task with the options that were given; the others stay as stored.

    A task that is new may take as many workers as this machine has cores, unless it is told more.

    Args:
        arbo: Where the task is.
        task: Its name.
        given: The options.
        caller: As of `ArboOptimizer.configure_experiment`: a command that scripts repeat, whose
            default degree gives way to the allowed ones.

    Returns:
        The task, and what there is to tell once it is stored.

    Raises:
        UsageError: Options that belong together are not together.
        InvalidValueError: A value is outside its domain.
    """
    changes: Any = {
        SETTINGS[name].keyword: _read(name, given[name]) for name in _PLAIN if name in given
    }
    notes: list[str] = []
    try:
        before, is_new = arbo.experiment(task), False
    except ExperimentNotFoundError:
        before, is_new = Experiment(task), True
        if "parallelism" not in changes and "worker_type" not in given:
            changes["parallelism"] = all_cores(given.get("default"))
    may_give_way = caller is not None and "worker_type" not in given
    if may_give_way and given.get("default") is not None:
        space = changes.get("parallelism") or before.allowed
        changes["default_parallelism"], notes = allowed_default(task, given["default"], space)
    objective, levels = _objective(given, before), _levels(given, before)
    _require_levels(given.get("acquisition"), levels)
    if objective != before.objective:
        changes["objective"] = objective
    if levels != before.strategy.slo:
        changes["slo"] = levels
    after, said = arbo.configured(task, caller, changes)
    notes += said
    if is_new:
        notes += arbo.introduction(after, "parallelism" in given)
    default = after.default_parallelism
    if "parallelism" in given and default not in (DEFAULT_PARALLELISM, *after.allowed.degrees):
        notes += allowed_default(task, default, after.allowed)[1]
    return after, notes


def _read(name: str, value: Any) -> Any:
    """What an option's text means."""
    kind = SETTINGS[name].kind
    if value is None or kind not in (Kind.DEGREES, Kind.TIME, Kind.TYPES):
        return value
    if kind is Kind.TYPES:
        return parse_worker_types(value)
    if kind is Kind.DEGREES:
        return parse_parallelism(value)
    return parse_duration_s(option_of(name), value, needs_unit=name in _NEEDS_UNIT)


def _objective(given: Given, before: Experiment) -> Objective:
    """The objective that is asked for; a price is the budget's where there is one."""
    stored = before.objective
    names = ("urgency", "cost_exponent", "price_per_worker_hour")
    asked = {name: given[name] for name in names if name in given}
    if _has_budget(given, before):
        asked.pop("price_per_worker_hour", None)
    if asked.get("price_per_worker_hour") is not None and asked.get("cost_exponent") is not None:
        raise click.UsageError(
            "--price-per-worker-hour makes the cost money, and --cost-exponent makes it "
            "workers^C: give one of them"
        )
    if not asked:
        return stored
    urgency = asked.get("urgency", stored.urgency)
    by_workers = asked.get("cost_exponent") is not None
    price = asked.get("price_per_worker_hour", None if by_workers else stored.price_per_worker_hour)
    exponent = None if stored.price_per_worker_hour is not None else stored.cost_exponent
    return Objective(
        Objective().urgency if urgency is None else urgency,
        asked.get("cost_exponent", exponent) if price is None else None,
        price,
    )


def _has_budget(given: Given, before: Experiment) -> bool:
    return given.get("max_cost", before.strategy.budget) is not None


def _require_levels(acquisition: str | None, levels: tuple[SLO, ...]) -> None:
    missing = missing_levels(acquisition or AUTO, levels)
    if missing:
        wanted = " or ".join(_LEVELS[kind] for kind in missing)
        raise click.UsageError(f"--acquisition {acquisition} needs {wanted}")


def _levels(given: Given, before: Experiment) -> tuple[SLO, ...]:
    """The service levels that are asked for.

    A deadline or a budget takes the place of the stored one and leaves the other.
    """
    deadline, budget = before.strategy.deadline, before.strategy.budget
    if "max_time" in given:
        time_s = _read("max_time", given["max_time"])
        deadline = None if time_s is None else MaxExecutionTime(time_s)
    price = given.get("price_per_worker_hour")
    if "max_cost" in given:
        cost = given["max_cost"]
        types = given.get("worker_type", before.worker_types)
        budget = None if cost is None else MaxCost(cost, None if types else _price(price, before))
    elif price is not None and budget is not None:
        budget = replace(budget, price_per_worker_hour=price)
    levels = tuple(x for x in (deadline, budget) if x is not None)
    if "confidence" not in given:
        return levels
    if not levels:
        raise click.UsageError("--confidence goes with --max-time or --max-cost")
    new = tuple(x for x in levels if _is_given(x, given)) or levels
    confidence = given["confidence"]
    if confidence is None:
        confidence = MaxExecutionTime(1.0).confidence
    return tuple(replace(x, confidence=confidence) if x in new else x for x in levels)


def _is_given(level: SLO, given: Given) -> bool:
    name = "max_time" if isinstance(level, MaxExecutionTime) else "max_cost"
    return given.get(name) is not None


def _price(given: float | None, before: Experiment) -> float:
    budget = before.strategy.budget
    stored = before.objective if budget is None else budget
    price = stored.price_per_worker_hour if given is None else given
    if price is None:
        raise click.UsageError("--max-cost needs --price-per-worker-hour")
    return price
