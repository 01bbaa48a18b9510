"""Tasks and trials that `arbo_bo.storage.export` wrote, into a store."""

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment import Experiment, Trial, validation
from arbo_bo.storage.batches import in_batches
from arbo_bo.storage.codec import Json
from arbo_bo.storage.columns import TASK_COLUMNS, TRIAL_COLUMNS
from arbo_bo.storage.export import FORMAT, HEADER, TASK, TRIAL
from arbo_bo.storage.reader import BATCH, checked_name
from arbo_bo.storage.records import (
    experiment_of_values,
    parsed,
    trial_of_values,
    values_of,
)
from arbo_bo.storage.steps import Steps
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.transaction import Transaction

READ_FORMATS = (1, FORMAT)
CSV_NEEDS = ("task", "trial_index", "status")
"""Columns that every export as CSV has, and a table of runs from elsewhere hardly all."""
Lines = Callable[[], Iterable[str]]
"""Opens the text anew, line by line; a transaction may have to be run again."""


def import_lines(store: SQLTrialStore, lines: Lines) -> tuple[int, int]:
    """Takes in what `export_lines` wrote, exactly, all or none.

    Args:
        store: Where the tasks go; it must not hold tasks of these names.
        lines: The text.

    Returns:
        How many tasks and trials there were.

    Raises:
        InvalidValueError: A line is wrong, the message says which; or a task exists already.
    """
    earlier = _Earlier()

    def work(transaction: Transaction) -> tuple[int, int]:
        if earlier.is_stored(transaction):
            return earlier.counts
        restoring = _Restoring(store, transaction)
        earlier.counts = restoring.run(lines())
        earlier.task, earlier.trial_id = restoring.first_task, restoring.first_id
        return earlier.counts

    return store.database.write(work)


def import_csv(store: SQLTrialStore, lines: Lines) -> tuple[int, int]:
    """Adds the trials of a CSV to their tasks, all or none, in the order of the lines.

    A task that is not there is configured with the defaults. The store numbers the trials anew, and
    those that train count as samples.

    Returns:
        How many tasks and trials there were.

    Raises:
        InvalidValueError: A line is wrong; the message says which.
    """
    earlier = _Earlier()

    def work(transaction: Transaction) -> tuple[int, int]:
        if earlier.is_stored(transaction):
            return earlier.counts
        tasks, count, steps = set[str](), 0, Steps(store, transaction)
        for batch in in_batches(_trials(lines())):
            for name, trials in _by_task(batch).items():
                if name not in tasks:
                    steps.create(Experiment(name, namespace=store.namespace))
                    tasks.add(name)
                row = steps.allot(name, len(trials), None)
                added = steps.insert(row, [_new_id() for _ in trials], trials, None)
                earlier.task, earlier.trial_id = name, added[0].trial_id
            count += len(batch)
        earlier.counts = len(tasks), count
        return earlier.counts

    return store.database.write(work)


@dataclass
class _Earlier:
    """What an earlier attempt wrote whose answer was lost: all of it is there, or none."""

    task: str | None = None
    trial_id: str | None = None
    counts: tuple[int, int] = (0, 0)

    def is_stored(self, transaction: Transaction) -> bool:
        if self.trial_id is not None:
            return bool(transaction.rows("trials_of_ids", ids=json.dumps([self.trial_id])))
        return self.task is not None and transaction.row("task", name=self.task) is not None


