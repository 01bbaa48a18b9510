"""Runs of elsewhere, out of a CSV: one of a person's own, or what `arbo export` wrote."""

import csv
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Trial, TrialStatus
from arbo_bo.experiment.drafts import KEY, OPTIONAL, REQUIRED, attached_trial
from arbo_bo.experiment.validation import short

OF_AN_EXPORT = ("task", "trial_id", "status", "exclusion_reason")
"""Columns by which an export is told, and which say what of it is history."""
_ROWS = uuid.UUID("0d9f4a52-6f0b-5b0e-9a2e-6a2f7c1d8e43")
_STEP = 1000
Told = Callable[[int], object]
"""Hears now and then how many lines were read."""


def trials_of_csv(path: Path, experiment: Experiment, told: Told) -> Iterator[Trial]:
    """Reads completed runs, oldest first; empty fields are unknown.

    Each has an idempotency key, the same whenever the file is read again: an export's is the
    trial's id; another row is told by what it holds, and by how many such rows stand before it.
    Of an export, runs that did not complete or are not to train are passed over.

    Raises:
        InvalidValueError: The file cannot be read or holds no runs, or a row is wrong; the message
            says which.
    """
    found = False
    for line, row in _lines(path, told):
        try:
            yield attached_trial(experiment, row)
        except InvalidValueError as err:
            raise type(err)(f"{path}, line {line}: {err}") from err
        found = True
    if not found:
        raise InvalidValueError(f"{path} holds no runs: a header line and one row or more, please")


def _lines(path: Path, told: Told) -> Iterator[tuple[int, dict[str, object]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            twice = sorted({name for name in header if header.count(name) > 1})
            if twice:
                raise InvalidValueError(f"{path} has column {', '.join(twice)} more than once")
            rows = _exported if set(OF_AN_EXPORT) <= set(header) else _own
            yield from rows(path, header, _records(path, header, reader, told))
    except OSError as err:
        raise InvalidValueError(f"{path} cannot be read: {err.strerror}") from err
    except (UnicodeError, csv.Error) as err:
        raise InvalidValueError(f"{path} cannot be read as CSV: {err}") from err


Records = Iterator[tuple[int, dict[str, str]]]


def _records(path: Path, header: Sequence[str], reader: Iterator[list[str]], told: Told) -> Records:
    """Each line's number and fields."""
    for number, fields in enumerate(reader, start=1):
        line: int = reader.line_num  # type: ignore[attr-defined]  # of csv's own reader
        if not fields:
            continue
        if len(fields) != len(header):
            raise InvalidValueError(
                f"{path}, line {line}: as many fields as the header has, please"
            )
        if number % _STEP == 0:
            told(number)
        yield line, dict(zip(header, fields, strict=True))


def _own(
    path: Path, header: Sequence[str], records: Records
) -> Iterator[tuple[int, dict[str, object]]]:
    seen: Counter[bytes] = Counter()
    for line, texts in records:
        row: dict[str, object] = dict(_numbers(path, line, texts))
        held = repr(sorted(row.items()))
        # Short, for there may be millions of them.
        digest = hashlib.blake2b(held.encode(), digest_size=12).digest()
        yield line, {**row, KEY: str(uuid.uuid5(_ROWS, f"{held} {seen[digest]}"))}
        seen[digest] += 1


def _exported(
    path: Path, header: Sequence[str], records: Records
) -> Iterator[tuple[int, dict[str, object]]]:
    names = [name for name in (*REQUIRED, *OPTIONAL) if name in header]
    first: str | None = None
    for line, texts in records:
        first = texts["task"] if first is None else first
        if texts["task"] != first:
            raise InvalidValueError(
                f"{path}, line {line}: the file holds runs of {short(first)} and of "
                f"{short(texts['task'])}; arbo import adds each task's to its own"
            )
        if texts["status"] == TrialStatus.COMPLETED.value and not texts["exclusion_reason"]:
            numbers = _numbers(path, line, {name: texts[name] for name in names})
            yield line, {**numbers, KEY: texts["trial_id"]}


def _numbers(path: Path, line: int, texts: Mapping[str, str]) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for name, text in texts.items():
        if name == "worker_type":
            numbers.update({name: text} if text else {})
            continue
        try:
            numbers.update({name: float(text)} if text.strip() else {})
        except ValueError as err:
            problem = f"column {name} needs a number, got {short(text)}"
            raise InvalidValueError(f"{path}, line {line}: {problem}") from err
    return numbers
