"""``arbo bench``: policies against problems made of measured runs."""

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arbo_bo._format import format_time
from arbo_bo.cli import (
    INTERRUPTED,
    bench_options,
    bench_render,
    bench_workflows,
    options,
    render,
)
from arbo_bo.cli.status_line import StatusLine
from arbo_bo.errors import InvalidValueError

if TYPE_CHECKING:
    from arbo_bo.benchmarks.runner import Progress
    from arbo_bo.benchmarks.suite import Suite, SuiteOptions


@click.group(no_args_is_help=True)
def app() -> None:
    """Benchmarks: does arbo choose better than what people would use instead?"""


@app.command()
@bench_options.suite
@bench_options.policies
@bench_options.seeds
@bench_options.runs
@bench_options.tasks
@bench_options.out
@bench_options.data
@bench_options.jobs
@bench_options.dask
@options.where
@options.json
def run(
    suite: str,
    policies: str | None,
    seeds: int,
    runs: int | None,
    tasks: int,
    out: Path | None,
    data: Path | None,
    jobs: int,
    dask: str | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Run policies on a suite and print the table; an interrupted run goes on where it was."""
    from arbo_bo.benchmarks.sources.folder import find_folder

    if suite == bench_workflows.NAME:
        return bench_workflows.run(find_folder(data), json)
    from arbo_bo.benchmarks import extra, report, runner
    from arbo_bo.benchmarks.results import Results
    from arbo_bo.benchmarks.suite import SuiteOptions
    from arbo_bo.benchmarks.suites import build_suites

    extra.require_bench()
    chosen = runner.choose_policies(policies)
    if _holds_store_suite(suite, store):
        options.open_optimizer(store, namespace, must_exist=True).close()
    with StatusLine() as status:
        status.update("reading measured runs")
        suites = build_suites(suite, SuiteOptions(tasks, data, store, namespace))
    bench_render.remark(note for one in suites for note in one.notes)
    results = Results(out or runner.default_folder(suite))
    plan = runner.Plan(suites, chosen, seeds, runs, jobs, tasks, find_folder(data))
    client = extra.dask_client(dask) if dask else None
    try:
        with _progress(results.folder) as progress:
            records = runner.run_benchmark(plan, results, client=client, progress=progress)
    except KeyboardInterrupt:
        bench_render.remark(
            [f"interrupted; the same command goes on where it was, in {results.folder}"]
        )
        raise click.exceptions.Exit(INTERRUPTED) from None
    # A folder may hold more than was asked for now.
    records = records[
        records["suite"].isin([s.name for s in suites]) & records["policy"].isin(chosen)
    ]
    header = results.header()
    if json:
        return render.print_json(report.as_json(records, header))
    print(report.tables(records, header))
    bench_render.remark([f"{bench_render.total_time(header)}; results in {results.folder}"])


@app.command()
@bench_options.folder
@bench_options.ours
@options.json
def compare(
    folder: Path,
    policy: str,
    json: bool,
) -> None:
    """Print the tables, and the 95 % intervals of one policy against each peer."""
    from arbo_bo.benchmarks import report

    results, records = _open(folder)
    _require_policy(records, policy)
    header = results.header()
    if json:
        return render.print_json(report.as_json(records, header, policy))
    print(report.tables(records, header, policy))
    print(f"\n### {policy} against each peer, paired\n")
    print(report.comparison_table(records, policy))


@app.command()
@bench_options.folders
@bench_options.candidates
@options.json
def choose(
    folders: tuple[Path, ...],
    policies: str | None,
    json: bool,
) -> None:
    """Choose a configuration of arbo on all suites but one, and judge it on that one."""
    from dataclasses import asdict

    from arbo_bo.benchmarks import choice, report
    from arbo_bo.benchmarks.results import merged_records

    records = merged_records([_open(folder)[0] for folder in folders])
    names = [part.strip() for part in (policies or "").split(",") if part.strip()]
    candidates = choice.candidates_of(records, names)
    if json:
        chosen = choice.leave_one_out(records, candidates)
        return render.print_json(report.finite([asdict(c) for c in chosen]))
    print(choice.choice_tables(records, candidates))


@app.command()
@bench_options.folder
@bench_options.picture_folder
@bench_options.formats
@options.json
def plot(
    folder: Path,
    output: Path | None,
    formats: str,
    json: bool,
) -> None:
    """Draw regret curves and performance profiles; prints the files' paths."""
    from arbo_bo.benchmarks.plots import plot_all

    wanted = [part.strip() for part in formats.split(",")]
    if not set(wanted) <= {"png", "svg"}:
        raise InvalidValueError(f"--format must be png, svg or both, got {formats!a}")
    _, records = _open(folder)
    bench_render.print_paths(plot_all(records, output or folder / "images", wanted), json)


@app.command()
@bench_options.folder
@bench_options.ours
@bench_options.count
@bench_options.data
@options.where
@options.json
def explain(
    folder: Path,
    policy: str,
    count: int,
    data: Path | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Show the worst tasks: what was chosen, what was right, what the posterior said."""
    from arbo_bo.benchmarks.explain import explain as explain_worst
    from arbo_bo.benchmarks.suite import SuiteOptions

    results, records = _open(folder)
    header = results.header()
    if data is None and header.get("data"):
        data = Path(header["data"])
    suite_options = SuiteOptions(int(header.get("tasks", 20)), data, store, namespace)
    tables = header.get("tables", {})
    names = [tables.get(name, name) for name in header.get("suites", {})]
    suites = [s for name in names for s in _rebuilt(name, suite_options)]
    found = explain_worst(records, suites, policy, count)
    if json:
        return render.print_json([bench_render.explanation_json(e) for e in found])
    for explanation in found:
        bench_render.print_explanation(explanation)


@app.command()
@bench_options.folders
@bench_options.page
@options.json
def report(
    folders: tuple[Path, ...],
    output: Path,
    json: bool,
) -> None:
    """Write a page with the tables, the pictures, and how they were made."""
    from arbo_bo.benchmarks.document import Part, write_document

    opened = [_open(folder) for folder in folders]
    parts = [Part(records, results.header()) for results, records in opened]
    given = " ".join(["DIR"] * len(folders))
    command = f"arbo bench report {given} --output {shlex.quote(str(output))}"
    bench_render.print_paths(write_document(parts, output, command), json)


@app.command("list")
@bench_options.data
@options.json
def list_all(
    data: Path | None,
    json: bool,
) -> None:
    """List the suites and the policies."""
    from arbo_bo.benchmarks.policies.variants import variant_names
    from arbo_bo.benchmarks.runner import known_policies, missing_packages
    from arbo_bo.benchmarks.suite import SuiteOptions
    from arbo_bo.benchmarks.suites import DESCRIPTIONS, suite_names

    suites = {
        name: DESCRIPTIONS.get(name, "a table of the data folder")
        for name in suite_names(SuiteOptions(data=data))
    }
    known = [*known_policies(), *variant_names()]
    missing = missing_packages(known)
    policies = {name: missing.get(name) for name in known}
    if json:
        return render.print_json({"suites": suites, "policies": policies})
    render.print_table(bench_render.name_table("suite", suites))
    needs = {n: "" if p is None else f"needs the package {p}" for n, p in policies.items()}
    print()
    render.print_table(bench_render.name_table("policy", needs))


def _open(folder: Path) -> tuple[Any, Any]:
    """A folder's results and its records."""
    from arbo_bo.benchmarks.extra import require_bench
    from arbo_bo.benchmarks.results import Results

    require_bench()
    results = Results(folder)
    return results, results.records()


def _require_policy(records: Any, policy: str) -> None:
    known = sorted(records["policy"].unique())
    if policy not in known:
        raise InvalidValueError(
            f"the results hold no policy {policy!a}; they hold {', '.join(known)}"
        )


def _holds_store_suite(suite: str, store: str | None) -> bool:
    """Whether the store's own tasks are replayed; no other suite opens a store."""
    from arbo_bo.benchmarks.suites import STORE

    held = STORE in [part.strip() for part in suite.split(",")]
    if store is not None and not held:
        raise InvalidValueError(
            f"--store names the store that the suite {STORE} replays, and --suite {suite} does not "
            f"hold it: add it as --suite {STORE}, or leave --store out"
        )
    return held


def _rebuilt(name: str, suite_options: "SuiteOptions") -> "list[Suite]":
    """A suite of the results; none where its source is not here."""
    from arbo_bo.benchmarks.suites import STORE, build_suites
    from arbo_bo.errors import ArboError

    try:
        return build_suites(name, suite_options)
    except ArboError as err:
        hint = ""
        if name == STORE and suite_options.store is None:
            hint = "; give --store, and --namespace, as `arbo bench run` was given them"
        bench_render.remark([f"the suite {name} cannot be built here: {err}{hint}"])
        return []


@contextmanager
def _progress(folder: Path) -> "Iterator[Progress]":
    """Counts on stderr; while it goes on, where stderr is a terminal."""
    started, before = time.monotonic(), None

    with StatusLine() as status:

        def report(done: int, total: int) -> None:
            nonlocal before
            if before is None:
                before = done
                if done:
                    status.print(f"{done} of {total} were done before, in {folder}")
            text = f"{done} of {total} problems x policies x seeds"
            if done > before:
                left_s = (time.monotonic() - started) * (total - done) / (done - before)
                text += f", about {format_time(max(left_s, 1.0))} left"
            status.update(text)

        yield report
