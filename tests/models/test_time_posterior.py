import math

import numpy as np
import pytest
import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from scipy.stats import lognorm, truncnorm
from windows import window

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Prediction, Residual
from arbo_bo.models import AmdahlGP, TimePosterior, fit_amdahl_gp

MU = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64)
SIGMA = torch.tensor([0.2, 1.5, 0.7], dtype=torch.float64)


def posterior(residual, mu=MU, sigma=SIGMA):
    return TimePosterior(
        GPyTorchPosterior(MultivariateNormal(mu, torch.diag(sigma**2))), Residual(residual)
    )


def reference(residual):
    mu, sigma = MU.numpy(), SIGMA.numpy()
    if residual == "multiplicative":
        return lognorm(s=sigma, scale=np.exp(mu))
    return truncnorm(-mu / sigma, math.inf, loc=mu, scale=sigma)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_moments_are_those_of_the_times_own_law(residual):
    time, expected = posterior(residual), reference(residual)
    assert time.mean.numpy() == pytest.approx(expected.mean(), rel=1e-9)
    assert time.variance.numpy() == pytest.approx(expected.var(), rel=1e-6)
    assert time.moment(2.0).numpy() == pytest.approx(expected.mean() ** 2, rel=1e-9)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_quantile_and_probability_are_each_others_inverse(residual, q):
    time, expected = posterior(residual), reference(residual)
    assert time.quantile(q).numpy() == pytest.approx(expected.ppf(q), rel=1e-7)
    within = time.probability_within(2.5).numpy()
    assert within == pytest.approx(expected.cdf(2.5), rel=1e-9)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize("z", [-100.0, -31.0, -29.0, -3.0])
def test_time_posterior_agrees_with_the_prediction_of_one_degree(residual, z):
    mu, sigma = torch.tensor([z], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    time = posterior(residual, mu, sigma)
    one = Prediction(1, z, 1.0, Residual(residual))
    assert time.mean.item() == pytest.approx(one.mean_s, rel=1e-2)
    assert time.variance.sqrt().item() == pytest.approx(one.std_s, rel=1e-2)
    assert time.quantile(0.9).item() == pytest.approx(one.quantile_s(0.9), rel=1e-2)


def test_draws_are_times_in_seconds():
    draws = posterior("multiplicative").rsample(torch.Size([20000]))
    assert draws.shape == (20000, 3)
    assert draws.log().mean(0).numpy() == pytest.approx(MU.numpy(), abs=0.05)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize("batch", [(), (4,)])
def test_noise_of_a_run_widens_the_time(residual, batch):
    X = torch.tensor([[1.0, 1, 0], [4, 1, 0], [8, 1, 0]])
    time = torch.tensor([[100.0], [30.0], [20.0]])
    model = AmdahlGP(X, AmdahlGP.outcome_of_time(time, residual), residual=residual).eval()
    at = X.to(torch.float64).expand(*batch, 3, 3)
    level, run = model.time_posterior(at, observation_noise=False), model.time_posterior(at)
    assert run.mean.shape == (*batch, 3)
    unit = 1.0 if residual == "multiplicative" else model.mean_module.time_scale.item()
    assert torch.allclose(run.sigma**2, level.sigma**2 + model.likelihood.noise * unit**2)


@pytest.mark.parametrize("noise", [0.03, 0.3])
def test_runs_to_come_are_as_noisy_as_those_that_were_seen(noise):
    X, time = window(30, seed=1, noise=noise)
    model = fit_amdahl_gp(X, time)
    at = X[:1]
    level, run = model.posterior(at), model.posterior(at, observation_noise=True)
    predicted = (run.variance - level.variance).sqrt().item()
    assert predicted == pytest.approx(noise, rel=0.4)
    assert model.likelihood.noise_inflation.item() >= 1


@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, math.nan])
def test_quantile_is_refused_when_q_is_no_probability(q):
    with pytest.raises(InvalidValueError, match="q"):
        posterior("multiplicative").quantile(q)


@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf])
def test_probability_is_refused_when_the_limit_is_no_time(limit):
    with pytest.raises(InvalidValueError, match="limit_s"):
        posterior("multiplicative").probability_within(limit)
