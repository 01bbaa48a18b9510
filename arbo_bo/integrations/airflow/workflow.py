"""The workflow of a DAG: its stages, and what each comes after."""

from typing import TYPE_CHECKING, Any

from arbo_bo.errors import WorkflowError
from arbo_bo.integrations.airflow.operators import PlanOperator
from arbo_bo.planning.workflow import Workflow

if TYPE_CHECKING:
    from airflow.sdk import DAG


def workflow_of_dag(dag: "DAG") -> Workflow:
    """The stages of a DAG that uses `arbo_stage`, as a workflow that can be planned.

    A stage comes after the stages whose tasks lie upstream of its plan task, those behind another
    stage left out. Its input size is taken where it is a number; a template or a callable is known
    when the DAG runs, and is given to `ArboOptimizer.plan` as ``input_sizes``.

    Args:
        dag: A parsed DAG.

    Raises:
        WorkflowError: The DAG has no stage.
    """
    plans = {t.task_id: t for t in dag.tasks if isinstance(t, PlanOperator)}
    if not plans:
        raise WorkflowError(f"DAG {dag.dag_id!r} has no task of arbo_stage")
    found = Workflow(dag.dag_id)
    for task in plans.values():
        before = [spec.name for p in _nearest(dag, task, plans) for spec in plans[p].stages]
        for spec in task.stages:
            size = task.input_sizes.get(spec.name)
            found.stage(
                spec.name,
                after=before,
                experiment=spec.experiment,
                parallelism=spec.settings.get("parallelism"),
                input_size=size if isinstance(size, (int, float)) else None,
            )
    return found


def _nearest(dag: "DAG", task: Any, plans: dict[str, PlanOperator]) -> list[str]:
    """The plan tasks upstream of one, none of which lies behind another."""
    found, seen, ahead = list[str](), set[str](), list(task.upstream_task_ids)
    for name in ahead:  # grows while it is read
        if name in seen:
            continue
        seen.add(name)
        if name in plans:
            found.append(name)
        else:
            ahead += dag.get_task(name).upstream_task_ids
    return sorted(found)
