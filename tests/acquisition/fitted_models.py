"""Small fitted models, and how every acquisition function is made of one."""

import numpy as np
import torch

from arbo_bo.acquisition import (
    BudgetConstrainedTime,
    ConstrainedLogScoreExpectedImprovement,
    DeadlineConstrainedCost,
    ExpectedCost,
    ExpectedTime,
    LogScoreExpectedImprovement,
    LowerConfidenceBound,
    OnlineKnowledgeGradient,
    RiskAverseScore,
    ThompsonSampling,
    feasible_incumbent,
    incumbent,
)
from arbo_bo.acquisition.search import degree_inputs
from arbo_bo.experiment import MaxCost, MaxExecutionTime, Objective, Residual
from arbo_bo.models import AmdahlGP, fit_amdahl_gp

DEGREES = range(1, 33)
CHOICES = degree_inputs(DEGREES, 1.0, 0.0)
RESIDUALS = list(Residual)
OBJECTIVE = Objective(urgency=1.5)
DEADLINE = MaxExecutionTime(30, confidence=0.9)
BUDGET = MaxCost(0.05, price_per_worker_hour=1.0, confidence=0.9)  # 180 worker-seconds


def fitted(residual=Residual.MULTIPLICATIVE, seed=0, degrees=(1.0, 2, 4, 8, 16, 5), noise=0.05):
    rng = np.random.default_rng(seed)
    s = np.array(degrees, dtype=float)
    time = 100 * (0.08 + 0.92 / s) * np.exp(noise * rng.standard_normal(len(s)))
    X = torch.from_numpy(np.stack([s, np.ones_like(s), np.zeros_like(s)], axis=1))
    return fit_amdahl_gp(X, torch.from_numpy(time)[:, None], residual=residual)


def batched(residual=Residual.MULTIPLICATIVE):
    """Two models in one, unfitted."""
    s = torch.tensor([1.0, 2, 4, 8], dtype=torch.float64)
    X = torch.stack([s, torch.ones_like(s), torch.zeros_like(s)], dim=-1).expand(2, 4, 3)
    time = torch.stack([100 * (0.1 + 0.9 / s), 30 * (0.4 + 0.6 / s)]).unsqueeze(-1)
    return AmdahlGP(X, AmdahlGP.outcome_of_time(time, residual), residual=residual).eval()


def log_score_draws(model, X, objective, observation_noise=False, n=100_000, seed=1):
    """Draws of log Score at each point of ``b x 1 x d``, on T > 0: ``n x b``."""
    torch.manual_seed(seed)
    posterior = model.posterior(X, observation_noise=observation_noise)
    draws = posterior.rsample(torch.Size([n])).squeeze(-1).squeeze(-1)
    log_time = draws if model.residual is Residual.MULTIPLICATIVE else draws.log()
    cost = objective.exponent * X[:, 0, 0].log() + np.log(objective.cost_factor)
    return objective.urgency * log_time + cost


def improvement(model, **kwargs):
    best = incumbent(model, CHOICES, OBJECTIVE)
    return LogScoreExpectedImprovement(model, best, OBJECTIVE, **kwargs)


MAKERS = {
    "expected_cost": lambda model: ExpectedCost(model, Objective(urgency=2)),
    "expected_time": ExpectedTime,
    "improvement": improvement,
    "knowledge_gradient": lambda model, **kwargs: OnlineKnowledgeGradient(
        model, CHOICES, objective=OBJECTIVE, **kwargs
    ),
    "lcb": lambda model, **kwargs: LowerConfidenceBound(model, 2.0, OBJECTIVE, **kwargs),
    "risk": lambda model: RiskAverseScore(model, 2.0, OBJECTIVE),
    "thompson": lambda model, **kwargs: ThompsonSampling(
        model, CHOICES, OBJECTIVE, seed=3, **kwargs
    ),
    "deadline": lambda model: DeadlineConstrainedCost(model, DEADLINE),
    "budget": lambda model: BudgetConstrainedTime(model, BUDGET),
    "deadline_and_budget": lambda model: DeadlineConstrainedCost(model, (BUDGET, DEADLINE)),
    "constrained_improvement": lambda model: ConstrainedLogScoreExpectedImprovement(
        model, DEADLINE, feasible_incumbent(model, CHOICES, DEADLINE)
    ),
}
