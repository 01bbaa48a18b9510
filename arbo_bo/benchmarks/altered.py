"""Suites whose tasks are made up, or measured ones that something befalls."""

import math
from dataclasses import replace
from itertools import chain, zip_longest

import numpy as np

from arbo_bo.benchmarks.problems import Source
from arbo_bo.benchmarks.seeds import generator
from arbo_bo.benchmarks.sources import folder
from arbo_bo.benchmarks.suite import TABLES, Suite, SuiteOptions, cases, choose, read_measured
from arbo_bo.benchmarks.synthetic import Shape, SyntheticTask, synthetic_tasks
from arbo_bo.benchmarks.wrappers import (
    Drifting,
    HeavyTailed,
    Loaded,
    Noisy,
    Steep,
    Straggling,
    Wrapped,
)

DEADLINE_QUANTILES = (0.25, 0.5, 0.75)
DEADLINE_CONFIDENCE = 0.95
DRIFT_RUN = 6
DRIFT_FACTORS = (1.5, 3.0)
STRAGGLER_PROBABILITY = 0.1
CLIFF_FACTORS = (2.0, 10.0)
TAIL_PROBABILITY, TAIL_SHARE = 0.3, 0.5
TAIL_SLACK = 1.3
"""A deadline over the mean time of a degree without a tail that holds it."""


def synthetic(options: SuiteOptions) -> Suite:
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
    return Suite("synthetic", cases("synthetic", sources))


def _pool(options: SuiteOptions, count: int) -> tuple[list[Source], tuple[str, ...]]:
    """A mix of tasks: of the measured tables where there is a data folder, else synthetic."""
    where = folder.find_folder(options.data)
    parts: list[list[Source]] = [list(folder.shipped_genome().tasks)]
    found = [n for n, table in TABLES.items() if where and (where / f"{table}.csv").exists()]
    notes: tuple[str, ...] = ()
    if found:
        for name in found:
            read = read_measured(name, options, name)
            parts.append(choose(read.tasks, count, name))
    else:
        parts.append(list(synthetic_tasks(count)))
        notes = ("no folder of measured runs: the tasks are the genome study's and synthetic ones",)
    # One of each table in turn, so that every table is in the mix however few are asked for.
    mixed = [s for s in chain.from_iterable(zip_longest(*parts)) if s is not None]
    return mixed[:count], notes


def drift(options: SuiteOptions) -> Suite:
    """Each task slower for good from one run on."""
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
    return Suite("drift", cases("drift", drifting), notes)


def stragglers(options: SuiteOptions) -> Suite:
    """Each task with runs now and then that take far too long."""
    sources, notes = _pool(options, options.tasks)
    probability = {"probability": STRAGGLER_PROBABILITY}
    straggling = [Wrapped(s, Straggling, probability, "with stragglers") for s in sources]
    return Suite("stragglers", cases("stragglers", straggling), notes)


def deadline(options: SuiteOptions) -> Suite:
    """Each task with three deadlines; they count as three problems."""
    sources, notes = _pool(options, math.ceil(options.tasks / len(DEADLINE_QUANTILES)))
    with_deadline = []
    for case in cases("deadline", sources):
        times = case.source.achievable_s()
        for quantile in DEADLINE_QUANTILES:
            limit = float(np.quantile(times, quantile))
            with_deadline.append(
                replace(
                    case,
                    name=f"{case.name}, deadline at {100 * quantile:.0f} %",
                    deadline_s=limit,
                    confidence=DEADLINE_CONFIDENCE,
                )
            )
    return Suite("deadline", tuple(with_deadline), notes)


def cliff(options: SuiteOptions) -> Suite:
    """Amdahl's law, and times two to ten times as long below a degree in the lowest third."""
    sources: list[Source] = []
    for i in range(options.tasks):
        task = SyntheticTask(Shape.AMDAHL, i, sizes=(100.0,))
        rng = generator("cliff", i)
        low, high = np.log(CLIFF_FACTORS)
        factor = float(np.exp(rng.uniform(low, high)))
        above = task.parameters.cliff_degree
        label = f"(x{factor:.1f} below {above})"
        sources.append(Wrapped(task, Steep, {"above": above, "slowdown": factor}, label))
    return Suite("cliff", cases("cliff", sources))


def heavy_tail(options: SuiteOptions) -> Suite:
    """Deadlines that half of the degrees break in one run of three or four, whatever the mean."""
    with_deadline = []
    for i in range(options.tasks):
        task = SyntheticTask(Shape.AMDAHL, i, sizes=(100.0,), sigma=0.05)
        tail = {"probability": TAIL_PROBABILITY, "share": TAIL_SHARE}
        source = Wrapped(task, HeavyTailed, tail, "with a heavy tail")
        problem = HeavyTailed(task.problem(0), TAIL_PROBABILITY, TAIL_SHARE)
        steady = [s for s in task.parameters.degrees if not problem.has_tail(s)]
        if not steady:
            continue
        middle = steady[len(steady) // 2]
        limit = TAIL_SLACK * task.law_s(middle, 100.0)
        with_deadline += [
            replace(case, deadline_s=limit, confidence=DEADLINE_CONFIDENCE)
            for case in cases("heavy_tail", [source])
        ]
    return Suite("heavy_tail", tuple(with_deadline))
