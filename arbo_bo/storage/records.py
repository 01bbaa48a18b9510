"""Rows as JSON's own types, and back; exact, and independent of the database."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Trial, validation
from arbo_bo.experiment.outcome import MAX_REASON_LENGTH, clean_reason
from arbo_bo.storage import codec
from arbo_bo.storage.codec import Json
from arbo_bo.storage.columns import PLACE, TRIAL_COLUMNS, Column, Kind

Columns = Sequence[Column]
_RENAMED = {
    "execution_time": "execution_time_s",
    "startup_time": "startup_time_s",
    "residual": "residual_s",
    "predicted_mean": "predicted_time_s",
    "predicted_std": "predicted_time_std_s",
    "timed_out_after": "timed_out_after_s",
    "queued_time": "queued_time_s",
}
"""Columns of schema 0002 and before, and what they are called now."""


def own_columns(table: Columns) -> list[Column]:
    """The columns that a record of this table holds."""
    return [column for column in table if column.name not in PLACE]


def record_of(values: Mapping[str, Any], table: Columns) -> Json:
    """A row as JSON's own types."""
    return {column.name: _plain(values[column.name]) for column in own_columns(table)}


def values_of(record: Mapping[str, Any], table: Columns) -> Json:
    """The columns' values that a record holds; what it leaves out is unknown.

    Raises:
        InvalidValueError: A column is unknown, missing, or of another type.
    """
    known = {column.name: column for column in own_columns(table)}
    record = {_RENAMED.get(name, name): value for name, value in record.items()}
    if "trial_id" in known:
        record.setdefault("trial_id", str(uuid.uuid4()))
    if unknown := sorted(set(record) - set(known)):
        raise InvalidValueError(
            f"unknown {validation.short(', '.join(unknown))}; a later version of arbo_bo may have "
            "written it"
        )
    return {name: _value(column, record.get(name)) for name, column in known.items()}


def trial_record(trial: Trial) -> Json:
    """A trial as JSON's own types."""
    return record_of(codec.trial_values(trial), TRIAL_COLUMNS)


def trial_of_record(task: str, record: Mapping[str, Any]) -> Trial:
    """The trial that a record holds.

    Raises:
        InvalidValueError: The record is none of a trial.
        StoreError: Its values contradict each other.
    """
    return trial_of_values(task, values_of(record, TRIAL_COLUMNS))


def trial_of_values(task: str, values: Mapping[str, Any]) -> Trial:
    """The trial that columns hold.

    Raises:
        StoreError: They contradict each other.
    """
    return codec.trial_of({"task_name": task, **values})


def experiment_of_values(namespace: str, task: str, values: Mapping[str, Any]) -> Experiment:
    """The experiment that columns hold.

    Raises:
        StoreError: They cannot be read.
    """
    return codec.experiment_of({"namespace": namespace, "task_name": task, **values})


def parsed(texts: Mapping[str, str], table: Columns) -> Json:
    """A record whose values were written as text, as in CSV; empty is unknown.

    Raises:
        InvalidValueError: A number is none.
    """
    kinds = {column.name: column.kind for column in own_columns(table)}
    kinds |= {old: kinds[new] for old, new in _RENAMED.items() if new in kinds}
    if None in texts or None in texts.values():
        raise InvalidValueError("the line has more or fewer fields than the header")
    return {name: _read(name, text, kinds.get(name)) for name, text in texts.items() if text}


def _read(name: str, text: str, kind: Kind | None) -> Any:
    try:
        if kind in (Kind.REAL, Kind.INTEGER, Kind.OBJECT):
            return json.loads(text)
    except ValueError as err:
        raise InvalidValueError(f"{name} cannot be read, got {validation.short(text)}") from err
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _value(column: Column, value: Any) -> Any:
    name, kind = column.name, column.kind
    if value is None:
        value = column.default
    if value is None:
        if column.required:
            raise InvalidValueError(f"{name} is missing")
        return None
    if kind is Kind.MOMENT:
        return validation.aware(name, _moment(name, value))
    if kind is Kind.REAL:
        return validation.real(name, value)
    if kind is Kind.INTEGER:
        return validation.integer(name, value, 0, 2**63 - 1)
    if kind is Kind.OBJECT:
        if not isinstance(value, dict):
            raise InvalidValueError(f"{name} must be an object, got {validation.short(value)}")
        return codec.plain_json(name, value)
    return _checked_text(name, value, column.length)


def _checked_text(name: str, value: Any, longest: int | None) -> str:
    """A text as arbo_bo writes it: nothing that a database or a terminal stumbles over."""
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} must be a text, got {validation.short(value)}")
    if value != clean_reason(value) or (longest is not None and len(value) > longest):
        raise InvalidValueError(
            f"{name} must be a text without control characters or blanks at its ends, of at most "
            f"{longest or MAX_REASON_LENGTH} characters, got {validation.short(value)}"
        )
    return value


def _moment(name: str, value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as err:
        raise InvalidValueError(
            f"{name} must be a moment such as 2026-01-31T12:00:00+00:00, "
            f"got {validation.short(value)}"
        ) from err
