"""However a model is fitted, its intervals hold what they say."""

import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from windows import fit_by_autograd, mll_of, model_of, window

from arbo_bo.models import AmdahlGP, fit_amdahl_gp

WINDOWS = 60
FITS = {"analytic": fit_gpytorch_mll, "autograd": fit_by_autograd}


def is_covered(fit, n, noise, seed, residual="multiplicative"):
    """Whether the next run lies in the interval that nine of ten should lie in."""
    X, time = window(n + 1, seed, noise=noise)
    model = model_of(X[:n], time[:n], residual)
    fit(mll_of(model))
    next_run = model.time_posterior(X[n:])
    return next_run.quantile(0.05).item() <= time[n].item() <= next_run.quantile(0.95).item()


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
@pytest.mark.parametrize(("n", "noise"), [(4, 0.1), (10, 0.3)])
def test_nine_runs_of_ten_are_inside_when_botorch_alone_fitted(n, noise, residual):
    inside = [is_covered(fit_gpytorch_mll, n, noise, seed, residual) for seed in range(WINDOWS)]
    assert 0.82 <= sum(inside) / WINDOWS <= 1.0


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_noise_is_the_same_whoever_fits(fit):
    X, time = window(20, 2, noise=0.2)
    model = model_of(X, time)
    fit(mll_of(model))
    expected = fit_amdahl_gp(X, time).likelihood.noise.item()
    assert model.likelihood.noise.item() == pytest.approx(expected, rel=0.05)


def test_noise_of_each_output_is_calibrated_when_there_are_several():
    X, time = window(12, 3, noise=0.2)
    both = model_of(X, torch.cat([time, 2 * time], dim=-1))
    single = model_of(X, time)
    for model in (both, single):
        fit_gpytorch_mll(mll_of(model))
    assert torch.allclose(both.likelihood.noise, single.likelihood.noise.expand(2, 1))


def test_noise_stays_when_it_was_frozen():
    model: AmdahlGP = model_of(*window(8, noise=0.3))
    before = model.likelihood.noise.item()
    model.likelihood.raw_noise.requires_grad_(False)
    fit_gpytorch_mll(mll_of(model))
    assert model.likelihood.noise.item() == pytest.approx(before)
