"""The output folder of a benchmark: what was run, and every record so far.

``records.csv`` grows by one block of lines for each unit that is done. A block is written at once;
should the process be killed in the middle of it, the next start finds fewer lines than each line
says its unit has, and does that unit again. ``benchmark.json`` holds what all units share.
"""

import csv
import fcntl
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks.units import Key, Record
from arbo_bo.errors import ArboError, InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

RECORDS = "records.csv"
HEADER = "benchmark.json"
FIELDS = (
    "suite",
    "problem",
    "urgency",
    "cost_exponent",
    "policy",
    "seed",
    "runs",
    "run",
    "records",
    "parallelism",
    "input_size",
    "cluster_load",
    "execution_time_s",
    "score",
    "best_parallelism",
    "best_score",
    "regret",
    "deadline_s",
    "confidence",
    "missed",
    "within",
    "achievable",
    "cost_ratio",
    "decision_s",
    "error",
)
UNIT = ["suite", "problem", "urgency", "cost_exponent", "policy", "seed"]
TEXTS = ("suite", "problem", "policy", "error")
FLAGS = ("missed", "achievable")
WHOLE = ("seed", "runs", "run", "records")


class ResultsError(ArboError, RuntimeError):
    """An output folder cannot be used: another process writes there, or it holds nothing."""


class Results:
    """A benchmark's output folder.

    Args:
        folder: Made where it is not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the folder for this process; the lock ends with the process, however it ends.

        Raises:
            ResultsError: Another process holds it, or the folder cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as err:
            raise ResultsError(f"cannot write to {self.folder}: {err.strerror}") from err
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as err:
            raise ResultsError(f"another benchmark is writing to {self.folder}") from err
        finally:
            os.close(lock)

    def header(self) -> dict[str, Any]:
        """What all units share; empty in a new folder."""
        try:
            found = json.loads((self.folder / HEADER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as err:
            raise ResultsError(f"{self.folder / HEADER} cannot be read: {err}") from err
        return dict(found)

    def write_header(self, header: dict[str, Any]) -> None:
        """Replaces the header at once."""
        text = json.dumps(header, indent=2, sort_keys=True) + "\n"
        self._replace(self.folder / HEADER, text)

    def append(self, records: Sequence[Record]) -> None:
        """Adds one unit's records in one write."""
        path = self.folder / RECORDS
        text = io.StringIO()
        writer = csv.DictWriter(text, FIELDS, restval="", lineterminator="\n")
        if not path.exists():
            writer.writeheader()
        # csv writes a float as repr does, so that it reads back as the same float.
        writer.writerows({k: "" if v is None else v for k, v in r.items()} for r in records)
        with path.open("ab", buffering=0) as file:
            file.write(text.getvalue().encode())

    def clean(self) -> set[Key]:
        """Drops what an interrupted process left half-written, and returns the units that are done.

        Units whose policy failed are dropped too, so that the next start tries them again.
        """
        text = self._text()
        frame = _typed(text)
        failed = frame["failed"].groupby([frame[name] for name in UNIT]).transform("any")
        done = frame[~failed.astype(bool)]
        kept = io.StringIO()
        text.loc[done.index].to_csv(kept, index=False, lineterminator="\n")
        self._replace(self.folder / RECORDS, kept.getvalue())
        return {
            (str(s), str(p), float(a), float(c), str(policy), int(seed))
            for s, p, a, c, policy, seed in done[UNIT].drop_duplicates().itertuples(index=False)
        }

    def records(self) -> "pd.DataFrame":
        """Every record of every unit that is done, sorted: the order of the work leaves no trace.

        Raises:
            ResultsError: There is none.
        """
        frame = _typed(self._text()).sort_values([*UNIT, "run"], ignore_index=True)
        if frame.empty:
            raise ResultsError(
                f"{self.folder} holds no results; `arbo bench run --out {self.folder}` makes some"
            )
        return frame

    def _text(self) -> "pd.DataFrame":
        """The records of whole units as they are written; a line that has no end yet is none."""
        import pandas as pd

        path = self.folder / RECORDS
        text = path.read_bytes() if path.exists() else b""
        text = text[: text.rfind(b"\n") + 1] or ",".join(FIELDS).encode()
        try:
            frame = pd.read_csv(io.BytesIO(text), dtype=str, keep_default_na=False)
        except ValueError as err:
            raise ResultsError(f"{path} cannot be read: {err}") from err
        if tuple(frame.columns) != FIELDS:
            raise ResultsError(f"{path} was not written by this version of arbo_bo")
        frame = frame.drop_duplicates([*UNIT, "run"], keep="last")
        size = frame.groupby(UNIT)["run"].transform("size").astype(str)
        return frame[size.eq(frame["records"])]

    def _replace(self, path: Path, text: str) -> None:
        temporary = path.with_suffix(".new")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as err:
            raise ResultsError(f"cannot write {path}: {err.strerror}") from err


def _typed(text: "pd.DataFrame") -> "pd.DataFrame":
    """Numbers for texts, and whether a record is a policy's failure."""
    frame = text.copy()
    for name in FIELDS:
        if name in FLAGS:
            frame[name] = text[name].map({"True": 1.0, "False": 0.0}).astype(float)
        elif name in WHOLE:
            frame[name] = text[name].astype("int64")
        elif name not in TEXTS:
            # Python's own float reads back exactly what was written.
            frame[name] = [float(value) if value else math.nan for value in text[name]]
    return frame.assign(failed=text["error"].ne(""))


def check_same(found: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    """Checks that a benchmark that goes on is the one that began.

    Raises:
        InvalidValueError: It is not; the message names what differs.
    """
    for name, value in wanted.items():
        if name in found and found[name] != value:
            raise InvalidValueError(
                f"{folder} holds a benchmark with {name} {found[name]}, not {value}: go on with "
                "that, or give another --out"
            )


def check_same_suites(found: dict[str, Any], wanted: dict[str, str], folder: Path) -> None:
    """Checks that the suites of a benchmark that goes on are made of the same cases.

    A benchmark without fingerprints, as older versions wrote it, is accepted.

    Args:
        found: The folder's header.
        wanted: Suite -> its fingerprint.
        folder: To be named.

    Raises:
        InvalidValueError: They are not; the message names the suites.
    """
    before = found.get("fingerprints", {})
    if other := sorted(n for n, value in wanted.items() if before.get(n, value) != value):
        raise InvalidValueError(
            f"{folder} holds a benchmark whose suite {', '.join(other)} has other tasks, contexts "
            "or times: the measured runs or arbo_bo's own tasks have changed since; choose another "
            "--out"
        )


def merged_records(folders: Sequence[Results]) -> "pd.DataFrame":
    """The records of several folders as of one; a unit that is in two of them counts once.

    Raises:
        InvalidValueError: They are of other tasks, or of another number of runs.
        ResultsError: A folder holds none.
    """
    import pandas as pd

    headers = [results.header() for results in folders]
    for results, header in zip(folders[1:], headers[1:], strict=True):
        first = headers[0]
        check_same_suites(first, header.get("fingerprints", {}), results.folder)
        check_same(
            named_runs(first.get("runs", {})), named_runs(header.get("runs", {})), results.folder
        )
    records = pd.concat([results.records() for results in folders], ignore_index=True)
    return records.drop_duplicates([*UNIT, "run"], ignore_index=True)


def named_runs(runs: Mapping[str, int]) -> dict[str, int]:
    """Suite -> its number of runs, as `check_same` is to name them."""
    return {f"runs of {suite}": count for suite, count in runs.items()}
