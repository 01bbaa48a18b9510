import numpy as np
import pytest
import torch
from botorch.models import SingleTaskGP
from fitted_models import DEGREES, RESIDUALS, fitted

from arbo_bo.acquisition import ExpectedCost, ExpectedTime, evaluate_degrees
from arbo_bo.acquisition.search import degree_inputs
from arbo_bo.experiment import Objective, Residual


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("urgency", [0.5, 1.0, 2.0])
def test_value_agrees_with_monte_carlo(residual, urgency):
    model, objective = fitted(residual), Objective(urgency=urgency)
    X = degree_inputs([1, 3, 24], 1.0, 0.0).unsqueeze(-2)
    posterior = model.posterior(X, observation_noise=True)
    torch.manual_seed(1)
    draws = posterior.rsample(torch.Size([200_000])).squeeze(-1).squeeze(-1)
    times = draws.exp() if residual is Residual.MULTIPLICATIVE else draws
    mean = torch.where(times > 0, times, 0.0).sum(0) / (times > 0).sum(0)
    expected = mean**urgency * X[:, 0, 0] ** 0.5
    value = ExpectedCost(model, objective)(X)
    assert torch.allclose((-value).exp(), expected, rtol=0.01)


def test_price_moves_the_value_and_not_the_choice():
    model = fitted()
    cheap, dear = (
        evaluate_degrees(
            ExpectedCost(model, Objective(2.0, price_per_worker_hour=p)), DEGREES, 1, 0
        )
        for p in (0.1, 100)
    )
    assert torch.allclose(cheap - dear, torch.full_like(cheap, np.log(1000)))


@pytest.mark.filterwarnings("ignore::botorch.exceptions.InputDataWarning")
def test_any_model_of_log_time_will_do():
    X = degree_inputs([1, 2, 4, 8], 1.0, 0.0)
    model = SingleTaskGP(X[:, :1], torch.tensor([[4.6], [4.0], [3.6], [3.4]], dtype=torch.float64),
                         outcome_transform=None)  # fmt: skip
    assert ExpectedCost(model)(X[:, None, :1]).shape == (4,)


def test_choice_over_thousands_of_degrees_is_evaluated_in_parts():
    values = evaluate_degrees(ExpectedCost(fitted()), range(1, 2501), 1.0, 0.0)
    assert values.shape == (2500,)
    assert torch.isfinite(values).all()


def test_fastest_degree_is_the_last_when_more_workers_are_faster():
    values = evaluate_degrees(ExpectedTime(fitted()), DEGREES, 1.0, 0.0)
    assert values.argmax() == len(DEGREES) - 1
