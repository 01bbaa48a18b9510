"""Which problems make a suite."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from arbo_bo.benchmarks import altered
from arbo_bo.benchmarks.problems import Source
from arbo_bo.benchmarks.sources import folder
from arbo_bo.benchmarks.suite import (
    BALANCED,
    TABLES,
    Suite,
    SuiteOptions,
    cases,
    choose,
    read_measured,
    table_suite,
)
from arbo_bo.benchmarks.synthetic import synthetic_tasks
from arbo_bo.errors import InvalidValueError

DEFAULT_RUNS = 12
DEADLINE_RUNS = 40
"""Misses are counted once a policy has learned, and a rate of 5 % takes many runs to see."""

TRIAL = "trial"
TRIAL_SUITES = {
    f"{TRIAL}-{name}": name for name in ("scout", "archer2", "stereomatch", "multicloud")
}
"""Tasks of one input size each, as in an earlier trial of the peers -> whose table they are of."""
STORE = "store"
ALL = "all"


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
    return DEADLINE_RUNS if suite in ("deadline", "heavy_tail") else DEFAULT_RUNS


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
        path = Path(name)
        return replace(table_suite(path.stem, folder.read_table(path), options), table=path)
    where = folder.find_folder(options.data)
    if where is not None and name in folder.table_names(where):
        return table_suite(name, folder.read_table(where / f"{name}.csv"), options)
    raise InvalidValueError(_unknown(name, options))


def _unknown(name: str, options: SuiteOptions) -> str:
    return (
        f"there is no suite {name!a}; there are {', '.join(suite_names(options))}, and any CSV of "
        "measured runs by its path"
    )


def _measured(name: str) -> Callable[[SuiteOptions], Suite]:
    def build(options: SuiteOptions) -> Suite:
        return table_suite(name, read_measured(name, options, name), options)

    return build


def _one_size(suite: str) -> Callable[[SuiteOptions], Suite]:
    """Every size of every task as a task of its own, in one objective."""

    def build(options: SuiteOptions) -> Suite:
        read = read_measured(TRIAL_SUITES[suite], options, suite)
        tasks = [part for task in read.tasks for part in task.by_context()]
        return Suite(
            suite, cases(suite, choose(tasks, options.tasks, suite), (BALANCED,)), read.notes
        )

    return build


def _genome(options: SuiteOptions) -> Suite:
    return table_suite("genome", folder.shipped_genome(), options)


def _store(options: SuiteOptions) -> Suite:
    from arbo_bo.benchmarks.sources.store import recordings_of
    from arbo_bo.service.optimizer import ArboOptimizer

    with ArboOptimizer(options.store, namespace=options.namespace) as arbo:
        read = recordings_of(arbo)
    return table_suite(STORE, read, options)


def _quick(options: SuiteOptions) -> Suite:
    """Small on purpose: one objective, and few tasks of everything."""
    sources: list[Source] = [*folder.shipped_genome().tasks, *synthetic_tasks(5)]
    where = folder.find_folder(options.data)
    for name, table in TABLES.items():
        if where is not None and (where / f"{table}.csv").exists():
            sources += choose(read_measured(name, options, name).tasks, 1, name)
    return Suite("quick", cases("quick", sources[: options.tasks], (BALANCED,)))


_BUILDERS: dict[str, Callable[[SuiteOptions], Suite]] = {
    "genome": _genome,
    **{name: _measured(name) for name in TABLES},
    "synthetic": altered.synthetic,
    "drift": altered.drift,
    "stragglers": altered.stragglers,
    "deadline": altered.deadline,
    "cliff": altered.cliff,
    "heavy_tail": altered.heavy_tail,
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
    "drift": f"every run from the {altered.DRIFT_RUN}th on takes 1.5 or 3 times as long",
    "stragglers": "one run in ten takes ten times as long",
    "deadline": f"deadlines at the quartiles of a task's times, over {DEADLINE_RUNS} runs",
    "cliff": "Amdahl, two to ten times as slow below a degree in the lowest third",
    "heavy_tail": "half of the degrees break a deadline in one run of three or four",
    "quick": "a little of everything, within two minutes on two cores",
    TRIAL: "trial-scout and three more: tasks of one input size, to check the peers",
    STORE: "your own history in an arbo store",
    ALL: "every suite but quick, trial and store",
}
