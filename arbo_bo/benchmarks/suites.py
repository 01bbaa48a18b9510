"""Which problems make a suite."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from arbo_bo.benchmarks.problems import Case, Source
from arbo_bo.benchmarks.seeds import derive
from arbo_bo.benchmarks.sources import folder
from arbo_bo.benchmarks.sources.table import Recordings
from arbo_bo.benchmarks.synthetic import synthetic_tasks
from arbo_bo.benchmarks.wrappers import Drifting, Loaded, Noisy, Straggling, Wrapped
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Objective

BALANCED = Objective(1.0, 0.5)
URGENT = Objective(2.0, 1.0)
OBJECTIVES = (BALANCED, URGENT)
DEADLINE_QUANTILES = (0.25, 0.5, 0.75)
DEADLINE_CONFIDENCE = 0.95
DRIFT_RUN = 6
DRIFT_FACTORS = (1.5, 3.0)
STRAGGLER_PROBABILITY = 0.1
DEFAULT_TASKS = 20
DEFAULT_RUNS = 12
DEADLINE_RUNS = 40
"""Misses are counted once a policy has learned, and a rate of 5 % takes many runs to see."""

TABLES = {
    "scout": "scout",
    "multicloud": "multicloud_dask",
    "archer2": "archer2",
    "stereomatch": "stereomatch",
}
"""Suites that replay a table of the data folder -> the table's name."""
TRIAL = "trial"
TRIAL_SUITES = {
    f"{TRIAL}-{name}": name for name in ("scout", "archer2", "stereomatch", "multicloud")
}
"""Tasks of one input size each, as in an earlier trial of the peers -> whose table they are of."""
STORE = "store"
ALL = "all"


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
    """

    name: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()


def build_suites(name: str, options: SuiteOptions) -> list[Suite]:
    """The suite of this name; all of them for "all".

    Args:
        name: A name of `DESCRIPTIONS`, the name of a table in the data folder, or the path of a
            CSV; or several, separated by commas.
        options: Number of tasks and sources.

    Raises:
        InvalidValueError: There is no such suite (the message lists them), no data folder for one
            that needs it, or its table cannot be used.
    """
    if options.tasks < 1:
        raise InvalidValueError(f"a suite needs at least one task, got {options.tasks}")
    names = [part.strip() for part in name.split(",") if part.strip()]
    if ALL in names:
        names = [n for n in _BUILDERS if n not in ("quick", STORE, *TRIAL_SUITES)]
    if TRIAL in names:
        names += TRIAL_SUITES
        names.remove(TRIAL)
    if not names:
        raise InvalidValueError(_unknown(name, options))
    suites = [_build(n, options) for n in dict.fromkeys(names)]
    built = [suite.name for suite in suites]
    if twice := sorted({n for n in built if built.count(n) > 1}):
        raise InvalidValueError(
            f"two suites are named {', '.join(map(ascii, twice))}: a table's suite has the name of "
            "its file, so rename one of them or run them with an --out each"
        )
    return suites


def default_runs(suite: str) -> int:
    """How many runs each task of a suite has, unless another number is asked for."""
    return DEADLINE_RUNS if suite == "deadline" else DEFAULT_RUNS


def suite_names(options: SuiteOptions | None = None) -> list[str]:
    """Every suite by name: the built-in ones, then the other tables of the data folder."""
    where = folder.find_folder(options.data if options else None)
    own = folder.table_names(where) if where else []
    known = {*DESCRIPTIONS, *TABLES.values(), "genome"}
    return [*DESCRIPTIONS, *(n for n in own if n not in known)]


def _build(name: str, options: SuiteOptions) -> Suite:
    if name in _BUILDERS:
        return _BUILDERS[name](options)
    if name.endswith(".csv"):
        return _table_suite(Path(name).stem, folder.read_table(Path(name)), options)
    where = folder.find_folder(options.data)
    if where is not None and name in folder.table_names(where):
        return _table_suite(name, folder.read_table(where / f"{name}.csv"), options)
    raise InvalidValueError(_unknown(name, options))


def _unknown(name: str, options: SuiteOptions) -> str:
    return (
        f"there is no suite {name!a}; there are {', '.join(suite_names(options))}, and any CSV of "
        "measured runs by its path"
    )


def choose(sources: Iterable[Source], count: int, salt: str) -> list[Source]:
    """A seeded choice that does not depend on the order; a smaller one is part of a larger one."""
    ranked = sorted(sources, key=lambda source: derive("choice", salt, source.name))
    return sorted(ranked[:count], key=lambda source: source.name)


def _cases(
    suite: str, sources: Iterable[Source], objectives: Sequence[Objective] = OBJECTIVES
) -> tuple[Case, ...]:
    return tuple(Case(suite, s.name, s, o) for o in objectives for s in sources)


def _table_suite(name: str, read: Recordings, options: SuiteOptions) -> Suite:
    return Suite(name, _cases(name, choose(read.tasks, options.tasks, name)), read.notes)


def _read_measured(name: str, options: SuiteOptions, wanted_by: str) -> Recordings:
    where = folder.require_folder(options.data, wanted_by)
    return folder.read_table(where / f"{TABLES[name]}.csv")


def _measured(name: str) -> Callable[[SuiteOptions], Suite]:
    def build(options: SuiteOptions) -> Suite:
        return _table_suite(name, _read_measured(name, options, name), options)

    return build


def _one_size(suite: str) -> Callable[[SuiteOptions], Suite]:
    """Every size of every task as a task of its own, in one objective."""

    def build(options: SuiteOptions) -> Suite:
        read = _read_measured(TRIAL_SUITES[suite], options, suite)
        tasks = [part for task in read.tasks for part in task.by_context()]
        return Suite(
            suite, _cases(suite, choose(tasks, options.tasks, suite), (BALANCED,)), read.notes
        )

    return build


def _genome(options: SuiteOptions) -> Suite:
    return _table_suite("genome", folder.shipped_genome(), options)


def _synthetic(options: SuiteOptions) -> Suite:
    """Plain laws, and every fifth task under load or with more noise."""
    sources: list[Source] = []
    for i, task in enumerate(synthetic_tasks(options.tasks)):
        if i % 10 == 0:
            loads = {"loads": (0.0, 4.0, 8.0, 16.0), "slowdown_per_worker": 0.05}
            sources.append(Wrapped(task, Loaded, loads, "under load"))
        elif i % 10 == 6:
            sources.append(Wrapped(task, Noisy, {"sigma": 0.2}, "with more noise"))
        else:
            sources.append(task)
    return Suite("synthetic", _cases("synthetic", sources))


def _pool(options: SuiteOptions, count: int) -> tuple[list[Source], tuple[str, ...]]:
    """A mix of tasks: of the measured tables where there is a data folder, else synthetic."""
    where = folder.find_folder(options.data)
    parts: list[list[Source]] = [list(folder.shipped_genome().tasks)]
    found = [n for n, table in TABLES.items() if where and (where / f"{table}.csv").exists()]
    notes: tuple[str, ...] = ()
    if found:
        for name in found:
            read = _read_measured(name, options, name)
            parts.append(choose(read.tasks, count, name))
    else:
        parts.append(list(synthetic_tasks(count)))
        notes = ("no folder of measured runs: the tasks are the genome study's and synthetic ones",)
    # One of each table in turn, so that every table is in the mix however few are asked for.
    mixed = [s for s in chain.from_iterable(zip_longest(*parts)) if s is not None]
    return mixed[:count], notes


def _drift(options: SuiteOptions) -> Suite:
    sources, notes = _pool(options, options.tasks)
    drifting = [
        Wrapped(
            source,
            Drifting,
            {"at_run": DRIFT_RUN, "factor_after": factor},
            f"x{factor:g} from run {DRIFT_RUN}",
        )
        for i, source in enumerate(sources)
        for factor in [DRIFT_FACTORS[i % len(DRIFT_FACTORS)]]
    ]
    return Suite("drift", _cases("drift", drifting), notes)


def _stragglers(options: SuiteOptions) -> Suite:
    sources, notes = _pool(options, options.tasks)
    probability = {"probability": STRAGGLER_PROBABILITY}
    straggling = [Wrapped(s, Straggling, probability, "with stragglers") for s in sources]
    return Suite("stragglers", _cases("stragglers", straggling), notes)


def _deadline(options: SuiteOptions) -> Suite:
    """Each task with three deadlines; they count as three problems."""
    sources, notes = _pool(options, math.ceil(options.tasks / len(DEADLINE_QUANTILES)))
    cases = []
    for case in _cases("deadline", sources):
        times = case.source.achievable_s()
        for quantile in DEADLINE_QUANTILES:
            limit = float(np.quantile(times, quantile))
            cases.append(
                replace(
                    case,
                    name=f"{case.name}, deadline at {100 * quantile:.0f} %",
                    deadline_s=limit,
                    confidence=DEADLINE_CONFIDENCE,
                )
            )
    return Suite("deadline", tuple(cases), notes)


def _store(options: SuiteOptions) -> Suite:
    from arbo_bo.benchmarks.sources.store import recordings_of
    from arbo_bo.optimizer import ArboOptimizer

    with ArboOptimizer(options.store, namespace=options.namespace) as arbo:
        read = recordings_of(arbo)
    return _table_suite(STORE, read, options)


def _quick(options: SuiteOptions) -> Suite:
    """Small on purpose: one objective, and few tasks of everything."""
    sources: list[Source] = [*folder.shipped_genome().tasks, *synthetic_tasks(5)]
    where = folder.find_folder(options.data)
    for name, table in TABLES.items():
        if where is not None and (where / f"{table}.csv").exists():
            sources += choose(_read_measured(name, options, name).tasks, 1, name)
    return Suite("quick", _cases("quick", sources[: options.tasks], (BALANCED,)))


_BUILDERS: dict[str, Callable[[SuiteOptions], Suite]] = {
    "genome": _genome,
    **{name: _measured(name) for name in TABLES},
    "synthetic": _synthetic,
    "drift": _drift,
    "stragglers": _stragglers,
    "deadline": _deadline,
    "quick": _quick,
    **{name: _one_size(name) for name in TRIAL_SUITES},
    STORE: _store,
}

DESCRIPTIONS = {
    "genome": "the 1000-genome study's three tasks, shipped with arbo_bo",
    "scout": "Spark jobs on EC2 clusters, measured",
    "multicloud": "Dask on Kubernetes in three clouds, measured",
    "archer2": "MPI codes on ARCHER2, measured; half of the curves are U-shaped",
    "stereomatch": "one threaded program on 16 sizes of work, measured",
    "synthetic": "Amdahl, USL, superlinear, memory cliff, size-independent; noise and load",
    "drift": f"every run from the {DRIFT_RUN}th on takes 1.5 or 3 times as long",
    "stragglers": "one run in ten takes ten times as long",
    "deadline": f"deadlines at the quartiles of a task's times, over {DEADLINE_RUNS} runs",
    "quick": "a little of everything, within two minutes on two cores",
    TRIAL: "trial-scout and three more: tasks of one input size, to check the peers",
    STORE: "your own history in an arbo store",
    ALL: "every suite but quick, trial and store",
}
