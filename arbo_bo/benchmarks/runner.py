"""Problem x policy x seed over all cores, or over a Dask cluster; resumable."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks.machine import describe_machine
from arbo_bo.benchmarks.results import Results, check_same, check_same_suites
from arbo_bo.benchmarks.suites import DEFAULT_TASKS, Suite, fingerprint
from arbo_bo.benchmarks.units import MakePolicy, Record, Unit, make_registered, run_unit
from arbo_bo.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_RUNS = 12
MAX_RUNS = 1000
SLOW = ("ax",)
"""Policies that only take part when they are asked for: seconds for each decision."""

Progress = Callable[[int, int], None]
"""Called with the units that are done and all units."""


@dataclass(frozen=True)
class Plan:
    """What a benchmark runs.

    Attributes:
        suites: The problems.
        policies: The policies by name.
        seeds: How often each policy meets each problem.
        runs: The runs of each.
        jobs: Processes at once; 0: one for each core. Without effect with a Dask client.
        tasks: The most tasks of each suite, as the suites were built.
        data: The folder of measured runs that they were built from.

    Raises:
        InvalidValueError: A number makes no sense.
    """

    suites: Sequence[Suite]
    policies: Sequence[str]
    seeds: int = 2
    runs: int = DEFAULT_RUNS
    jobs: int = 0
    tasks: int = DEFAULT_TASKS
    data: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.runs <= MAX_RUNS or self.seeds < 1:
            raise InvalidValueError(
                f"a benchmark needs 1 to {MAX_RUNS} runs and a seed or more, got {self.runs} runs "
                f"and {self.seeds} seeds"
            )
        if self.jobs < 0:
            raise InvalidValueError(f"jobs must be 0 (every core) or more, got {self.jobs}")

    def units(self, skipped: Iterable[str] = ()) -> list[Unit]:
        """Every unit, policies of one problem side by side."""
        policies = [p for p in self.policies if p not in set(skipped)]
        return [
            Unit(case, policy, seed, self.runs)
            for suite in self.suites
            for seed in range(self.seeds)
            for case in suite.cases
            for policy in policies
        ]


def choose_policies(text: str | None) -> list[str]:
    """Reads ``arbo,ernest``; None: every policy that is not slow; "all": every one.

    Raises:
        InvalidValueError: A policy is unknown; the message lists those that exist.
    """
    known = known_policies()
    if text is None:
        return [name for name in known if name not in SLOW]
    names = [part.strip() for part in text.split(",") if part.strip()]
    if names == ["all"]:
        return known
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InvalidValueError(
            f"there is no policy {', '.join(map(ascii, unknown)) or repr(text)}; there are "
            f"{', '.join(known)}"
        )
    return list(dict.fromkeys(names))


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
    """
    skipped = missing(plan.policies)
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
            for records in _execute(todo, partial(run_unit, make=make), plan.jobs, client):
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
    check_same(header, {"runs": plan.runs, "tasks": plan.tasks}, results.folder)
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
    policies = list(dict.fromkeys([*header.get("policies", []), *plan.policies]))
    results.write_header(
        header
        | {
            "runs": plan.runs,
            "tasks": plan.tasks,
            "data": None if plan.data is None else str(plan.data),
            "fingerprints": header.get("fingerprints", {}) | fingerprints,
            "seeds": max(plan.seeds, header.get("seeds", 0)),
            "policies": policies,
            "suites": header.get("suites", {}) | notes,
            "skipped": {n: p for n, p in header.get("skipped", {}).items() if n not in policies}
            | skipped,
        }
        | ({"machine": describe_machine()} if stamp else {})
    )


def _execute(
    units: Sequence[Unit],
    work: Callable[[Unit], list[Record]],
    jobs: int,
    client: Any,
) -> Iterator[list[Record]]:
    """The records of each unit, as they come."""
    if client is not None:
        yield from _on_dask(units, work, client)
        return
    jobs = min(jobs or _cores(), len(units))
    if jobs <= 1:
        yield from map(work, units)
        return
    from joblib import Parallel, delayed, parallel_config

    # One thread for each worker: a second one for matrices this small only takes another's core.
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        yield from Parallel(return_as="generator_unordered", pre_dispatch="3*n_jobs")(
            delayed(work)(unit) for unit in units
        )


def _on_dask(
    units: Sequence[Unit], work: Callable[[Unit], list[Record]], client: Any
) -> Iterator[list[Record]]:
    distributed: Any = import_module("distributed")
    futures = client.map(work, list(units), pure=False)
    for _, records in distributed.as_completed(futures, with_results=True):
        yield records


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_folder(suite: str) -> Path:
    """Where results go unless a folder is named."""
    return Path("arbo-bench") / suite.replace(",", "-").replace("/", "-")
