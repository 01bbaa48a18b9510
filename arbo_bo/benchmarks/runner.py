"""Problem x policy x seed over all cores, or over a Dask cluster; resumable."""

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks.extra import MissingPackageError
from arbo_bo.benchmarks.fingerprint import fingerprint
from arbo_bo.benchmarks.machine import describe_machine
from arbo_bo.benchmarks.policies.registry import missing_message
from arbo_bo.benchmarks.policies.variants import PREFIX, settings_of, variant_names
from arbo_bo.benchmarks.results import Results, check_same, check_same_suites, named_runs
from arbo_bo.benchmarks.suite import DEFAULT_TASKS, Suite
from arbo_bo.benchmarks.suites import default_runs
from arbo_bo.benchmarks.units import (
    OPENING_RUNS,
    MakePolicy,
    Unit,
    make_registered,
    run_unit,
)
from arbo_bo.benchmarks.workers import execute
from arbo_bo.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

MIN_RUNS = OPENING_RUNS + 1
MAX_RUNS = 1000
SLOW = ("ax",)
"""Policies that only take part when they are asked for: up to several seconds for a decision."""

Progress = Callable[[int, int], None]
"""Called with the units that are done and all units."""


@dataclass(frozen=True)
class Plan:
    """What a benchmark runs.

    Attributes:
        suites: The problems.
        policies: The policies by name.
        seeds: How often each policy meets each problem.
        runs: The runs of each task; None: as many as its suite has by default.
        jobs: Processes at once; 0: one for each core. Without effect with a Dask client.
        tasks: The most tasks of each suite, as the suites were built.
        data: The folder of measured runs that they were built from.

    Raises:
        InvalidValueError: A number makes no sense.
    """

    suites: Sequence[Suite]
    policies: Sequence[str]
    seeds: int = 2
    runs: int | None = None
    jobs: int = 0
    tasks: int = DEFAULT_TASKS
    data: Path | None = None

    def __post_init__(self) -> None:
        if self.runs is not None and not MIN_RUNS <= self.runs <= MAX_RUNS:
            raise InvalidValueError(
                f"a benchmark needs {MIN_RUNS} to {MAX_RUNS} runs, got {self.runs}: the first "
                f"{OPENING_RUNS} are the same for every policy"
            )
        if self.seeds < 1:
            raise InvalidValueError(f"a benchmark needs a seed or more, got {self.seeds}")
        if self.jobs < 0:
            raise InvalidValueError(f"jobs must be 0 (every core) or more, got {self.jobs}")

    def runs_of(self, suite: Suite) -> int:
        """The runs of each of its tasks."""
        return default_runs(suite.name) if self.runs is None else self.runs

    def units(self, skipped: Iterable[str] = ()) -> list[Unit]:
        """Every unit, policies of one problem side by side."""
        policies = [p for p in self.policies if p not in set(skipped)]
        return [
            Unit(case, policy, seed, self.runs_of(suite))
            for suite in self.suites
            for seed in range(self.seeds)
            for case in suite.cases
            for policy in policies
        ]


def choose_policies(text: str | None) -> list[str]:
    """Reads ``arbo,ernest,arbo:*``; None: every policy that is not slow; "all": every one.

    Raises:
        InvalidValueError: A policy is unknown; the message lists those that exist.
    """
    known = known_policies()
    if text is None:
        return [name for name in known if name not in SLOW]
    chosen: list[str] = []
    for name in (part.strip() for part in text.split(",") if part.strip()):
        found = known if name == "all" else fnmatch.filter([*known, *variant_names()], name)
        if not found and name.startswith(PREFIX):
            settings_of(name)
            found = [name]
        if not found:
            raise InvalidValueError(_unknown(name))
        chosen += found
    if not chosen:
        raise InvalidValueError(_unknown(text))
    return list(dict.fromkeys(chosen))


def _unknown(name: str) -> str:
    there = ", ".join([*known_policies(), *variant_names()])
    return f"there is no policy {name!a}; there are {there}"


def known_policies() -> list[str]:
    """Every policy by name, the oracle included."""
    from arbo_bo.benchmarks.policies.registry import ORACLE, policy_names

    return [*policy_names(), ORACLE]


