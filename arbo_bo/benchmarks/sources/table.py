"""Recurring tasks from a table of measured runs.

The columns are those of `COLUMNS`, in any order; others are ignored, and an empty field is unknown.
Only those of `REQUIRED` must be there: without ``task`` all rows are one, named like the file, and
without ``repeat`` each row is a run of its own.

A recurring task is one (task, context) pair. Rows of one pair that agree in parallelism, input size
and cluster load are repeats. A row that is in the table twice, `repeat` included, was copied, not
measured twice: it is kept once, and a note says how many there were.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks.replay import Recording
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context
from arbo_bo.experiment.validation import MAX_MAGNITUDE

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "task",
    "context",
    "parallelism",
    "input_size",
    "input_unit",
    "cluster_load",
    "execution_time_s",
    "price_per_worker_hour",
    "repeat",
)
REQUIRED = ("parallelism", "execution_time_s")
KEY = ["task", "context", "input_size", "cluster_load", "parallelism"]
SHOWN = 5
"""How many line numbers or names a message lists."""


@dataclass(frozen=True)
class Recordings:
    """The usable tasks of a table, and what was left out.

    Attributes:
        tasks: By name.
        notes: One sentence for each kind of row or task that was left out, or column that is not
            there.
    """

    tasks: tuple[Recording, ...]
    notes: tuple[str, ...] = field(default=())


def read_recordings(path: Path) -> Recordings:
    """Reads and checks a CSV of measured runs.

    Raises:
        InvalidValueError: The file cannot be read as such a table, or no task of it is usable.
    """
    frame, notes = _completed(path, _read(path))
    copies = frame.duplicated()
    if copies.any():
        notes.append(f"{path.name}: {int(copies.sum())} exact duplicate rows were dropped")
        frame = frame[~copies]
    frame = _numbers(path, frame)
    _check_units(path, frame)
    tasks, left_out = _recordings(frame)
    if not tasks:
        raise InvalidValueError(
            f"{path}: no task was measured at two degrees of parallelism or more in one context, "
            "so there is nothing to choose"
        )
    if left_out:
        notes.append(
            f"{path.name}: {len(left_out)} of {len(left_out) + len(tasks)} tasks were skipped, "
            f"each measured at a single degree in every context: {_some(left_out)}"
        )
    return Recordings(tuple(tasks), tuple(notes))


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    if path.is_dir():
        raise InvalidValueError(f"{path} is a folder; give a CSV file in it")
    try:
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8-sig"
        )
    except FileNotFoundError as err:
        raise InvalidValueError(f"there is no table of measured runs at {path}") from err
    except (OSError, UnicodeDecodeError, ValueError) as err:
        # pandas' EmptyDataError and ParserError are ValueErrors; the latter names the line.
        raise InvalidValueError(f"{path} cannot be read as CSV: {err}") from err
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise InvalidValueError(
            f"{path} lacks the columns {', '.join(missing)}; a table of measured runs has "
            f"{', '.join(COLUMNS)}, all but {' and '.join(REQUIRED)} optional"
        )
    if frame.empty:
        raise InvalidValueError(f"{path} has a header and no rows")
    return frame


def _completed(path: Path, frame: "pd.DataFrame") -> "tuple[pd.DataFrame, list[str]]":
    """The frame with all columns, and what is said of those that were not there."""
    absent = [name for name in COLUMNS if name not in frame.columns]
    if not absent:
        return frame[list(COLUMNS)], []
    stand_ins = dict.fromkeys(absent, "") | {"task": path.stem}
    frame = frame.assign(**{name: stand_ins[name] for name in absent})
    if "repeat" in absent:
        frame["repeat"] = range(len(frame))
    said = f"{path.name} has no column {', '.join(absent)}: empty for every run"
    if "task" in absent:
        said += f", and all runs are of one task, {path.stem}"
    return frame[list(COLUMNS)], [said]


def _numbers(path: Path, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Checks the numeric columns and returns the frame with numbers in them."""
    import pandas as pd

    frame = frame.copy()
    unnamed = frame["task"].str.strip().eq("")
    if unnamed.any():
        raise InvalidValueError(_bad_rows(path, "task", "a name", frame["task"][unnamed]))
    # name -> (what is expected, may be unknown)
    rules = {
        "execution_time_s": ("a time above 0", False),
        "parallelism": ("a whole number of workers, 1 or more", False),
        "input_size": ("a size above 0, or empty", True),
        "cluster_load": ("workers, 0 or more, or empty", True),
        "price_per_worker_hour": ("a price above 0, or empty", True),
    }
    for name, (expected, optional) in rules.items():
        text = frame[name].str.strip()
        values = pd.to_numeric(text, errors="coerce").astype("float64")
        good = values.gt(0) if name != "cluster_load" else values.ge(0)
        good &= values.lt(MAX_MAGNITUDE)
        if name == "parallelism":
            good &= values.mod(1).eq(0) & values.lt(2**31)
        if optional:
            good |= text.eq("")
        if not good.all():
            raise InvalidValueError(_bad_rows(path, name, expected, frame[name][~good]))
        frame[name] = values
    frame["parallelism"] = frame["parallelism"].astype("int64")
    return frame


def _bad_rows(path: Path, name: str, expected: str, bad: "pd.Series[Any]") -> str:
    # The header is line 1, and pandas numbers rows from 0.
    first = zip(bad.index[:SHOWN].tolist(), bad[:SHOWN].tolist(), strict=True)
    rows = [f"line {index + 2}: {ascii(text) if text else 'empty'}" for index, text in first]
    more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    return f"{path}: {name} must be {expected}; got {', '.join(rows)}{more}"


def _check_units(path: Path, frame: "pd.DataFrame") -> None:
    units = frame[["task", "context", "input_unit"]].drop_duplicates()
    mixed = units[units.duplicated(["task", "context"], keep=False)]
    if mixed.empty:
        return
    task, context = mixed.iloc[0]["task"], mixed.iloc[0]["context"]
    found = mixed[(mixed["task"] == task) & (mixed["context"] == context)]["input_unit"]
    raise InvalidValueError(
        f"{path}: the input sizes of {_name(task, context)} are in mixed units "
        f"({', '.join(ascii(u) for u in found)}); convert them to one, or make it two tasks"
    )


def _recordings(frame: "pd.DataFrame") -> tuple[list[Recording], list[str]]:
    """The usable tasks by name, and the names of the others."""
    # NaN is no key of its own: -1 stands for unknown, which no size and no load can be.
    filled = frame.fillna({"input_size": -1.0, "cluster_load": -1.0})
    columns = [filled[name].tolist() for name in (*KEY, "execution_time_s")]
    tables: dict[tuple[str, str], dict[tuple[float, float], dict[int, list[float]]]] = {}
    for task, context, size, load, degree, time in sorted(zip(*columns, strict=True)):
        pair = tables.setdefault((task, context), {})
        pair.setdefault((size, load), {}).setdefault(degree, []).append(time)
    usable, left_out = [], []
    for (task, context), by_context in tables.items():
        kept = {where: table for where, table in by_context.items() if len(table) >= 2}
        if not kept:
            left_out.append(_name(task, context))
            continue
        contexts = tuple(
            Context(None if size < 0 else size, None if load < 0 else load) for size, load in kept
        )
        times = tuple({s: tuple(t) for s, t in table.items()} for table in kept.values())
        usable.append(Recording(_name(task, context), contexts, times))
    return usable, left_out


def _name(task: str, context: str) -> str:
    """The pair as one printable line."""
    text = " ".join((f"{task} @ {context}" if context else task).split())
    return "".join(ch if ch.isprintable() else "?" for ch in text)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
