"""The Airflow provider: one line before a mapped stage decides its degree, and learns from it.

Importing this package loads the standard library alone; `arbo_stage` loads `airflow.sdk`, and what
decides or stores is loaded when a task runs, never when a DAG is parsed.
"""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.integrations.airflow.operators import PlanOperator, RecordOperator
    from arbo_bo.integrations.airflow.stage import Stages, arbo_stage, arbo_stages
    from arbo_bo.integrations.airflow.workflow import workflow_of_dag

_HOMES = {
    "PlanOperator": "arbo_bo.integrations.airflow.operators",
    "RecordOperator": "arbo_bo.integrations.airflow.operators",
    "Stages": "arbo_bo.integrations.airflow.stage",
    "arbo_stage": "arbo_bo.integrations.airflow.stage",
    "arbo_stages": "arbo_bo.integrations.airflow.stage",
    "workflow_of_dag": "arbo_bo.integrations.airflow.workflow",
}

__all__ = [
    "PlanOperator",
    "RecordOperator",
    "Stages",
    "arbo_stage",
    "arbo_stages",
    "workflow_of_dag",
]

__getattr__ = resolver(__name__, _HOMES)
