"""The workers of ``make chaos``: what they note, and how that is compared with the store."""

import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from arbo_bo import ArboOptimizer
from arbo_bo.errors import ArboError
from arbo_bo.experiment import TrialStatus, drafts, trial
from arbo_bo.storage import SQLTrialStore, codec, samples, schema, transaction

T = TypeVar("T")
FORK = multiprocessing.get_context("fork")  # a worker then starts in milliseconds
PATIENCE_S = 60.0


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

    for module in (trial, drafts, codec, samples, transaction):
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

    def count(self, what: str) -> int:
        """How many notes of a kind there are so far."""
        return sum(note["what"] == what for note in self._noted())

    def _noted(self) -> list[dict[str, Any]]:
        return [n for path in self.notes.glob("*.jsonl") for n in read_notes(path)]

    def wait_for_progress(self) -> None:
        """Waits until the crew has completed some more, so that each fault meets work."""
        wanted = self.count("completed") + len(self.names)
        until = time.monotonic() + PATIENCE_S
        while self.count("completed") < wanted and time.monotonic() < until:
            time.sleep(0.02)

    def finish(self, scenario: str, database: str, stop: bool, started: float) -> list[str]:
        """Waits for the workers, compares, and returns the row of the report."""
        if stop:
            (self.notes / "stop").touch()
        for process in self.processes.values():
            process.join(3 * PATIENCE_S)
            if process.exitcode != 0:
                raise SystemExit(f"{scenario}: a worker ended with {process.exitcode}")
        notes = self._noted()
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
