import warnings

import numpy as np
import pytest
import torch
from botorch.sampling import SobolQMCNormalSampler
from windows import MEANS, RESIDUALS, model_of, window

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.models import (
    AmdahlGP,
    fit_amdahl_gp,
)


@pytest.fixture
def restore_default_dtype():
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
def test_posterior_of_a_batch_equals_a_loop(residual, mean, batch):
    X, time = window(10, 4, batch)
    test_X, _ = window(3, 5)
    many = model_of(X, time, residual, mean=mean).posterior(test_X.expand(*batch, 3, 3))
    assert many.mean.shape == many.variance.shape == (*batch, 3, 1)
    for at in np.ndindex(*batch):
        one = model_of(X[at], time[at], residual, mean=mean).posterior(test_X)
        assert torch.allclose(many.mean[at], one.mean)
        assert torch.allclose(many.variance[at], one.variance)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
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


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("batch", [(), (2,), (3, 2)])
def test_fantasies_have_their_shape(mean, batch):
    model = model_of(*window(8, 0, batch), mean=mean).eval()
    at = torch.tensor([[3.0, 1.5, 1.0]], dtype=torch.float64).expand(*batch, 1, 3)
    fantasies = model.fantasize(at, SobolQMCNormalSampler(torch.Size([4]), seed=1))
    assert fantasies.posterior(at).mean.shape == (4, *batch, 1, 1)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
def test_subset_of_outputs_equals_a_model_of_its_own(residual, mean):
    X, time = window(9, 3)
    both = torch.cat([time, 7 * time.flip(0)], dim=-1)
    subset = model_of(X, both, residual, mean=mean).subset_output([1])
    single = model_of(X, both[:, 1:], residual, mean=mean)
    at, _ = window(3, 6)
    assert torch.allclose(subset.posterior(at).mean, single.posterior(at).mean)
    assert torch.allclose(subset.posterior(at).variance, single.posterior(at).variance)


@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest"])
def test_state_dict_survives_a_round_trip(mean):
    X, time = window(9)
    fitted = fit_amdahl_gp(X, time, mean=mean)
    other = model_of(X, 5 * time, mean=type(fitted.mean_module))
    other.load_state_dict(fitted.state_dict())
    assert other.hyperparameters == fitted.hyperparameters


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
