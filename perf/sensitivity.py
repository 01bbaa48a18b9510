"""What halving and doubling a constant does to the regret: ``make bench-sensitivity``.

Every constant of `arbo_bo.numerics.priors` is halved and doubled, one at a time; a location, which
is a logarithm or a logit, is moved by log 2 either way. Printed is the mean regret over runs 3 on,
by suite of measured runs ($ARBO_BENCH_DATA), as a table in Markdown.
"""

import argparse
import math
import multiprocessing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from arbo_bo.benchmarks.policies.arbo import ArboPolicy
from arbo_bo.benchmarks.problems import TimedProblem
from arbo_bo.benchmarks.protocol import Policy, Setting
from arbo_bo.benchmarks.suite import SuiteOptions
from arbo_bo.benchmarks.suites import build_suites
from arbo_bo.benchmarks.units import OPENING_RUNS, Unit, run_unit
from arbo_bo.numerics.priors import DEFAULT_PRIORS, FailurePrior, Priors

SUITES = "genome,archer2,stereomatch,scout,multicloud"
RUNS, TASKS = 15, 4
LEFT_OUT = ("low", "high", "name", "timed", "uninformative")
"""Bounds, names, and the one constant that is a sign."""


def variants(value: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each constant's name with the value that has it halved and the one that has it doubled."""
    if isinstance(value, FailurePrior):
        return  # nothing fails in these suites; `make bench-troubled` is about them
    if isinstance(value, tuple):
        for i, item in enumerate(value):
            for name, less, more in variants(item, f"{path}[{i}]"):
                yield name, _with(value, i, less), _with(value, i, more)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            where = f"{path}.{field.name}".lstrip(".")
            inner = () if field.name in LEFT_OUT else variants(getattr(value, field.name), where)
            for name, less, more in inner:
                yield name, *(replace(value, **{field.name: v}) for v in (less, more))
    else:
        yield path, *_halved_and_doubled(value, path)


def _with(values: tuple[Any, ...], place: int, new: Any) -> tuple[Any, ...]:
    return (*values[:place], new, *values[place + 1 :])


def _halved_and_doubled(value: float, path: str) -> tuple[float, float]:
    if path.endswith("location"):
        return value - math.log(2), value + math.log(2)
    if isinstance(value, int):
        return max(1, value // 2), 2 * value
    return value / 2, 2 * value


def policy(priors: Priors, _: str, problem: TimedProblem, setting: Setting) -> Policy:
    """Arbo with other constants."""
    del problem
    return ArboPolicy(setting, priors=priors)


def regret(units: list[Unit], priors: Priors) -> dict[str, float]:
    """Mean regret by suite."""
    found: dict[str, list[float]] = {}
    for unit in units:
        for record in run_unit(unit, partial(policy, priors)):
            if "error" in record:
                raise RuntimeError(f"{unit.key}: {record['error']}")
            if record["run"] > OPENING_RUNS:
                found.setdefault(unit.case.suite, []).append(record["regret"])
    return {suite: sum(values) / len(values) for suite, values in found.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    suites = build_suites(SUITES, SuiteOptions(tasks=given.tasks))
    units = [
        Unit(case, "arbo", 0, given.runs)
        for suite in suites
        for case in suite.cases
        if case.deadline_s is None
    ]
    every = list(variants(DEFAULT_PRIORS))
    tried = [DEFAULT_PRIORS, *(p for _, less, more in every for p in (less, more))]
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        results = pool.map(partial(regret, units), tried, chunksize=1)
    names = sorted(results[0])
    print(f"| constant | | {' | '.join(names)} |")
    print(f"|---|---|{'--:|' * len(names)}")

    def row(name: str, what: str, found: dict[str, float]) -> None:
        print(f"| {name} | {what} | {' | '.join(f'{found[s]:.3f}' for s in names)} |")

    row("as they are", "", results[0])
    for i, (name, _, _) in enumerate(every):
        row(f"`{name}`", "halved", results[1 + 2 * i])
        row("", "doubled", results[2 + 2 * i])


if __name__ == "__main__":
    main()
