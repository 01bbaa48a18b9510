"""The workflow that a DAG is to the planner."""

import pytest
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from arbo_bo.errors import WorkflowError
from arbo_bo.integrations.airflow import arbo_stage, workflow_of_dag


def stage(name, **options):
    """A stage with its mapped task; returns the plan and the work."""
    planned = arbo_stage(name, arguments="run {chunk_id}", **options)
    work = BashOperator.partial(task_id=f"work_{name}").expand(bash_command=planned.arguments)
    planned.observe(work)
    return planned.plan, work


def test_stages_come_after_those_upstream_of_them_and_no_farther():
    with DAG("genome", schedule=None) as dag:
        _, split_work = stage("split", parallelism=(1, 8), input_size=100)
        merge, merge_work = stage("merge", experiment="shared.merge", input_size="{{ ds }}")
        last, _ = stage("last")
        split_work >> EmptyOperator(task_id="between") >> merge
        merge_work >> last
    found = workflow_of_dag(dag)
    assert {s.name: s.after for s in found.ordered()} == {
        "split": (),
        "merge": ("split",),
        "last": ("merge",),
    }
    assert (found["split"].experiment, found["merge"].experiment) == (
        "genome.split",
        "shared.merge",
    )
    assert found["split"].parallelism.largest == 8
    assert (found["split"].input_size, found["merge"].input_size) == (100, None)


def test_dag_without_stages_is_no_workflow():
    with DAG("d", schedule=None) as dag:
        EmptyOperator(task_id="only")
    with pytest.raises(WorkflowError, match="no task of arbo_stage"):
        workflow_of_dag(dag)
