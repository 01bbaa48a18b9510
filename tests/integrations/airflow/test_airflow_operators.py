"""Where a task looks for arbo's database, and what it asks Airflow."""

import json
from types import SimpleNamespace

import pytest
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from arbo_bo.errors import StoreURLError
from arbo_bo.integrations.airflow import arbo_stage
from arbo_bo.integrations.airflow.operators import open_arbo
from arbo_bo.integrations.airflow.runs import has_ended


def test_connection_is_taken_when_there_is_one(monkeypatch, tmp_path):
    fields = {"conn_type": "sqlite", "host": str(tmp_path / "arbo.db")}
    monkeypatch.setenv("AIRFLOW_CONN_ARBO_DEFAULT", json.dumps(fields))
    monkeypatch.setenv("ARBO_DATABASE_URL", "sqlite:////nowhere/arbo.db")
    with open_arbo("arbo_default", "team") as arbo:
        assert arbo.experiments() == []
        assert arbo.store.namespace == "team"


def test_variable_is_taken_when_there_is_no_connection(monkeypatch, sqlite_url):
    monkeypatch.setenv("ARBO_DATABASE_URL", sqlite_url)
    with open_arbo("arbo_missing", "default") as arbo:
        assert arbo.experiments() == []


def test_error_says_what_to_do_when_there_is_neither(monkeypatch):
    monkeypatch.delenv("ARBO_DATABASE_URL", raising=False)
    with pytest.raises(StoreURLError, match=r"no Airflow connection 'arbo_missing'.*type postgres"):
        open_arbo("arbo_missing", "default")


@pytest.mark.parametrize(
    ("in_dag", "in_work", "in_stage", "limit"),
    [
        (2000, None, None, "1024 by max_map_length"),
        (7, None, None, "7 by max_active_tasks of the DAG"),
        (7, 3, None, "3 by max_active_tis_per_dagrun of work"),
        (7, 3, 2, "2 by max_parallelism of the stage"),
    ],
)
def test_degrees_are_cut_when_less_can_run_side_by_side(in_dag, in_work, in_stage, limit):
    with DAG("d", schedule=None, max_active_tasks=in_dag):
        stage = arbo_stage("s", arguments="run {chunk_id}", max_parallelism=in_stage)
        partial = BashOperator.partial(task_id="work", max_active_tis_per_dagrun=in_work)
        stage.observe(partial.expand(bash_command=stage.arguments))
    ti = SimpleNamespace(dag_id="d", run_id="r", id="i")
    assert str(stage.plan.request({"ti": ti}, stage.plan.stages[0]).limit) == limit


def instance(answer):
    def get_dagrun_state(dag_id, run_id):
        if isinstance(answer, int):
            detail = {"status_code": answer}
            error = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail)
            raise AirflowRuntimeError(error)
        return answer

    return SimpleNamespace(dag_id="mine", get_dagrun_state=get_dagrun_state)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [("success", True), ("failed", True), ("running", False), ("queued", False), (404, True)],
)
def test_run_has_ended_when_airflow_says_so_or_knows_it_no_longer(answer, ended):
    assert has_ended(instance(answer), "mine", "run") is ended


@pytest.mark.parametrize(("answer", "dag_id"), [(404, "other"), (500, "mine")])
def test_nothing_is_said_of_a_run_when_airflow_cannot_tell(answer, dag_id):
    with pytest.raises(AirflowRuntimeError):
        has_ended(instance(answer), dag_id, "run")
