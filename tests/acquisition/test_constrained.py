import math

import pytest
import torch
from fitted_models import (
    BUDGET,
    CHOICES,
    DEADLINE,
    DEGREES,
    RESIDUALS,
    fitted,
    log_score_draws,
)

from arbo_bo.acquisition import (
    BudgetConstrainedTime,
    ConstrainedLogScoreExpectedImprovement,
    DeadlineConstrainedCost,
    ExpectedCost,
    LogScoreExpectedImprovement,
    SLOConstrained,
    evaluate_degrees,
    feasible_incumbent,
    incumbent,
)
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import MaxExecutionTime, Objective

X = CHOICES.unsqueeze(-2)
both_residuals = pytest.mark.parametrize("residual", RESIDUALS)


@both_residuals
def test_probability_agrees_with_monte_carlo(residual):
    model = fitted(residual, noise=0.3)
    draws = log_score_draws(model, X, Objective(1.0), observation_noise=True)
    log_time = draws - Objective(1.0).exponent * X[:, 0, 0].log()
    acquisition = DeadlineConstrainedCost(model, (DEADLINE, BUDGET))
    found = acquisition.log_probability(X).exp()
    valid = log_time.isfinite().sum(0)  # the others are not above zero
    kept, paid = log_time.exp() <= 30, log_time.exp() * X[:, 0, 0] <= 180
    assert torch.allclose(found[:, 0], kept.sum(0).double() / valid, atol=0.01)
    assert torch.allclose(found[:, 1], paid.sum(0).double() / valid, atol=0.01)


@both_residuals
def test_cheapest_feasible_degree_is_chosen_when_there_is_a_deadline(residual):
    model = fitted(residual)
    acquisition = DeadlineConstrainedCost(model, DEADLINE)
    values, kept = acquisition(X), acquisition.feasible(X)
    cost = ExpectedCost(model)(X)
    assert 0 < kept.sum() < len(DEGREES)
    assert values.argmax() == cost.masked_fill(~kept, -math.inf).argmax()
    assert values[kept].min() > values[~kept].max()


@both_residuals
def test_infeasible_degrees_rank_by_probability_when_none_is_feasible(residual):
    acquisition = DeadlineConstrainedCost(fitted(residual), MaxExecutionTime(5))
    probability = acquisition.log_probability(X).squeeze(-1)
    assert not acquisition.feasible(X).any()
    assert torch.equal(acquisition(X).argsort(), probability.argsort())


def test_fastest_degree_that_the_budget_buys_is_chosen():
    model = fitted()
    acquisition = BudgetConstrainedTime(model, BUDGET)
    chosen = DEGREES[acquisition(X).argmax().item()]
    kept = [s for s, ok in zip(DEGREES, acquisition.feasible(X).tolist(), strict=True) if ok]
    assert chosen == max(kept)
    assert 1 < chosen < max(DEGREES)


def test_deadline_and_budget_stand_together():
    model = fitted()
    both = DeadlineConstrainedCost(model, (DEADLINE, BUDGET)).feasible(X)
    alone = [DeadlineConstrainedCost(model, slo).feasible(X) for slo in (DEADLINE, BUDGET)]
    assert torch.equal(both, alone[0] & alone[1])


def test_money_is_least_when_a_price_is_set():
    model = fitted()
    slo = MaxExecutionTime(60, confidence=0.9)
    priced = Objective(2.0, price_per_worker_hour=3.0)
    by_money = evaluate_degrees(DeadlineConstrainedCost(model, slo, priced), DEGREES, 1, 0)
    by_score = evaluate_degrees(DeadlineConstrainedCost(model, slo, Objective(2.0)), DEGREES, 1, 0)
    assert DEGREES[by_money.argmax().item()] < DEGREES[by_score.argmax().item()]


def test_another_acquisition_chooses_among_the_feasible():
    model = fitted(degrees=(1.0, 4), noise=0.2)
    base = LogScoreExpectedImprovement(model, incumbent(model, CHOICES))
    acquisition = SLOConstrained(model, DEADLINE, base)
    kept = acquisition.feasible(X)
    assert torch.equal(acquisition(X)[kept], base(X)[kept])


def test_boundary_is_explored_when_its_degrees_may_keep_the_deadline():
    model, save = fitted(degrees=(1.0, 8)), Objective(urgency=0.5)
    slo = MaxExecutionTime(26, confidence=0.9)
    best = feasible_incumbent(model, CHOICES, slo, save)
    acquisition = ConstrainedLogScoreExpectedImprovement(model, slo, best, save)
    chosen = acquisition(X).argmax()
    assert not acquisition.feasible(X)[chosen]
    assert 0.2 < acquisition.log_belief(X)[chosen].exp() < 0.9


@both_residuals
def test_belief_in_feasibility_agrees_with_monte_carlo(residual):
    model = fitted(residual, degrees=(1.0, 4, 8), noise=0.2)
    acquisition = ConstrainedLogScoreExpectedImprovement(model, (DEADLINE, BUDGET), 0.0)
    torch.manual_seed(2)
    draws = model.posterior(X).rsample(torch.Size([50_000])).squeeze(-1).squeeze(-1)
    noise = model.likelihood.noise * model.mean_module.time_scale ** (
        0 if residual == "multiplicative" else 2
    )
    quantile = draws + 1.2815515655446004 * noise.sqrt()  # z at 0.9
    time = quantile.exp() if residual == "multiplicative" else quantile
    kept = (time <= 30) & (time * X[:, 0, 0] <= 180)
    found = acquisition.log_belief(X).exp()
    assert torch.allclose(found, kept.double().mean(0), atol=0.01)


def test_edge_is_left_alone_once_runs_have_told_that_it_is_infeasible():
    told = fitted(degrees=(1.0, 16, *[4.0] * 12), noise=0.05)
    save = Objective(urgency=0.5)
    best = feasible_incumbent(told, CHOICES, DEADLINE, save)
    acquisition = ConstrainedLogScoreExpectedImprovement(told, DEADLINE, best, save)
    chosen = acquisition(X).argmax()
    assert acquisition.log_belief(X[3:4]).exp() < 0.01
    assert chosen != 3


def test_improvement_is_the_probability_alone_when_nothing_is_feasible():
    model, slo = fitted(), MaxExecutionTime(5)
    best = feasible_incumbent(model, CHOICES, slo)
    acquisition = ConstrainedLogScoreExpectedImprovement(model, slo, best)
    assert best == -math.inf
    assert torch.equal(acquisition(X), acquisition.log_probability(X).squeeze(-1))


def test_service_level_is_asked_for_when_there_is_none():
    with pytest.raises(InvalidValueError, match="give a MaxExecutionTime"):
        DeadlineConstrainedCost(fitted(), ())
