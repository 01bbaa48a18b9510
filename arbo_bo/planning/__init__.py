"""Whole workflows: every stage's degree and worker together, for one goal; nothing here runs."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.experiment.worker_type import WorkerType
    from arbo_bo.planning.formats import load_workflow
    from arbo_bo.planning.goals import Budget, Deadline, Mean, Percentile
    from arbo_bo.planning.plan import Plan, StagePlan
    from arbo_bo.planning.workflow import Stage, Workflow

_HOMES = {
    "Budget": "arbo_bo.planning.goals",
    "Deadline": "arbo_bo.planning.goals",
    "Mean": "arbo_bo.planning.goals",
    "Percentile": "arbo_bo.planning.goals",
    "Plan": "arbo_bo.planning.plan",
    "Stage": "arbo_bo.planning.workflow",
    "StagePlan": "arbo_bo.planning.plan",
    "WorkerType": "arbo_bo.experiment.worker_type",
    "Workflow": "arbo_bo.planning.workflow",
    "load_workflow": "arbo_bo.planning.formats",
}

__all__ = [
    "Budget",
    "Deadline",
    "Mean",
    "Percentile",
    "Plan",
    "Stage",
    "StagePlan",
    "WorkerType",
    "Workflow",
    "load_workflow",
]

__getattr__ = resolver(__name__, _HOMES)
