"""Where the tables of measured runs are."""

import os
from functools import lru_cache
from pathlib import Path

from arbo_bo.benchmarks.sources.table import Recordings, read_recordings
from arbo_bo.errors import InvalidValueError

VARIABLE = "ARBO_BENCH_DATA"
SHIPPED = Path(__file__).parent.parent / "data"


def find_folder(given: Path | None = None) -> Path | None:
    """The folder that is given, or that ``$ARBO_BENCH_DATA`` names; None: neither.

    Raises:
        InvalidValueError: It is named, and no folder is there.
    """
    named = given or (Path(text) if (text := os.environ.get(VARIABLE)) else None)
    if named is not None and not named.is_dir():
        origin = "--data" if given else f"${VARIABLE}"
        raise InvalidValueError(f"{origin} names {named}, and no folder is there")
    return named


def require_folder(given: Path | None, wanted_by: str) -> Path:
    """The same, where there must be one.

    Raises:
        InvalidValueError: There is none; the message says how to name one.
    """
    folder = find_folder(given)
    if folder is None:
        raise InvalidValueError(
            f"the suite {wanted_by!a} replays measured runs, and no folder of them is named: set "
            f"{VARIABLE} to it or give --data DIR; the suites genome, synthetic and quick need none"
        )
    return folder


def table_names(folder: Path) -> list[str]:
    """The tables in a folder, without their ``.csv``."""
    return sorted(path.stem for path in folder.glob("*.csv"))


def read_table(path: Path) -> Recordings:
    """A table's tasks; read once, as long as the file does not change.

    Raises:
        InvalidValueError: See `read_recordings`.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _read_once(path, stamp)


def shipped_genome() -> Recordings:
    """The tasks of the 1000-genome study, which come with the package."""
    return read_table(SHIPPED / "genome.csv")


@lru_cache(maxsize=16)
def _read_once(path: Path, stamp: int) -> Recordings:
    return read_recordings(path)
