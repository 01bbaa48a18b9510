"""Seconds in, seconds out, whatever the process is trained on."""

import pytest
import torch
from botorch.cross_validation import efficient_loo_cv
from botorch.models.transforms import Normalize, Standardize
from botorch.sampling import SobolQMCNormalSampler
from windows import RESIDUALS, model_of, window

from arbo_bo.errors import InvalidValueError
from arbo_bo.models import AmdahlGP, LogTime, fit_amdahl_gp


def of_seconds(X, time, **options):
    return AmdahlGP(X, time, outcome_transform=LogTime(), **options).eval()


@pytest.fixture
def pair():
    """The same model, of seconds and of log seconds."""
    X, time = window(8, 1)
    return of_seconds(X, time), model_of(X, time).eval()


AT, TOLD = window(3, 5)


def test_model_of_seconds_believes_what_that_of_log_seconds_does(pair):
    seconds, log = (model.posterior(AT) for model in pair)
    assert torch.allclose(seconds.mean, (log.mean + log.variance / 2).exp())
    assert torch.allclose(seconds.variance, seconds.mean**2 * log.variance.expm1())
    levels = torch.tensor([0.1, 0.9], dtype=torch.float64)
    assert torch.allclose(seconds.quantile(levels), log.quantile(levels).exp())


def test_model_of_seconds_is_told_seconds(pair):
    for model in pair:
        model.posterior(AT)
    seconds = pair[0].condition_on_observations(AT[:1], TOLD[:1])
    log = pair[1].condition_on_observations(AT[:1], TOLD[:1].log())
    assert torch.allclose(seconds.posterior(AT).log_time.mean, log.posterior(AT).mean)


def test_model_of_seconds_fantasizes_seconds(pair):
    sampler = SobolQMCNormalSampler(torch.Size([8]), seed=1)
    seconds, log = (model.fantasize(AT[:1], sampler).posterior(AT) for model in pair)
    assert torch.allclose(seconds.log_time.mean, log.mean)
    assert torch.isfinite(seconds.mean).all()


def test_left_out_runs_are_predicted_in_seconds(pair):
    seconds, log = (efficient_loo_cv(model) for model in pair)
    assert torch.allclose(seconds.observed_Y, log.observed_Y.exp())
    expected = (log.posterior.mean + log.posterior.variance / 2).exp()
    assert torch.allclose(seconds.posterior.mean, expected)


def test_many_points_may_be_asked_for_together(pair):
    many = torch.cat([AT] * 40)
    seconds = pair[0].posterior(many)
    assert torch.allclose(seconds.mean[:3], pair[0].posterior(AT).mean)


def test_time_posterior_is_the_same_when_the_model_is_of_seconds(pair):
    seconds, log = (model.time_posterior(AT) for model in pair)
    assert torch.allclose(seconds.quantile(0.9), log.quantile(0.9))


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_time_that_is_not_above_zero_is_refused(pair, seconds):
    with pytest.raises(InvalidValueError, match="above 0 s"):
        pair[0].condition_on_observations(AT[:1], torch.full((1, 1), seconds, dtype=torch.float64))


def test_transform_of_an_input_is_refused_with_the_reason():
    X, time = window(4)
    with pytest.raises(InvalidValueError, match="Normalize: the law needs s, gamma and L"):
        model_of(X, time, input_transform=Normalize(3))


def test_transform_that_hides_the_unit_of_time_is_refused_with_the_reason():
    X, time = window(4)
    with pytest.raises(InvalidValueError, match="Standardize: the law needs the unit of time"):
        model_of(X, time, outcome_transform=Standardize(1))


def test_additive_residual_of_log_seconds_is_refused():
    X, time = window(4)
    with pytest.raises(InvalidValueError, match="additive residual is one of seconds"):
        of_seconds(X, time, residual="additive")


@pytest.mark.parametrize("residual", RESIDUALS)
def test_interval_is_as_wide_when_runs_take_microseconds(residual):
    X, time = window(10, 2)
    models = [fit_amdahl_gp(X, time * unit, residual=residual) for unit in (1.0, 1e-7)]
    slow, fast = (model.time_posterior(AT) for model in models)
    assert torch.allclose(fast.quantile(0.95) * 1e7, slow.quantile(0.95), rtol=1e-3)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_draws_vary_as_much_when_runs_take_microseconds(residual):
    X, time = window(10, 2)
    model = fit_amdahl_gp(X, time * 1e-7, residual=residual)
    torch.manual_seed(0)
    posterior = model.posterior(AT)
    spread = posterior.rsample(torch.Size([4000])).std(0)
    assert torch.allclose(spread, posterior.variance.sqrt(), rtol=0.1)
