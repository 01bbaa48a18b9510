"""How arbo's own acquisition functions are made, by name."""

from collections.abc import Callable, Mapping

from botorch.acquisition.acquisition import AcquisitionFunction

from arbo_bo.acquisition.bounds import LowerConfidenceBound, RiskAverseScore
from arbo_bo.acquisition.constrained import (
    BudgetConstrainedTime,
    ConstrainedLogScoreExpectedImprovement,
    DeadlineConstrainedCost,
    SLOConstrained,
    feasible_incumbent,
)
from arbo_bo.acquisition.expected_cost import ExpectedCost
from arbo_bo.acquisition.improvement import LogScoreExpectedImprovement, incumbent
from arbo_bo.acquisition.knowledge_gradient import OnlineKnowledgeGradient
from arbo_bo.acquisition.registry import AcquisitionInputs
from arbo_bo.acquisition.search import at_choices
from arbo_bo.acquisition.thompson import ThompsonSampling
from arbo_bo.experiment.slo import cost_objective
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.numerics.priors import DEFAULT_PRIORS

TRIAL_RISK = DEFAULT_PRIORS.choice.trial_risk
"""Times the misses that a service level allows: what a run that explores may risk at most."""


def under_slo(base: AcquisitionFunction, inputs: AcquisitionInputs) -> AcquisitionFunction:
    """`base` among the degrees that keep the service levels; itself where there are none."""
    return SLOConstrained(inputs.model, inputs.slo, base) if inputs.slo else base


def _expected_cost(i: AcquisitionInputs) -> AcquisitionFunction:
    return under_slo(ExpectedCost(i.model, i.objective), i)


def _expected_improvement(i: AcquisitionInputs) -> AcquisitionFunction:
    choices = i.choices
    if i.slo:
        best = feasible_incumbent(i.model, choices, i.slo, i.objective)
        if best.isneginf():  # nothing is feasible, and no degree's improvement counts
            best = incumbent(i.model, choices, i.objective)
    else:
        best = incumbent(i.model, choices, i.objective)
    improvement = LogScoreExpectedImprovement(i.model, best, i.objective, X_pending=i.X_pending)
    return under_slo(improvement, i)


def _knowledge_gradient(i: AcquisitionInputs) -> AcquisitionFunction:
    model = i.model.with_fitted_noise() if isinstance(i.model, AmdahlGP) else i.model
    if not i.slo:
        return OnlineKnowledgeGradient(
            model, i.choices, objective=i.objective, X_pending=i.X_pending
        )
    cost = cost_objective(i.objective, i.slo)
    under = DeadlineConstrainedCost(i.model, i.slo, i.objective, trial_risk=TRIAL_RISK)
    kept = at_choices(under.feasible, i.choices, i.model.batch_shape)
    if not kept.any():
        return under
    choices = i.choices[kept]
    gradient = OnlineKnowledgeGradient(model, choices, objective=cost, X_pending=i.X_pending)
    return DeadlineConstrainedCost(
        i.model, i.slo, i.objective, base=gradient, trial_risk=TRIAL_RISK
    )


def _lcb(i: AcquisitionInputs) -> AcquisitionFunction:
    bound = LowerConfidenceBound(i.model, objective=i.objective, X_pending=i.X_pending)
    return under_slo(bound, i)


def _risk_averse(i: AcquisitionInputs) -> AcquisitionFunction:
    return under_slo(RiskAverseScore(i.model, objective=i.objective), i)


def _thompson(i: AcquisitionInputs) -> AcquisitionFunction:
    draw = ThompsonSampling(i.model, i.choices, i.objective, X_pending=i.X_pending, seed=i.seed)
    return under_slo(draw, i)


def _deadline(i: AcquisitionInputs) -> AcquisitionFunction:
    return DeadlineConstrainedCost(i.model, i.slo, i.objective)


def _budget(i: AcquisitionInputs) -> AcquisitionFunction:
    return BudgetConstrainedTime(i.model, i.slo, i.objective)


def _constrained_improvement(i: AcquisitionInputs) -> AcquisitionFunction:
    best = feasible_incumbent(i.model, i.choices, i.slo, i.objective)
    return ConstrainedLogScoreExpectedImprovement(
        i.model, i.slo, best, i.objective, X_pending=i.X_pending
    )


FACTORIES: Mapping[str, Callable[[AcquisitionInputs], AcquisitionFunction]] = {
    "expected_cost": _expected_cost,
    "expected_improvement": _expected_improvement,
    "knowledge_gradient": _knowledge_gradient,
    "lcb": _lcb,
    "risk_averse": _risk_averse,
    "thompson": _thompson,
    "deadline": _deadline,
    "budget": _budget,
    "constrained_improvement": _constrained_improvement,
}
