"""Tasks and trials as lines of text, out of a store; `arbo_bo.storage.archive` reads them."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TextIO

from arbo_bo.storage import codec
from arbo_bo.storage.batches import rows_from
from arbo_bo.storage.codec import Json
from arbo_bo.storage.columns import TASK_COLUMNS, TRIAL_COLUMNS
from arbo_bo.storage.reader import BATCH, checked_name
from arbo_bo.storage.records import own_columns, record_of
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.transaction import Transaction, readable

FORMAT = 2
HEADER, TASK, TRIAL = "arbo_bo export", "task", "trial"
Told = Callable[[int], object]


def export_lines(
    store: SQLTrialStore, names: Sequence[str] | None = None, told: Told = lambda trials: None
) -> Iterator[str]:
    """JSON lines: a header, then each task with its configuration and what it learned, its trials.

    A task and its trials are those of one moment.

    Args:
        store: Whose tasks they are.
        names: Tasks; None: all of the namespace.
        told: Hears now and then how many of a task's trials were read.

    Raises:
        ExperimentNotFoundError: There is no such task.
    """
    names = _names(store, names)
    yield _line({"kind": HEADER, "format": FORMAT, "schema": store.head_version})
    for name in names:
        with _kept() as kept:
            task, trials = _copy(store, name, kept, told, partial(_trial_line, name))
            yield _line({"kind": TASK, "task": name, "trials": trials, **task})
            yield from kept


def export_csv(
    store: SQLTrialStore, names: Sequence[str] | None = None, told: Told = lambda trials: None
) -> Iterator[str]:
    """CSV: a header and one line a trial, without configuration and what was learned.

    Raises:
        ExperimentNotFoundError: There is no such task.
    """
    names = _names(store, names)
    columns = [c.name for c in own_columns(TRIAL_COLUMNS) if c.name != "decision"]
    yield _csv_line(["task", *columns])
    for name in names:
        with _kept() as kept:
            _copy(store, name, kept, told, partial(_csv_trial, name, columns))
            yield from kept


def _names(store: SQLTrialStore, names: Sequence[str] | None) -> list[str]:
    """The tasks to export, found before the first line is written."""
    if names is None:
        return [e.name for e in store.experiments()]
    return [store.experiment(name).name for name in names]


@contextmanager
def _kept() -> Iterator[TextIO]:
    """A file for a task's lines: they are read at one moment, and written as fast as may be."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as kept:
        yield kept


def _copy(
    store: SQLTrialStore, name: str, kept: TextIO, told: Told, line_of: Callable[[Json], str]
) -> tuple[Json, int]:
    """Writes a line for each trial; returns the task's record and how many there are."""

    def work(transaction: Transaction) -> tuple[Json, int]:
        kept.seek(0)
        kept.truncate()
        task = store.found(transaction.row("task", name=checked_name(name)), name)
        trials = 0
        for trials, row in enumerate(rows_from(transaction, "trials_from", name), start=1):
            record = record_of(readable(row, codec.place_of(row)), TRIAL_COLUMNS)
            kept.write(line_of(record))
            if trials % BATCH == 0:
                told(trials)
        return record_of(readable(task, f"task {name!r}"), TASK_COLUMNS), trials

    found = store.database.read(work)
    kept.seek(0)
    return found


def _trial_line(name: str, trial: Json) -> str:
    return _line({"kind": TRIAL, "task": name, **trial})


def _csv_trial(name: str, columns: Sequence[str], trial: Json) -> str:
    return _csv_line([name, *(_text(trial[column]) for column in columns)])


def _line(record: Json) -> str:
    return json.dumps(record, allow_nan=False) + "\n"


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _csv_line(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
