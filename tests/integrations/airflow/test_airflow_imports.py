"""What parsing a DAG loads, in a fresh interpreter; and what Airflow lists."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points

from arbo_bo import __version__

HEAVY = {"torch", "gpytorch", "botorch", "scipy", "numpy", "pandas", "alembic", "psycopg2"}
DAG = """
import json, sys
import airflow.sdk
from airflow.sdk import DAG, BaseHook, BaseOperator, TaskGroup, XComArg, conf, task
from airflow.sdk.definitions.mappedoperator import MappedOperator
before = set(sys.modules)
from arbo_bo.integrations.airflow import arbo_stage
with DAG("d", schedule=None):
    stage = arbo_stage("s", parallelism=(1, 8), default_parallelism=2, input_size="{{ 1 }}")
    @task
    def work(chunk): pass
    stage.observe(work.expand(chunk=stage.chunks))
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_nothing_heavy_is_loaded_when_a_dag_is_parsed():
    done = subprocess.run(
        [sys.executable, "-c", DAG], capture_output=True, text=True, check=True, env=os.environ
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "arbo_bo.integrations.airflow.stage" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {*HEAVY, "sqlalchemy"}
    assert not [name for name in loaded if name.startswith(("arbo_bo.storage", "arbo_bo.models"))]


PLAN = """
import json, sys
import airflow.sdk
from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow.limits import Limit
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.spec import StageSpec
with ArboOptimizer(sys.argv[1]) as arbo:
    for s in (1, 2, 4, 8):
        arbo.attach_trial("d.s", parallelism=s, execution_time_s=5 + 80 / s)
request = Request(StageSpec("s", None, "chunks"), lambda: 1, Limit(), *keys("d", "r", "s", 1), "d")
(advice,) = advise(lambda: ArboOptimizer(sys.argv[1]), [request], lambda *_: False)
assert advice.phase == "optimize", advice.reason
print(json.dumps(sorted(sys.modules)))
"""


def test_no_torch_is_loaded_when_a_plan_decides(sqlite_url):
    done = subprocess.run(
        [sys.executable, "-c", PLAN, sqlite_url],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert "numpy" in loaded
    assert not loaded & {"torch", "gpytorch", "botorch", "scipy", "pandas"}


def test_airflow_finds_the_provider_when_arbo_is_installed():
    found = entry_points(group="apache_airflow_provider", name="provider_info")
    (own,) = (entry for entry in found if entry.value.startswith("arbo_bo."))
    info = own.load()()
    assert (info["package-name"], info["versions"]) == ("arbo-bo", [__version__])
