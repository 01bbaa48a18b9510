import warnings

import numpy as np
import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.sampling import SobolQMCNormalSampler
from windows import MEANS, RESIDUALS, in_outcomes_unit, mll_of, model_of, window

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.models import (
    AmdahlGP,
    fit_amdahl_gp,
)


def every_model(test):
    """The test for each residual, mean and batch shape."""
    test = pytest.mark.parametrize("residual", RESIDUALS)(test)
    test = pytest.mark.parametrize("mean", MEANS)(test)
    return pytest.mark.parametrize("batch", [(), (2,), (3, 2)])(test)


@pytest.fixture
def restore_default_dtype():
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


@every_model
def test_posterior_of_a_batch_equals_a_loop(residual, mean, batch):
    X, time = window(10, 4, batch)
    test_X, _ = window(3, 5)
    many = model_of(X, time, residual, mean=mean).posterior(test_X.expand(*batch, 3, 3))
    assert many.mean.shape == many.variance.shape == (*batch, 3, 1)
    for at in np.ndindex(*batch):
        one = model_of(X[at], time[at], residual, mean=mean).posterior(test_X)
        assert torch.allclose(many.mean[at], one.mean)
        assert torch.allclose(many.variance[at], one.variance)


@every_model
def test_conditioning_equals_a_rebuilt_model(residual, mean, batch):
    X, time = window(12, 4, batch)
    Y = AmdahlGP.outcome_of_time(time, residual)
    model = model_of(X[..., :10, :], time[..., :10, :], residual, mean=mean)
    model.posterior(X[..., :1, :])  # fills the caches that conditioning extends
    conditioned = model.condition_on_observations(X[..., 10:, :], Y[..., 10:, :])
    scale = model.mean_module.time_scale
    rebuilt = model_of(X, time, residual, mean=mean, time_scale=scale)
    rebuilt.load_state_dict(model.state_dict())
    at = torch.tensor([[3.0, 1.5, 1.0]], dtype=torch.float64).expand(*batch, 1, 3)
    theirs, ours = conditioned.posterior(at), rebuilt.eval().posterior(at)
    unit = 1.0 if residual == "multiplicative" else scale.max().item()
    assert torch.allclose(theirs.mean / unit, ours.mean / unit, rtol=1e-8, atol=1e-8)
    assert torch.allclose(theirs.variance / unit**2, ours.variance / unit**2, rtol=0, atol=1e-8)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest"])
def test_conditioning_of_a_fitted_model_equals_a_rebuilt_one(residual, mean):
    X, time = window(14, 4, noise=0.2)
    Y = AmdahlGP.outcome_of_time(time, residual)
    model = fit_amdahl_gp(X[:10], time[:10], residual=residual, mean=mean)
    assert model.explanation.kept.all()
    assert model.likelihood.noise_inflation > 1  # of runs to come, and not of those that are told
    model.posterior(X[:1])
    conditioned = model.condition_on_observations(X[10:], Y[10:])
    scale = model.mean_module.time_scale
    rebuilt = model_of(X, time, residual, mean=type(model.mean_module), time_scale=scale)
    rebuilt.load_state_dict(model.state_dict())
    at, _ = window(3, 5)
    theirs, ours = (m.posterior(at, observation_noise=True) for m in (conditioned, rebuilt.eval()))
    unit = 1.0 if residual == "multiplicative" else scale.item()
    assert torch.allclose(theirs.mean / unit, ours.mean / unit, rtol=1e-8, atol=1e-8)
    assert torch.allclose(theirs.variance / unit**2, ours.variance / unit**2, rtol=0, atol=1e-8)


@every_model
def test_fantasies_equal_conditioning_on_what_they_drew(residual, mean, batch):
    model = model_of(*window(8, 0, batch), residual, mean=mean).eval()
    unit = 1.0 if residual == "multiplicative" else model.mean_module.time_scale.max().item()
    new = torch.tensor([[3.0, 1.5, 1.0], [6.0, 0.7, 0.0]], dtype=torch.float64)
    new = new.expand(*batch, 2, 3)
    fantasies = model.fantasize(new, SobolQMCNormalSampler(torch.Size([4]), seed=1))
    at, _ = window(3, 5)
    found = fantasies.posterior(at.expand(*batch, 3, 3))
    assert found.mean.shape == found.variance.shape == (4, *batch, 3, 1)
    drawn = in_outcomes_unit(fantasies, fantasies.train_targets[..., -2:].unsqueeze(-1))
    told = model.condition_on_observations(new.expand(4, *batch, 2, 3), drawn)
    expected = told.posterior(at.expand(4, *batch, 3, 3))
    assert torch.allclose(found.mean / unit, expected.mean / unit, rtol=1e-8, atol=1e-8)
    assert torch.allclose(found.variance / unit**2, expected.variance / unit**2, atol=1e-8)


