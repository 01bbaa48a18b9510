"""Rows to values and back; the stored configuration's format is written down here."""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from arbo_bo.errors import ArboError, InvalidValueError, StoreError
from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    Objective,
    SearchSpace,
    Strategy,
    TaskModel,
    Trial,
    WorkerTypes,
    validation,
)
from arbo_bo.experiment.outcome import clean_reason
from arbo_bo.experiment.settings import OWN
from arbo_bo.experiment.strategy import plain
from arbo_bo.storage.columns import PLACE, TRIAL_COLUMNS
from arbo_bo.storage.transaction import Row, readable

T = TypeVar("T")
logger = logging.getLogger("arbo_bo")
FORMAT = 1
_SMALLEST_T1_S = 1e-299
_PLAIN_SETTINGS = tuple(s.keyword for s in OWN.values() if s.keyword != "alpha")
Json = dict[str, Any]
OWN_COLUMNS = tuple(column.name for column in TRIAL_COLUMNS if column.name not in PLACE)
_NESTED = ("parallelism", "worker_type", "input_size", "cluster_load")
"""Columns that are no fields of a trial, but of its arm and its context."""
_REASONS = ("failure_reason", "exclusion_reason", "reason")
LAW_COLUMNS = ("t_base_1", "p_obs", "c_startup", "k_exponent")


def configuration_of(experiment: Experiment) -> Json:
    """The configuration as JSON; alpha has a column of its own."""
    objective, callers = experiment.objective, experiment.callers
    told = {"callers": {caller: dict(asked) for caller, asked in callers.items()}}
    return (told if callers else {}) | {
        "format": FORMAT,
        "parallelism": _space_json(experiment.search_space),
        "objective": {
            "urgency": objective.urgency,
            "cost_exponent": objective.exponent,
            "price_per_worker_hour": objective.price_per_worker_hour,
        },
        "strategy": experiment.strategy.to_json(),
        "worker_types": experiment.worker_types.to_json(),
        **{name: plain(getattr(experiment, name)) for name in _PLAIN_SETTINGS},
    }


