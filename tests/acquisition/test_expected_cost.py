import numpy as np
import pytest
import torch
from botorch.acquisition.fixed_feature import FixedFeatureAcquisitionFunction
from botorch.acquisition.input_constructors import get_acqf_input_constructor
from botorch.models import SingleTaskGP
from botorch.optim import optimize_acqf_discrete

from arbo_bo.acquisition import ExpectedCost, ExpectedTime, evaluate_degrees
from arbo_bo.acquisition.search import degree_inputs
from arbo_bo.experiment import Objective, Residual
from arbo_bo.models import fit_amdahl_gp

RESIDUALS = list(Residual)
DEGREES = range(1, 33)


def fitted(residual=Residual.MULTIPLICATIVE, seed=0):
    rng = np.random.default_rng(seed)
    s = np.array([1.0, 2, 4, 8, 16, 5])
    time = 100 * (0.08 + 0.92 / s) * np.exp(0.05 * rng.standard_normal(6))
    X = torch.from_numpy(np.stack([s, np.ones(6), np.zeros(6)], axis=1))
    return fit_amdahl_gp(X, torch.from_numpy(time)[:, None], residual=residual)


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


@pytest.mark.parametrize("residual", RESIDUALS)
def test_exact_search_finds_what_botorchs_discrete_search_finds(residual):
    acquisition = ExpectedCost(fitted(residual))
    values = evaluate_degrees(acquisition, DEGREES, 1.0, 2.0)
    choices = degree_inputs(DEGREES, 1.0, 2.0)
    best, value = optimize_acqf_discrete(acquisition, q=1, choices=choices)
    assert DEGREES[values.argmax().item()] == best[0, 0].item()
    assert value.item() == pytest.approx(values.max().item())


def test_value_is_the_same_when_the_context_is_fixed_by_botorch():
    acquisition = ExpectedCost(fitted())
    fixed = FixedFeatureAcquisitionFunction(acquisition, d=3, columns=[1, 2], values=[1.0, 2.0])
    X = degree_inputs(DEGREES, 1.0, 2.0)
    assert torch.allclose(fixed(X[:, None, :1]), acquisition(X.unsqueeze(-2)))


@pytest.mark.parametrize("batch", [(4,), (2, 3)])
def test_batch_of_points_equals_a_loop(batch):
    acquisition = ExpectedCost(fitted())
    generator = torch.Generator().manual_seed(1)
    X = 1 + 5 * torch.rand((*batch, 1, 3), generator=generator, dtype=torch.float64)
    values = acquisition(X)
    assert values.shape == batch
    loop = [acquisition(x.unsqueeze(0)).item() for x in X.reshape(-1, 1, 3)]
    assert values.flatten().tolist() == pytest.approx(loop)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_value_has_the_gradient_of_its_input(residual):
    acquisition = ExpectedCost(fitted(residual), Objective(urgency=2))
    X = torch.tensor([[[3.0, 1.2, 1.0]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(acquisition, (X,))


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


@pytest.mark.parametrize("kind", [ExpectedCost, ExpectedTime])
def test_botorch_constructs_it_by_its_registration(kind):
    arguments = get_acqf_input_constructor(kind)(model=fitted(), score=Objective(2.0))
    assert kind(**arguments)(degree_inputs(DEGREES, 1, 0).unsqueeze(-2)).shape == (len(DEGREES),)


def test_fastest_degree_is_the_last_when_more_workers_are_faster():
    values = evaluate_degrees(ExpectedTime(fitted()), DEGREES, 1.0, 0.0)
    assert values.argmax() == len(DEGREES) - 1
