"""Faults while many processes suggest and complete, and what came of it: ``make chaos``.

Every worker is a process that suggests with an idempotency key and completes, and notes each answer
in a file of its own. Afterwards what the database holds is compared with the notes: an acknowledged
write that is missing or different is lost; two trials of one key are duplicates. A refusal is an
error of arbo's family that reached the worker, which then asked again.

Runs that are completed here are excluded from training, so that no model is fitted.
"""

import argparse
import logging
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos_crew import Crew
from chaos_faults import (
    Server,
    cut_connections,
    databases,
    fill_disk,
    fill_servers_disk,
    kill,
    make_read_only,
    small_disk,
)

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
    with temporary_folder() as folder, databases(kind, folder) as (new_url, server):
        for tasks in (1, 4 if short else 20):
            name = f"{size} processes x {runs}, {tasks} task" + "s" * (tasks > 1)
            yield play(kind, name, new_url(), (size, tasks, runs))
        yield play(kind, "clocks jump", new_url(), (4, 2, runs), wrong_clock=True)
        crew = (4 if short else 8, 2, 10**6)
        for name, times, fault in scenarios(server, draw, short):
            yield play(kind, name, new_url(), crew, fault, times)
        if server is not None:
            yield from run_out_of_disk(crew, draw, 1 if short else 10)


def run_out_of_disk(
    size: tuple[int, int, int], draw: random.Random, times: int
) -> Iterator[list[str]]:
    """Plays a full disk under a server of its own, where a small disk can be had."""
    with small_disk() as disk:
        if disk is None:
            print("the server's disk is full: skipped, it needs root to mount one", file=sys.stderr)
            return
        with databases("postgresql", disk) as (new_url, server):
            assert server is not None

            def fault(crew: Crew) -> None:
                fill_servers_disk(crew, server, disk, draw)

            yield play("postgresql", "the server's disk is full", new_url(), size, fault, times)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for the databases of a run."""
    with tempfile.TemporaryDirectory(prefix="arbo-chaos-") as name:
        yield Path(name)


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
