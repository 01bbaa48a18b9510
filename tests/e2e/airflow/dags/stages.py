"""DAGs whose mapped instances do what the run's conf says."""

import os
import signal
import time
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from arbo_bo import Objective
from arbo_bo.integrations.airflow import arbo_stage, arbo_stages

SIZE = "{{ dag_run.conf.get('size', 1.0) }}"
SOON = {"retries": 2, "retry_delay": timedelta(seconds=1)}
TWO = {"parallelism": [2], "default_parallelism": 2, "baseline": False, "record_args": SOON}


def behave(chunk_id, chunks):
    """Sleeps as long as this chunk takes, then does to this chunk what the run's conf wants."""
    context = get_current_context()
    ti, conf = context["ti"], context["dag_run"].conf
    first_try = ti.try_number <= 1
    wanted = conf.get("do", {}).get(str(chunk_id))
    time.sleep(conf.get("sleep", 0.05) + conf.get("work_s", 0.0) / chunks)
    if wanted == "raise" or (wanted == "raise once" and first_try):
        raise RuntimeError("as the conf wants")
    if wanted == "kill" or (wanted == "kill once" and first_try):
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted == "hang":
        time.sleep(600)
    if wanted == "skip":
        raise AirflowSkipException("as the conf wants")
    return chunk_id


def crash_once(context, result=None):
    """A post_execute hook: the record task dies after its write."""
    if context["ti"].try_number <= 1:
        os.kill(os.getpid(), signal.SIGKILL)


with DAG("eight", schedule=None):
    stage = arbo_stage(
        "eight",
        input_size=SIZE,
        parallelism=[1, 2, 4],
        default_parallelism=4,
        objective=Objective(urgency=2.0),
        record_args=SOON,
    )

    @task
    def work(chunk):
        return behave(**chunk)

    @task
    def merge(parallelism):
        return parallelism

    done = work.expand(chunk=stage.chunks)
    stage.observe(done)
    done >> merge(stage.parallelism)


def one_stage(dag_id, retries=0, **options):
    """A DAG of one stage, always with two workers."""
    with DAG(dag_id, schedule=None):
        stage = arbo_stage(dag_id, input_size=SIZE, **{**TWO, **options})

        @task(retries=retries, retry_delay=timedelta(seconds=1))
        def work(chunk):
            return behave(**chunk)

        stage.observe(work.expand(chunk=stage.chunks))


one_stage("plain")
one_stage("retrying", retries=1)
one_stage("slowest", time_measure="slowest")
one_stage("soak", retries=1, parallelism=(2, 4))
one_stage("crashing", record_args={**SOON, "post_execute": crash_once})
one_stage("loaded", namespace="load")
one_stage("down", conn_id="arbo_down")
one_stage("by_variable", conn_id="arbo_missing")
one_stage("wrong_type", conn_id="arbo_wrong_type")
one_stage(
    "record_down", namespace="down", record_args={**SOON, "retries": 1, "conn_id": "arbo_down"}
)


with DAG("unusual", schedule=None):
    stage = arbo_stage("unusual", **TWO)

    @task
    def before(chunks):
        wanted = get_current_context()["dag_run"].conf["before"]
        if wanted == "fail":
            raise RuntimeError("as the conf wants")
        if wanted == "skip":
            raise AirflowSkipException("as the conf wants")
        return []

    @task
    def work(chunk):
        return behave(**chunk)

    stage.observe(work.expand(chunk=before(stage.chunks)))


with DAG("grouped", schedule=None):
    stage = arbo_stage("grouped", **TWO)

    @task_group
    def chunk_of_work(chunk):
        @task
        def first(chunk):
            return {key: value for key, value in chunk.items()}

        @task
        def second(chunk):
            return behave(**chunk)

        second(first(chunk))

    stage.observe(chunk_of_work.expand(chunk=stage.chunks))


with DAG("unpacked", schedule=None):
    stage = arbo_stage(
        "unpacked",
        kwargs={"bash_command": "echo $PART of {chunks}", "env": {"PART": "{chunk_id}"}},
        **TWO,
    )
    stage.observe(BashOperator.partial(task_id="work").expand_kwargs(stage.kwargs))


with DAG("several", schedule=None):
    stages = arbo_stages(
        "several",
        {
            "heavy": {"parallelism": [3], "default_parallelism": 3, "input_size": SIZE},
            "light_a": {"experiment": "light", "parallelism": [2], "default_parallelism": 2},
            "light_b": {"experiment": "light", "parallelism": [2], "default_parallelism": 2},
        },
        baseline=False,
        namespace="several",
        record_args=SOON,
    )

    @task
    def work(chunk):
        stage = chunk.pop("stage")
        behave(**chunk)
        return stage

    stages.observe(work.expand(chunk=stages.chunks))
