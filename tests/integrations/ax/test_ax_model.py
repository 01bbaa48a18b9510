"""`AxAmdahlGP`: seconds in, seconds out."""

import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from gpytorch.mlls import ExactMarginalLogLikelihood

from arbo_bo import AmdahlLaw
from arbo_bo.errors import InvalidValueError
from arbo_bo.integrations.ax import AxAmdahlGP
from arbo_bo.models import AmdahlGP

LAW = AmdahlLaw(100.0, 0.9, 2.0)
DEGREES = (1.0, 2.0, 4.0, 8.0)
X = torch.tensor([[s, 1.0, 0.0] for s in DEGREES], dtype=torch.float64)
TIMES = torch.tensor([[LAW.runtime_s(int(s))] for s in DEGREES], dtype=torch.float64)


@pytest.fixture(scope="module")
def model():
    made = AxAmdahlGP(X, TIMES)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(made.likelihood, made))
    return made


def test_law_is_learned_from_seconds(model):
    assert model.law.runtime_s(16) == pytest.approx(LAW.runtime_s(16), rel=0.2)


@pytest.mark.parametrize("noisy", [False, True])
def test_posterior_has_the_moments_of_the_lognormal(model, noisy):
    posterior = model.posterior(X, observation_noise=noisy)
    log = AmdahlGP.posterior(model, X, observation_noise=noisy).distribution
    samples = log.rsample(torch.Size([400_000])).exp()
    assert torch.allclose(posterior.mean.flatten(), samples.mean(0), rtol=1e-3)
    found = torch.cov(samples.T)
    wanted = posterior.distribution.covariance_matrix
    assert torch.allclose(wanted, found, rtol=0.03, atol=0.03 * wanted.diagonal().max().item())


def test_posterior_keeps_the_batch_shape(model):
    assert model.posterior(X.expand(5, 3, 4, 3)).mean.shape == (5, 3, 4, 1)


def test_known_noise_becomes_that_of_the_logarithm():
    model = AxAmdahlGP(X, TIMES, torch.full_like(TIMES, 4.0))
    expected = (4.0 / TIMES.square()).flatten()
    assert torch.allclose(model.likelihood.noise, expected)


def test_standardized_outcomes_are_refused():
    with pytest.raises(InvalidValueError, match="must not standardize"):
        AxAmdahlGP(X, (TIMES - TIMES.mean()) / TIMES.std())
