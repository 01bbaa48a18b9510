"""Rows as JSON's own types, and back; exact, and independent of the database."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import JSON, Column, Double, Integer, Table

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Trial, validation
from arbo_bo.experiment.outcome import MAX_REASON_LENGTH, clean_reason
from arbo_bo.storage import codec
from arbo_bo.storage.codec import AnyRow, Json
from arbo_bo.storage.tables import UTCDateTime, execution_history

PLACE = ("id", "namespace", "task_name")
"""Where a row stands: the importing store's to say, but for the task's name."""
_SERVER_DEFAULTS = {
    "sample_count": 0,
    "version": 1,
    "next_trial_index": 0,
    "input_scale_factor": 1.0,
}


def columns(table: Table) -> list[Column[Any]]:
    """The columns that a record of this table holds."""
    return [column for column in table.columns if column.name not in PLACE]


def record_of(values: Mapping[str, Any], table: Table) -> Json:
    """A row as JSON's own types."""
    return {column.name: _plain(values[column.name]) for column in columns(table)}


def values_of(record: Mapping[str, Any], table: Table) -> Json:
    """The columns' values that a record holds; what it leaves out is unknown.

    Raises:
        InvalidValueError: A column is unknown, missing, or of another type.
    """
    known = {column.name: column for column in columns(table)}
    if unknown := sorted(set(record) - set(known)):
        raise InvalidValueError(
            f"unknown {validation.short(', '.join(unknown))}; a later version of arbo_bo may have "
            "written it"
        )
    return {name: _value(column, record.get(name)) for name, column in known.items()}


def trial_record(trial: Trial) -> Json:
    """A trial as JSON's own types."""
    return record_of(codec.trial_values(trial), execution_history)


def trial_of_record(task: str, record: Mapping[str, Any]) -> Trial:
    """The trial that a record holds.

    Raises:
        InvalidValueError: The record is none of a trial.
        StoreError: Its values contradict each other.
    """
    return trial_of_values(task, values_of(record, execution_history))


def trial_of_values(task: str, values: Mapping[str, Any]) -> Trial:
    """The trial that columns hold.

    Raises:
        StoreError: They contradict each other.
    """
    return codec.trial_of(cast(AnyRow, SimpleNamespace(task_name=task, **values)))


def experiment_of_values(namespace: str, task: str, values: Mapping[str, Any]) -> Experiment:
    """The experiment that columns hold.

    Raises:
        StoreError: They cannot be read.
    """
    row = SimpleNamespace(namespace=namespace, task_name=task, **values)
    return codec.experiment_of(cast(AnyRow, row))


def parsed(texts: Mapping[str, str], table: Table) -> Json:
    """A record whose values were written as text, as in CSV; empty is unknown.

    Raises:
        InvalidValueError: A number is none.
    """
    types = {column.name: column.type for column in columns(table)}
    if None in texts or None in texts.values():
        raise InvalidValueError("the line has more or fewer fields than the header")
    return {name: _read(name, text, types.get(name)) for name, text in texts.items() if text}


def _read(name: str, text: str, kind: Any) -> Any:
    try:
        if isinstance(kind, (Double, Integer, JSON)):
            return json.loads(text)
    except ValueError as err:
        raise InvalidValueError(f"{name} cannot be read, got {validation.short(text)}") from err
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _value(column: Column[Any], value: Any) -> Any:
    name, kind = column.name, column.type
    if value is None:
        value = _SERVER_DEFAULTS.get(name)
    if value is None:
        if not column.nullable:
            raise InvalidValueError(f"{name} is missing")
        return None
    if isinstance(kind, UTCDateTime):
        return validation.aware(name, _moment(name, value))
    if isinstance(kind, Double):
        return validation.real(name, value)
    if isinstance(kind, Integer):
        return validation.integer(name, value, 0, 2**63 - 1)
    if isinstance(kind, JSON):
        if not isinstance(value, dict):
            raise InvalidValueError(f"{name} must be an object, got {validation.short(value)}")
        return codec.plain_json(name, value)
    return _checked_text(name, value, getattr(kind, "length", None))


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
