"""Models of another kind than `AmdahlGP`: right, or refused with the reason."""

import pytest
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.models import SingleTaskGP
from botorch.models.map_saas import EnsembleMapSaasSingleTaskGP
from botorch.models.transforms import Log, Standardize
from fitted_models import CHOICES, DEADLINE, MAKERS, OBJECTIVE

from arbo_bo.acquisition import ExpectedCost, NegativeLogScore, SLOConstrained
from arbo_bo.errors import InvalidValueError, UnsupportedModelError
from arbo_bo.models import AmdahlGP, LogTime

pytestmark = pytest.mark.filterwarnings("ignore::botorch.exceptions.InputDataWarning")

X = CHOICES.unsqueeze(-2)
RUNS = CHOICES[[0, 1, 3, 7]]
SECONDS = torch.tensor([[100.0], [55], [31], [20]], dtype=torch.float64)
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@every
def test_ensemble_of_models_is_refused(make):
    ensemble = EnsembleMapSaasSingleTaskGP(RUNS, SECONDS.log(), num_taus=2)
    with pytest.raises(UnsupportedModelError, match="got the ensemble EnsembleMapSaas"):
        make(ensemble)


@every
def test_posterior_that_is_not_normal_is_refused(make):
    lognormal = SingleTaskGP(RUNS, SECONDS, outcome_transform=Log())
    with pytest.raises(UnsupportedModelError, match="got TransformedPosterior: train the model on"):
        make(lognormal)(X)


def test_transform_refuses_a_posterior_that_is_not_normal():
    lognormal = SingleTaskGP(RUNS, SECONDS, outcome_transform=Log())
    improvement = LogExpectedImprovement(
        lognormal, best_f=0.0, posterior_transform=NegativeLogScore()
    )
    with pytest.raises(UnsupportedModelError, match="got TransformedPosterior"):
        improvement(X)


def test_cost_is_of_seconds_when_log_seconds_are_standardized():
    model = SingleTaskGP(RUNS, SECONDS.log(), outcome_transform=Standardize(1))
    run = model.posterior(X, observation_noise=True)
    log_mean = (run.mean + run.variance / 2).squeeze(-1).squeeze(-1)
    expected = -(log_mean + 0.5 * CHOICES[:, 0].log())
    assert torch.allclose(ExpectedCost(model)(X), expected)


@every
def test_value_is_the_same_when_the_model_is_of_seconds(make):
    log = AmdahlGP(RUNS, SECONDS.log()).eval()
    seconds = AmdahlGP(RUNS, SECONDS, outcome_transform=LogTime()).eval()
    assert torch.allclose(make(seconds)(X), make(log)(X))


def test_improvement_of_botorch_is_the_same_when_the_model_is_of_seconds():
    models = AmdahlGP(RUNS, SECONDS.log()), AmdahlGP(RUNS, SECONDS, outcome_transform=LogTime())
    first, second = (
        LogExpectedImprovement(model.eval(), -4.0, NegativeLogScore(OBJECTIVE))(X)
        for model in models
    )
    assert torch.allclose(first, second)


def test_degree_of_zero_is_refused_when_another_model_allows_it():
    model = SingleTaskGP(RUNS, SECONDS.log(), outcome_transform=None)
    nothing = torch.tensor([[[0.0, 1, 0]]], dtype=torch.float64)
    improvement = LogExpectedImprovement(model, -4.0, NegativeLogScore())
    with pytest.raises(InvalidValueError, match="degree s, at least 1; got 0"):
        improvement(nothing)


def test_function_of_botorch_chooses_among_the_feasible():
    model = AmdahlGP(RUNS, SECONDS.log()).eval()
    base = LogExpectedImprovement(model, -4.0, NegativeLogScore())
    acquisition = SLOConstrained(model, DEADLINE, base)
    kept = acquisition.feasible(X)
    assert torch.allclose(acquisition(X)[kept], base(X)[kept])
