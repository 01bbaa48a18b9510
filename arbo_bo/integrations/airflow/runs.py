"""What Airflow tells a task of other DAG runs: whether one is over, and how long a stage ran."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from airflow.sdk.exceptions import AirflowRuntimeError

from arbo_bo.experiment import Trial
from arbo_bo.integrations.airflow import markers
from arbo_bo.integrations.airflow.naming import parts_of

logger = logging.getLogger(__name__)

ADVICE = "arbo"
"""XCom key of what a plan task decided."""
_ENDED = ("success", "failed")
_PLAN, _RECORD = "PlanOperator", "RecordOperator"


def has_ended(ti: Any, dag_id: str, run_id: str) -> bool:
    """Whether a DAG run is over, as one of this DAG is that Airflow no longer knows.

    A run of another DAG may be another Airflow's, where both share a namespace.
    """
    try:
        return bool(ti.get_dagrun_state(dag_id, run_id) in _ENDED)
    except AirflowRuntimeError as err:
        deleted = (err.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND
        if deleted and dag_id == ti.dag_id:
            return True
        raise


def left_behind(ti: Any, dag_id: str, run_id: str) -> bool:
    """Whether a DAG run is over and none of its record tasks is still to come.

    Where a person sets a run to failed, its teardowns go on.
    """
    if not has_ended(ti, dag_id, run_id):
        return False
    rows = _rows(ti, dag_id, run_id)
    plans = sum(row["operator"] == _PLAN and row["state"] == "success" for row in rows)
    return bool(sum(row["operator"] == _RECORD for row in rows) >= plans)


def ran_for(ti: Any, trial: Trial) -> float | None:
    """How long a stage ran at least that was ended with its DAG run, by dagrun_timeout [s].

    Such a run's record tasks are skipped.

    Returns:
        None where the stage was not ended so, or where nothing is known of its time.
    """
    if (parts := parts_of(trial.run_key)) is None:
        return None
    dag_id, run_id, _ = parts
    rows = _rows(ti, dag_id, run_id)
    advice = _advice(ti, dag_id, run_id, trial, rows)
    states = {row["task_id"]: row["state"] for row in rows if row["operator"] == _RECORD}
    if advice is None or states.get(advice["recorded_by"]) != "skipped":
        return None
    begins = ti.xcom_pull(
        task_ids=list(advice["observed"]), dag_id=dag_id, run_id=run_id, key=markers.BEGIN
    )
    first, end = advice["first_index"], _end_of(dag_id, run_id)
    indices = range(first, first + advice["parallelism"])
    starts = [m["start"] for m in begins or () if m is not None and m["map_index"] in indices]
    if not starts or end is None or end <= min(starts):
        return None
    return float(end - min(starts))


def _rows(ti: Any, dag_id: str, run_id: str) -> list[Mapping[str, Any]]:
    """Each instance of a run that is in a terminal state; none of a run that was deleted."""
    return list(ti.get_task_breadcrumbs(dag_id, run_id))


def _advice(
    ti: Any, dag_id: str, run_id: str, trial: Trial, rows: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """What the run's plan tasks left of the trial."""
    for task_id in {row["task_id"] for row in rows if row["operator"] == _PLAN}:
        for advice in (
            ti.xcom_pull(task_ids=task_id, dag_id=dag_id, run_id=run_id, key=ADVICE) or ()
        ):
            if advice.get("trial_id") == trial.trial_id and "recorded_by" in advice:
                return dict(advice)
    return None


def _end_of(dag_id: str, run_id: str) -> float | None:
    """When a run ended [s since the epoch]: its state is public, its dates a private message."""
    try:
        from airflow.sdk.execution_time import task_runner
        from airflow.sdk.execution_time.comms import DagRunResult, GetDagRun

        run = task_runner.SUPERVISOR_COMMS.send(GetDagRun(dag_id=dag_id, run_id=run_id))
    except Exception as err:  # adds precision, carries no correctness
        logger.info("the end of DAG run %s of %s cannot be had: %s", run_id, dag_id, err)
        return None
    if not isinstance(run, DagRunResult) or run.end_date is None:
        return None
    return float(run.end_date.timestamp())