@every_model
def test_subset_of_outputs_equals_a_model_of_its_own(residual, mean, batch):
    X, time = window(9, 3, batch)
    both = torch.cat([time, 7 * time.flip(-2)], dim=-1)
    subset = model_of(X, both, residual, mean=mean).subset_output([1])
    single = model_of(X, both[..., 1:], residual, mean=mean)
    at, _ = window(3, 6)
    at = at.expand(*batch, 3, 3)
    assert subset.posterior(at).mean.shape == (*batch, 3, 1)
    assert torch.allclose(subset.posterior(at).mean, single.posterior(at).mean)
    assert torch.allclose(subset.posterior(at).variance, single.posterior(at).variance)


@every_model
def test_state_dict_survives_a_round_trip(residual, mean, batch, tmp_path):
    X, time = window(9, 0, batch)
    model, other = (model_of(X, t, residual, mean=mean) for t in (time, 5 * time))
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        moved = 1 + 0.1 * torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data.mul_(moved)
    model.likelihood.inflate(1.7)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt"))
    other.set_train_data(targets=model.train_targets, strict=False)
    at, _ = window(3, 5)
    first, second = (
        m.posterior(at.expand(*batch, 3, 3), observation_noise=True) for m in (model, other)
    )
    assert torch.equal(first.mean, second.mean)
    assert torch.equal(first.variance, second.variance)


@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest"])
def test_hyperparameters_are_the_same_when_the_state_is(mean):
    X, time = window(9)
    fitted = fit_amdahl_gp(X, time, mean=mean)
    other = model_of(X, 5 * time, mean=type(fitted.mean_module))
    other.load_state_dict(fitted.state_dict())
    assert other.fitted_hyperparameters == fitted.fitted_hyperparameters


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("default", [torch.float32, torch.float64])
def test_model_is_float64_whatever_comes_in(dtype, default, restore_default_dtype):
    X, time = window(6)
    torch.set_default_dtype(default)
    model = fit_amdahl_gp(X.to(dtype), time.to(dtype))
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert model.posterior(X.to(torch.float64)).mean.dtype is torch.float64


def test_construction_raises_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of(*window(5))


@pytest.mark.parametrize(
    "row", [[0.5, 1, 0], [1, 0, 0], [1, -1, 0], [1, 1, -1], [float("nan"), 1, 0]]
)
def test_model_is_refused_when_an_input_is_outside_its_domain(row):
    with pytest.raises(InvalidValueError, match="train_X needs"):
        AmdahlGP(torch.tensor([row]), torch.zeros(1, 1))


def test_model_is_refused_when_a_column_is_missing():
    with pytest.raises(ShapeError, match="cluster load"):
        AmdahlGP(torch.ones(4, 2), torch.zeros(4, 1))


def noisy_model():
    X, time = window(6, 1, noise=0.3)
    model = model_of(X, time).eval()
    model.likelihood.inflate(30.0)
    return model


def test_noise_of_the_likelihood_is_what_a_run_is_predicted_with():
    model = fit_amdahl_gp(*window(6, 1, noise=0.3))
    at, _ = window(3, 5)
    level, run = (model.posterior(at, observation_noise=noisy) for noisy in (False, True))
    assert torch.allclose(run.variance - level.variance, model.likelihood.noise)
    assert model.likelihood.noise > model.likelihood.fitted_noise


def test_noise_that_the_caller_names_is_not_widened():
    model, (at, _) = noisy_model(), window(3, 5)
    quiet = model.posterior(at).variance
    told = model.posterior(at, observation_noise=torch.tensor(0.01)).variance
    assert torch.allclose(told, quiet + 0.01)


def test_runs_are_believed_less_and_vary_more_when_the_noise_is_inflated():
    model, (at, _) = noisy_model(), window(3, 5)
    fitted_noise = model.with_fitted_noise()
    assert (model.posterior(at).variance > fitted_noise.posterior(at).variance).all()
    noise = (
        model.posterior(at, observation_noise=True).variance - model.posterior(at).variance
    ) / (
        fitted_noise.posterior(at, observation_noise=True).variance
        - fitted_noise.posterior(at).variance
    )
    assert torch.allclose(noise, torch.full_like(noise, 30.0))


def test_model_with_fitted_noise_is_the_same_model_when_its_noise_was_given():
    X, time = window(6, 1)
    fixed = AmdahlGP(
        X, AmdahlGP.outcome_of_time(time, "multiplicative"), torch.full_like(time, 0.01)
    )
    at, _ = window(3, 5)
    assert torch.equal(
        fixed.eval().posterior(at).mean, fixed.with_fitted_noise().posterior(at).mean
    )


def test_subset_keeps_what_the_noise_is_inflated_by():
    X, time = window(6, 1)
    both = model_of(X, torch.cat([time, 2 * time], -1)).eval()
    both.likelihood.inflate(3.0)
    assert both.subset_output([1]).likelihood.noise_inflation == 3


def test_noise_is_inflated_anew_when_the_model_is_fitted_anew():
    once, again = model_of(*window(6, 1, noise=0.3)), noisy_model()
    for model in (once, again):
        fit_gpytorch_mll(mll_of(model))
    found, expected = (m.likelihood.noise.item() for m in (again, once))
    assert found == pytest.approx(expected, rel=1e-2)
