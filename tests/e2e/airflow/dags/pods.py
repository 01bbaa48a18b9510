"""A mapped KubernetesPodOperator, as in the study's DAG."""

import os

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG

from arbo_bo.integrations.airflow import arbo_stage

with DAG("pods", schedule=None):
    stage = arbo_stage(
        "frequency_ALL",
        arguments=["--chunk_id", "{chunk_id}", "--chunks", "{chunks}", "--POP", "ALL"],
        input_size="{{ dag_run.conf['vcf_bytes'] }}",
        default_parallelism=3,
        parallelism=(1, 32),
        baseline=False,
        namespace="pods",
    )
    work = KubernetesPodOperator.partial(
        task_id="frequency_calc_plot",
        image="genome",
        cmds=["python3", "frequency_par2.py"],
        config_file=f"{os.environ['ARBO_E2E_FOLDER']}/kubeconfig",
        kubernetes_conn_id=None,
        in_cluster=False,
        get_logs=False,
        poll_interval=0.1,
        startup_check_interval_seconds=1,
    ).expand(arguments=stage.arguments)
    stage.observe(work)
