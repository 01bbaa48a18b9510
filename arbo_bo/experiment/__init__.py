"""Values and rules of an experiment: frozen, validated, standard library only."""

from arbo_bo.experiment.arm import Arm, Context
from arbo_bo.experiment.decision import Candidate, Decision
from arbo_bo.experiment.experiment import Estimator, Experiment, Learned, TaskModel
from arbo_bo.experiment.explanation import Explanation, ExplanationRow
from arbo_bo.experiment.keywords import UNSET, Settings
from arbo_bo.experiment.law import AmdahlLaw, MeanFunction
from arbo_bo.experiment.objective import Objective
from arbo_bo.experiment.outcome import Outcome, TimeMeasure
from arbo_bo.experiment.prediction import Prediction, Residual
from arbo_bo.experiment.slo import SLO, MaxCost, MaxExecutionTime
from arbo_bo.experiment.space import SearchSpace
from arbo_bo.experiment.strategy import SearchRule, Strategy
from arbo_bo.experiment.trial import Phase, Trial, TrialStatus
from arbo_bo.experiment.worker_type import WorkerType, WorkerTypes

__all__ = [
    "SLO",
    "UNSET",
    "AmdahlLaw",
    "Arm",
    "Candidate",
    "Context",
    "Decision",
    "Estimator",
    "Experiment",
    "Explanation",
    "ExplanationRow",
    "Learned",
    "MaxCost",
    "MaxExecutionTime",
    "MeanFunction",
    "Objective",
    "Outcome",
    "Phase",
    "Prediction",
    "Residual",
    "SearchRule",
    "SearchSpace",
    "Settings",
    "Strategy",
    "TaskModel",
    "TimeMeasure",
    "Trial",
    "TrialStatus",
    "WorkerType",
    "WorkerTypes",
]