def merged(stored: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """`new` over `stored`: keys that a later version wrote, and this one doesn't know, stay."""
    result = {**stored, **new}
    for key in ("objective", "strategy"):
        if isinstance(before := stored.get(key), Mapping):
            result[key] = {**before, **new[key]}
    return result


def experiment_of(row: Row) -> Experiment:
    """The experiment that a row of `task_models` holds.

    Raises:
        StoreError: The configuration was written by a later version, or by hand and wrongly.
    """
    task, namespace = row["task_name"], row["namespace"]
    where = f"the configuration of task {task!r} in namespace {namespace!r}"
    stored = readable(row, where)["configuration"]
    if not isinstance(stored, Mapping) or stored.get("format") != FORMAT:
        found = stored.get("format") if isinstance(stored, Mapping) else type(stored).__name__
        raise StoreError(
            f"{where} must have format {FORMAT}, got {found!r}; upgrade arbo_bo to read it"
        )
    given = {key: stored[key] for key in _PLAIN_SETTINGS if key in stored}
    try:
        if "parallelism" in stored:
            given["search_space"] = _space_of(stored["parallelism"])
        if "strategy" in stored:
            given["strategy"] = Strategy.from_json(stored["strategy"])
        if stored.get("worker_types"):
            given["worker_types"] = WorkerTypes.from_json(stored["worker_types"])
        if isinstance(callers := stored.get("callers"), Mapping):
            given["callers"] = callers
        return Experiment(
            name=row["task_name"],
            namespace=row["namespace"],
            objective=_objective_of(stored.get("objective", {})),
            alpha=row["alpha"],
            model=_model_of(row),
            **given,
        )
    except (ArboError, KeyError, TypeError, AttributeError) as err:
        raise StoreError(f"{where} cannot be read: {err}; configure the task anew") from err


def law_of(row: Row) -> AmdahlLaw | None:
    """The stored law, or None before the first fit."""
    base, p, c, k = row["t_base_1"], row["p_obs"], row["c_startup"], row["k_exponent"]
    if base is None or p is None or c is None or k is None:
        return None
    # Where C outweighs T1 by 16 digits the difference is lost; T1 stays above 0.
    return AmdahlLaw(t1_s=max(base - c, _SMALLEST_T1_S), p=p, c_s=c, k=k)


def law_values(law: AmdahlLaw) -> Json:
    """The law's columns: t_base_1 is T1 + C, the wall time at s = 1 and gamma = 1 [s]."""
    return {
        "t_base_1": law.t1_s + law.c_s,
        "p_obs": law.p,
        "c_startup": law.c_s,
        "k_exponent": law.k,
    }


def plain_json(name: str, value: Mapping[str, Any]) -> Json:
    """A copy of `value` made of what JSON knows.

    Raises:
        InvalidValueError: It holds something else, or NaN, or infinity.
    """
    try:
        text = json.dumps(value, allow_nan=False, default=_as_dict)
    except (TypeError, ValueError, RecursionError) as err:
        raise InvalidValueError(f"{name} must be JSON with finite numbers: {err}") from err
    return dict(json.loads(text))


def trial_values(trial: Trial) -> Json:
    """The columns of `execution_history` that a trial fills: each is an attribute of that name."""
    values = {name: getattr(trial, name) for name in OWN_COLUMNS}
    return {name: str(v) if isinstance(v, StrEnum) else v for name, v in values.items()}


def storable(trial: Trial, task: str, trial_index: int) -> Trial:
    """The trial as it will be read again: its place, aware times, finite predictions.

    Raises:
        InvalidValueError: A time has no zone.
    """
    for name in ("created_at", "started_at", "finished_at", "lease_expires_at"):
        if (moment := getattr(trial, name)) is not None:
            validation.aware(f"{name} of {trial}", moment)
    return replace(
        trial,
        task=task,
        trial_index=trial_index,
        created_at=trial.created_at or datetime.now(UTC),
        predicted_time_s=finite(trial.predicted_time_s),
        predicted_time_std_s=finite(trial.predicted_time_std_s),
        residual_s=finite(trial.residual_s),
        failure_reason=clean_reason(trial.failure_reason),
        exclusion_reason=clean_reason(trial.exclusion_reason),
        strategy=None if trial.strategy is None else plain_json("strategy", trial.strategy),
        reason=clean_reason(trial.reason),
        decision=None if trial.decision is None else plain_json("decision", trial.decision),
    )


def trial_of(row: Row) -> Trial:
    """The trial that a row of `execution_history` holds.

    Raises:
        StoreError: The row was written by hand and wrongly.
    """
    where = place_of(row)
    try:
        return _trial_of(readable(row, where))
    except ValueError as err:
        raise StoreError(f"{where} cannot be read: {err}; correct the row or delete it") from err


def place_of(row: Row) -> str:
    """Which trial a row is of, in words."""
    return f"trial {row['trial_index']} of task {row['task_name']!r}"


def all_readable(read: Callable[[Row], T], rows: Sequence[Row]) -> list[T]:
    """What can be read of rows; the others are left out, and one line of the log tells of them."""
    found, problems = [], []
    for row in rows:
        try:
            found.append(read(row))
        except StoreError as err:
            problems.append(str(err))
    if problems:
        logger.warning("%d rows were left out: %s; run: arbo doctor", len(problems), problems[0])
    return found


def by_index(rows: Sequence[Row]) -> list[Trial]:
    """The trials of rows that can be read, in order."""
    return sorted(all_readable(trial_of, rows), key=lambda trial: trial.trial_index)


def finite(value: float | None) -> float | None:
    """`value`, or None where it is NaN or infinite: SQLite cannot hold a NaN."""
    return value if value is not None and math.isfinite(value) else None


def _space_json(space: SearchSpace) -> Json | list[int]:
    if len(space) == space.largest - space.smallest + 1:
        return {"min": space.smallest, "max": space.largest}
    return list(space.degrees)


def _space_of(stored: Any) -> SearchSpace:
    if isinstance(stored, Mapping):
        return SearchSpace.between(stored["min"], stored["max"])
    return SearchSpace.of(list(stored))


def _objective_of(stored: Mapping[str, Any]) -> Objective:
    known = ("urgency", "cost_exponent", "price_per_worker_hour")
    return Objective(**{key: stored[key] for key in known if key in stored})


def _model_of(row: Row) -> TaskModel:
    return TaskModel(
        law=law_of(row),
        hyperparameters=MappingProxyType(dict(row["hyperparameters"])),
        base_input_size=row["base_input_size"],
        sample_count=row["sample_count"],
        last_updated=row["last_updated"],
        version=row["version"],
    )


def _trial_of(row: Row) -> Trial:
    own: Json = {name: row.get(name) for name in OWN_COLUMNS if name not in _NESTED}
    for name in _REASONS:
        if own[name] is not None and not own[name].isprintable():
            own[name] = clean_reason(own[name])  # another client may have written anything
    arm = Arm(row["parallelism"], row.get("worker_type"))
    context = Context(row["input_size"], row["cluster_load"])
    return Trial(task=row["task_name"], arm=arm, context=context, **own)


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