def missing_packages(policies: Iterable[str]) -> dict[str, str]:
    """Policy -> the package that it needs and that is not installed."""
    from arbo_bo.benchmarks.policies.registry import ORACLE, missing_package

    found = ((name, missing_package(name)) for name in policies if name != ORACLE)
    return {name: package for name, package in found if package is not None}


def run_benchmark(
    plan: Plan,
    results: Results,
    *,
    client: Any = None,
    make: MakePolicy = make_registered,
    missing: Callable[[Iterable[str]], dict[str, str]] = missing_packages,
    progress: Progress | None = None,
) -> "pd.DataFrame":
    """Does every unit that the output folder does not hold yet.

    The records are the same whatever the number and the order of the workers, but for the time that
    decisions took.

    Args:
        plan: What to run.
        results: Where to; a folder that holds part of the same benchmark is completed.
        client: A `dask.distributed.Client`; None: joblib on this machine.
        make: Makes the policies.
        missing: Which policies have to be skipped.
        progress: Told after each unit.

    Returns:
        Every record in the folder.

    Raises:
        InvalidValueError: The folder holds a benchmark with other numbers.
        MissingPackageError: The package of every policy is missing.
    """
    skipped = missing(plan.policies)
    if set(skipped) >= set(plan.policies):
        raise MissingPackageError("; ".join(missing_message(n, p) for n, p in skipped.items()))
    with results.writing():
        fingerprints = _check(plan, results)
        done = results.clean()
        units = plan.units(skipped)
        todo = [unit for unit in units if unit.key not in done]
        _begin(plan, results, skipped, fingerprints, stamp=bool(todo))
        finished, started = len(units) - len(todo), perf_counter()
        report = progress or (lambda done, total: None)
        report(finished, len(units))
        try:
            for records in execute(todo, partial(run_unit, make=make), plan.jobs, client):
                results.append(records)
                finished += 1
                report(finished, len(units))
        finally:
            header = results.header()
            spent = header.get("seconds", 0.0) + perf_counter() - started
            if todo:
                results.write_header(header | {"seconds": round(spent, 1)})
        return results.records()


def _check(plan: Plan, results: Results) -> dict[str, str]:
    """Checks that the folder's benchmark is this one, and returns its suites' fingerprints."""
    header = results.header()
    found = {"tasks": header.get("tasks", plan.tasks)} | named_runs(header.get("runs", {}))
    wanted = {"tasks": plan.tasks} | named_runs({s.name: plan.runs_of(s) for s in plan.suites})
    check_same(found, wanted, results.folder)
    fingerprints = {suite.name: fingerprint(suite) for suite in plan.suites}
    check_same_suites(header, fingerprints, results.folder)
    return fingerprints


def _begin(
    plan: Plan,
    results: Results,
    skipped: dict[str, str],
    fingerprints: dict[str, str],
    *,
    stamp: bool,
) -> None:
    """Writes the header; machine, versions and date only if something is going to run."""
    header = results.header()
    notes = {suite.name: list(suite.notes) for suite in plan.suites}
    tables = {s.name: str(s.table.absolute()) for s in plan.suites if s.table is not None}
    policies = list(dict.fromkeys([*header.get("policies", []), *plan.policies]))
    results.write_header(
        header
        | {
            "runs": header.get("runs", {}) | {s.name: plan.runs_of(s) for s in plan.suites},
            "tasks": plan.tasks,
            "data": None if plan.data is None else str(plan.data),
            "fingerprints": header.get("fingerprints", {}) | fingerprints,
            "seeds": max(plan.seeds, header.get("seeds", 0)),
            "policies": policies,
            "suites": header.get("suites", {}) | notes,
            "tables": header.get("tables", {}) | tables,
            "skipped": {n: p for n, p in header.get("skipped", {}).items() if n not in policies}
            | skipped,
        }
        | ({"machine": describe_machine()} if stamp else {})
    )


def default_folder(suite: str) -> Path:
    """Where results go unless a folder is named."""
    return Path("arbo-bench") / suite.replace(",", "-").replace("/", "-")
