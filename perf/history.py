"""What a long history costs: ``make bench-history``.

Suggest and complete on one task of fifty trials, alone in its database, and on one like it in a
database of a million trials over 10 000 tasks, both on one PostgreSQL. The store's part is what
arbo asks of the database; the whole adds the fit of the model. Both are measured in turns.
"""

import argparse
import io
import statistics
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import psycopg2.extras
from chaos import Server
from store import PAST, Arbo

from arbo_bo.storage import codec
from arbo_bo.storage.store import SQLTrialStore

COLUMNS = (
    "id, namespace, task_name, trial_index, status, parallelism, cluster_load, execution_time, "
    "phase, created_at, started_at, finished_at"
)


def fill(url: str, trials: int, tasks: int) -> None:
    """Copies completed trials of many tasks into the database; they ended over the last year."""
    with SQLTrialStore(url) as store:
        store.upgrade()
    from arbo_bo.experiment import Experiment

    configuration = psycopg2.extras.Json(codec.configuration_of(Experiment("x")))
    a_task, now = trials // tasks, datetime.now(UTC)
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO task_models (namespace, task_name, alpha, configuration, hyperparameters, "
            "sample_count, next_trial_index) SELECT 'default', 'task-' || n, 0.3, %s, '{}', %s, %s "
            "FROM generate_series(1, %s) n",
            (configuration, a_task, a_task, tasks),
        )
        for index in range(a_task):
            end = now - timedelta(days=365) * (1 - index / a_task)
            start = end - timedelta(seconds=9)
            lines = (
                f"{uuid.uuid4()}\tdefault\ttask-{n}\t{index}\tCOMPLETED\t{1 + index % 16}\t0\t"
                f"{9 + index}\toptimize\t{start}\t{start}\t{end}\n"
                for n in range(1, tasks + 1)
            )
            cursor.copy_expert(
                f"COPY execution_history ({COLUMNS}) FROM STDIN", io.StringIO("".join(lines))
            )
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.close()


def medians_ms(peers: list[Arbo], steps: int) -> list[float]:
    """Median time of one step of each, taken in turns, so that both meet the same machine."""
    times: list[list[float]] = [[] for _ in peers]
    for number in range(steps + 3):
        for peer, mine in zip(peers, times, strict=True):
            started = time.perf_counter()
            peer.step(100.0 + number % 7)
            mine.append(1e3 * (time.perf_counter() - started))
    return [statistics.median(mine[3:]) for mine in times]


def compare(name: str, urls: list[str], fits: bool, steps: int) -> None:
    """Prints one line of the report."""
    few, many = medians_ms([Arbo(url, fits) for url in urls], steps)
    print(f"{name} | {few:.2f} ms | {many:.2f} ms | {many / few:.2f}", flush=True)


def main() -> None:
    """Prints both times and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arbo-history-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "postgresql")
        try:
            urls = [server.new_url(), server.new_url()]
            fill(urls[1], given.trials, given.tasks)
            for url in urls:
                Arbo(url, False).fill()
            print(f"suggest + complete | {PAST} trials | {given.trials} trials | ratio", flush=True)
            compare("the store's part", urls, False, given.steps)
            compare("the whole", urls, True, given.steps // 4)
        finally:
            server.server.cleanup()


if __name__ == "__main__":
    main()