@dataclass
class _Restoring:
    """One import of JSON lines, inside its transaction."""

    store: SQLTrialStore
    transaction: Transaction
    tasks: int = 0
    trials: int = 0
    first_task: str | None = None
    first_id: str | None = None
    name: str = ""
    expected: int = 0
    next_index: int = 0
    seen: set[int] = field(default_factory=set)
    batch: list[Json] = field(default_factory=list)

    def run(self, lines: Iterable[str]) -> tuple[int, int]:
        number = 0
        for number, line in enumerate(lines, start=1):
            with _at_line(number):
                self._take(number, _parse(line) if number > 1 else _parse_first(line))
        with _at_line(number + 1):
            if not number:
                raise InvalidValueError("the file is empty")
            self._end_task()
        return self.tasks, self.trials

    def _take(self, number: int, record: Json) -> None:
        kind, task = record.pop("kind", None), record.pop("task", None)
        if number == 1:
            if kind != HEADER or record.get("format") not in READ_FORMATS:
                raise InvalidValueError(
                    f"this is no export in format {FORMAT}: the first line must say so; a later "
                    "version of arbo_bo may have written it"
                )
        elif kind == TASK:
            self._end_task()
            self._begin_task(checked_name(task), record)
        elif kind == TRIAL and task == self.name:
            self._add(record)
        else:
            raise InvalidValueError(
                f"a line is a task, or a trial of the task before it ({self.name!r}), "
                f"got kind {validation.short(kind)} and task {validation.short(task)}"
            )

    def _begin_task(self, name: str, record: Json) -> None:
        expected = record.pop("trials", None)
        values = values_of(record, TASK_COLUMNS)
        experiment_of_values(self.store.namespace, name, values)
        if self.transaction.row("task", name=name) is not None:
            raise InvalidValueError(
                f"task {name!r} exists already in namespace {self.store.namespace!r}; import into "
                "another namespace, or rename or delete that task first"
            )
        place = {"namespace": self.store.namespace, "task_name": name}
        self.transaction.run("restore_task", **place, **values)
        self.name, self.expected = name, expected
        self.next_index, self.seen = values["next_trial_index"], set()
        self.first_task = self.first_task or name
        self.tasks += 1

    def _add(self, record: Json) -> None:
        values = values_of(record, TRIAL_COLUMNS)
        trial = trial_of_values(self.name, values)
        if trial.trial_index in self.seen or trial.trial_index >= self.next_index:
            raise InvalidValueError(
                f"{trial} is there twice, or not below the task's next index {self.next_index}"
            )
        self.seen.add(trial.trial_index)
        place = {"namespace": self.store.namespace, "task_name": self.name}
        self.batch.append({**place, **values})
        if len(self.batch) == BATCH:
            self._write()

    def _write(self) -> None:
        if self.batch:
            # A trial stays itself in another database; in this one it is there already.
            ids = json.dumps([values["trial_id"] for values in self.batch])
            taken = {r["trial_id"] for r in self.transaction.rows("trials_of_ids", ids=ids)}
            for values in self.batch:
                if values["trial_id"] in taken:
                    values["trial_id"] = _new_id()
                taken.add(values["trial_id"])
            self.first_id = self.first_id or self.batch[0]["trial_id"]
            self.transaction.run_many("add_trial", self.batch)
            self.trials += len(self.batch)
            self.batch = []

    def _end_task(self) -> None:
        self._write()
        if self.name and len(self.seen) != self.expected:
            raise InvalidValueError(
                f"task {self.name!r} must have {self.expected} trials, got {len(self.seen)}: "
                "the file is not complete"
            )


@contextmanager
def _at_line(number: int) -> Iterator[None]:
    try:
        yield
    except ArboError as err:
        raise InvalidValueError(f"line {number}: {err}; nothing was imported") from err


def _trials(lines: Iterable[str]) -> Iterator[Trial]:
    reader, found = csv.DictReader(lines, strict=True), False
    try:
        _require_header(reader.fieldnames)
        for record in reader:
            with _at_line(reader.line_num):
                name = checked_name(record.pop("task", None) or "")
                values = values_of(parsed(record, TRIAL_COLUMNS), TRIAL_COLUMNS)
                trial = trial_of_values(name, values)
            yield trial
            found = True
    except csv.Error as err:
        raise InvalidValueError(f"line {reader.line_num}: this is no CSV: {err}") from err
    if not found:
        raise InvalidValueError("the file holds no trials: a header line and one row or more")


def _by_task(trials: Iterable[Trial]) -> Mapping[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.task, []).append(trial)
    return found


def _require_header(names: Sequence[str] | None) -> None:
    missing = [name for name in CSV_NEEDS if name not in (names or CSV_NEEDS)]
    if missing:
        raise InvalidValueError(
            f"this is no export of arbo_bo: it has no column {', '.join(missing)}; runs from "
            "elsewhere are taken in by: arbo attach TASK --csv FILE"
        )


def _new_id() -> str:
    return str(uuid.uuid4())


def _parse(line: str) -> Json:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise InvalidValueError(f"this is no JSON: {err}") from err
    if not isinstance(record, dict):
        raise InvalidValueError(f"a line must be a JSON object, got a {type(record).__name__}")
    return record


def _parse_first(line: str) -> Json:
    try:
        return _parse(line)
    except InvalidValueError as err:
        raise InvalidValueError(
            f"this is no export in JSON lines ({err}); an export as CSV needs --format csv"
        ) from err
