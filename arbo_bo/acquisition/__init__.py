"""Acquisition functions of BoTorch's own kind, and the exact search over the allowed degrees."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.acquisition.bounds import LowerConfidenceBound, RiskAverseScore
    from arbo_bo.acquisition.constrained import (
        BudgetConstrainedTime,
        ConstrainedLogScoreExpectedImprovement,
        DeadlineConstrainedCost,
        SLOConstrained,
        feasible_incumbent,
    )
    from arbo_bo.acquisition.expected_cost import ExpectedCost, ExpectedTime
    from arbo_bo.acquisition.improvement import LogScoreExpectedImprovement, incumbent
    from arbo_bo.acquisition.knowledge_gradient import OnlineKnowledgeGradient
    from arbo_bo.acquisition.registry import AcquisitionInputs, available, make_acquisition
    from arbo_bo.acquisition.search import evaluate_degrees
    from arbo_bo.acquisition.thompson import ThompsonSampling
    from arbo_bo.acquisition.transform import NegativeLogScore

_HOMES = {
    "AcquisitionInputs": "arbo_bo.acquisition.registry",
    "BudgetConstrainedTime": "arbo_bo.acquisition.constrained",
    "ConstrainedLogScoreExpectedImprovement": "arbo_bo.acquisition.constrained",
    "DeadlineConstrainedCost": "arbo_bo.acquisition.constrained",
    "ExpectedCost": "arbo_bo.acquisition.expected_cost",
    "ExpectedTime": "arbo_bo.acquisition.expected_cost",
    "LogScoreExpectedImprovement": "arbo_bo.acquisition.improvement",
    "LowerConfidenceBound": "arbo_bo.acquisition.bounds",
    "NegativeLogScore": "arbo_bo.acquisition.transform",
    "OnlineKnowledgeGradient": "arbo_bo.acquisition.knowledge_gradient",
    "RiskAverseScore": "arbo_bo.acquisition.bounds",
    "SLOConstrained": "arbo_bo.acquisition.constrained",
    "ThompsonSampling": "arbo_bo.acquisition.thompson",
    "available": "arbo_bo.acquisition.registry",
    "evaluate_degrees": "arbo_bo.acquisition.search",
    "feasible_incumbent": "arbo_bo.acquisition.constrained",
    "incumbent": "arbo_bo.acquisition.improvement",
    "make_acquisition": "arbo_bo.acquisition.registry",
}

__all__ = [
    "AcquisitionInputs",
    "BudgetConstrainedTime",
    "ConstrainedLogScoreExpectedImprovement",
    "DeadlineConstrainedCost",
    "ExpectedCost",
    "ExpectedTime",
    "LogScoreExpectedImprovement",
    "LowerConfidenceBound",
    "NegativeLogScore",
    "OnlineKnowledgeGradient",
    "RiskAverseScore",
    "SLOConstrained",
    "ThompsonSampling",
    "available",
    "evaluate_degrees",
    "feasible_incumbent",
    "incumbent",
    "make_acquisition",
]

__getattr__ = resolver(__name__, _HOMES)
