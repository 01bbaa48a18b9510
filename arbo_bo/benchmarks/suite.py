"""What a suite is, and what suites are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arbo_bo.benchmarks.problems import Case, Source
from arbo_bo.benchmarks.seeds import derive
from arbo_bo.benchmarks.sources import folder
from arbo_bo.benchmarks.sources.table import Recordings
from arbo_bo.experiment import Objective

BALANCED = Objective(1.0, 0.5)
URGENT = Objective(2.0, 1.0)
OBJECTIVES = (BALANCED, URGENT)
DEFAULT_TASKS = 20
TABLES = {
    "scout": "scout",
    "multicloud": "multicloud_dask",
    "archer2": "archer2",
    "stereomatch": "stereomatch",
}
"""Suites that replay a table of the data folder -> the table's name."""


@dataclass(frozen=True)
class SuiteOptions:
    """What suites are made from.

    Attributes:
        tasks: At most this many problems a suite and objective; a seeded choice where there are
            more.
        data: The folder of measured runs; None: ``$ARBO_BENCH_DATA``.
        store: URL of the store that the suite `store` replays; None: the default one.
        namespace: Its namespace.
    """

    tasks: int = DEFAULT_TASKS
    data: Path | None = None
    store: str | None = None
    namespace: str = "default"


@dataclass(frozen=True)
class Suite:
    """The cases of a suite.

    Attributes:
        name: Its name.
        cases: The problems.
        notes: What its sources left out.
        table: The file of a table that was named by its path; None: the name says it all.
    """

    name: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()
    table: Path | None = None


def choose(sources: Iterable[Source], count: int, salt: str) -> list[Source]:
    """A seeded choice that does not depend on the order; a smaller one is part of a larger one."""
    ranked = sorted(sources, key=lambda source: derive("choice", salt, source.name))
    return sorted(ranked[:count], key=lambda source: source.name)


def cases(
    suite: str, sources: Iterable[Source], objectives: Sequence[Objective] = OBJECTIVES
) -> tuple[Case, ...]:
    """Each source as a problem in each objective."""
    return tuple(Case(suite, s.name, s, o) for o in objectives for s in sources)


def table_suite(name: str, read: Recordings, options: SuiteOptions) -> Suite:
    """The tasks of a table, or a choice of them."""
    return Suite(name, cases(name, choose(read.tasks, options.tasks, name)), read.notes)


def read_measured(name: str, options: SuiteOptions, wanted_by: str) -> Recordings:
    """The table of a suite in `TABLES`.

    Raises:
        InvalidValueError: There is no data folder, or the table cannot be used.
    """
    where = folder.require_folder(options.data, wanted_by)
    return folder.read_table(where / f"{TABLES[name]}.csv")
