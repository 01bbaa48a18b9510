import pickle

import pytest
import torch
from windows import MEANS, RESIDUALS, fit_by_autograd, mll_of, model_of, window

from arbo_bo.models import AmdahlGP, fit_amdahl_gp


@pytest.mark.parametrize("kind", MEANS)
def test_mean_is_the_same_when_pickled(kind):
    mean = kind(time_scale=3.0)
    x = torch.tensor([[2.0, 1.5, 0.0]], dtype=torch.float64)
    assert torch.equal(pickle.loads(pickle.dumps(mean))(x), mean(x))


@pytest.mark.parametrize("residual", RESIDUALS)
def test_model_predicts_the_same_when_torch_has_saved_and_loaded_it(residual, tmp_path):
    X, time = window(8)
    model = fit_amdahl_gp(X, time, residual=residual)
    torch.save(model, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    ours, theirs = (m.posterior(X, observation_noise=True) for m in (model, loaded))
    assert torch.equal(ours.mean, theirs.mean)
    assert torch.equal(ours.variance, theirs.variance)


def test_pickled_model_is_fitted_as_the_model_itself():
    X, time = window(8)
    model = model_of(X, time)
    copy = pickle.loads(pickle.dumps(model))
    fit_by_autograd(mll_of(model))
    fit_by_autograd(mll_of(copy))
    assert torch.allclose(model.posterior(X).mean, copy.posterior(X).mean)


def test_prior_of_a_law_can_be_drawn_from_when_the_model_was_pickled():
    copy: AmdahlGP = pickle.loads(pickle.dumps(model_of(*window(4))))
    before = copy.mean_module.k_exponent.item()
    torch.manual_seed(1)
    copy.mean_module.sample_from_prior("k_exponent_prior")
    assert copy.mean_module.k_exponent.item() != before
