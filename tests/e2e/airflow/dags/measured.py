"""Stages whose instances do not simply run side by side to the end."""

import os
import time
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import DAG, task

from arbo_bo.integrations.airflow import arbo_stage

TWO = {"parallelism": [2], "default_parallelism": 2, "baseline": False, "namespace": "measured"}


def stage_of(dag_id, seconds, work_args=None, **dag_args):
    """A DAG of one stage, whose two instances sleep."""
    with DAG(dag_id, schedule=None, **dag_args):
        stage = arbo_stage("stage", **TWO)

        @task(**(work_args or {}))
        def work(chunk):
            time.sleep(seconds)

        stage.observe(work.expand(chunk=stage.chunks))


stage_of("run_times_out", 60, dagrun_timeout=timedelta(seconds=30))
stage_of("instance_times_out", 60, {"execution_timeout": timedelta(seconds=3)})
stage_of("one_slot", 2, {"pool": "one_slot"})
stage_of(
    "hostile_defaults",
    0.1,
    default_args={
        "do_xcom_push": False,
        "retries": 0,
        "execution_timeout": timedelta(seconds=30),
        "depends_on_past": True,
        "wait_for_downstream": True,
        "trigger_rule": "none_failed",
        "weight_rule": "upstream",
        "max_active_tis_per_dag": 2,
    },
)


def poke(chunk, ti=None):
    """Is done at the third poke."""
    pokes = Path(os.environ["ARBO_E2E_FOLDER"], f"pokes-{ti.run_id}-{ti.map_index}")
    with pokes.open("a") as file:
        file.write(".")
    return len(pokes.read_text()) >= 3


with DAG("rescheduled", schedule=None):
    stage = arbo_stage("stage", kwargs={"op_kwargs": {"chunk": "{chunk_id}"}}, **TWO)
    waiting = PythonSensor.partial(
        task_id="work", python_callable=poke, mode="reschedule", poke_interval=3
    ).expand_kwargs(stage.kwargs)
    stage.observe(waiting)
