from dataclasses import replace

import numpy as np
import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from gpytorch.mlls import ExactMarginalLogLikelihood
from windows import LAW, RESIDUALS, window

from arbo_bo.errors import NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import MeanFunction
from arbo_bo.models import (
    fit_amdahl_gp,
)
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.numerics.evidence import Evidence
from arbo_bo.numerics.problem import identifies_law


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("unit", [1e-3, 3600.0])
def test_unit_of_time_changes_no_prediction(residual, unit):
    X, time = window(15)
    at, _ = window(4, 9)

    def mean(factor):
        model = fit_amdahl_gp(X, time * factor, residual=residual)
        mu = model.posterior(at).mean
        return mu.exp() / factor if residual == "multiplicative" else mu / factor

    assert torch.allclose(mean(unit), mean(1.0), rtol=1e-3)


def test_order_of_runs_changes_no_prediction():
    X, time = window(15)
    at, _ = window(4, 9)
    forwards = fit_amdahl_gp(X, time).posterior(at).mean
    backwards = fit_amdahl_gp(X.flip(0), time.flip(0)).posterior(at).mean
    assert torch.allclose(forwards, backwards, atol=1e-4)


def test_warm_start_finds_what_a_cold_one_finds():
    X, time = window(20)
    cold = fit_amdahl_gp(X[:19], time[:19])
    at, _ = window(4, 9)
    warm = fit_amdahl_gp(X, time, warm_start=cold.fitted_hyperparameters)
    again = fit_amdahl_gp(X, time)
    assert torch.allclose(warm.posterior(at).mean, again.posterior(at).mean, atol=1e-3)


def test_law_is_found_from_any_two_degrees():
    X, time = window(30, noise=0.01, degrees=(4, 16))
    law = fit_amdahl_gp(X, time).law
    for s in (1, 2, 8):
        assert law.runtime_s(s) == pytest.approx(LAW.runtime_s(s), rel=0.15)


@pytest.mark.parametrize("degrees", [(8,), (8, 9)])
def test_law_is_kept_when_the_window_says_nothing_about_it(degrees):
    X, time = window(40, noise=0.02)
    learned = fit_amdahl_gp(X, time).fitted_hyperparameters
    X1, time1 = window(50, seed=7, noise=0.02, degrees=degrees)
    kept = fit_amdahl_gp(X1, 1.5 * time1, warm_start=learned)
    forgotten = fit_amdahl_gp(X1, 1.5 * time1).law
    assert kept.law.p == pytest.approx(learned.law.p, abs=0.01)
    assert kept.law.runtime_s(1) == pytest.approx(1.5 * LAW.runtime_s(1), rel=0.1)
    assert abs(forgotten.p - LAW.p) > abs(kept.law.p - LAW.p)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_kernel_is_kept_when_the_window_says_nothing_about_it(residual):
    X, time = window(40, noise=0.02)
    learned = fit_amdahl_gp(X, time, residual=residual).fitted_hyperparameters
    known = replace(learned, lengthscales=(7.0, 8.0, 9.0))
    kept = fit_amdahl_gp(
        X[:1], time[:1], residual=residual, warm_start=known
    ).fitted_hyperparameters
    assert kept.lengthscales == pytest.approx(known.lengthscales, rel=0.5)
    assert kept.noise == pytest.approx(learned.noise, rel=0.6)


@pytest.mark.parametrize(
    ("degrees", "expected"), [([4], False), ([8, 9, 8], False), ([4, 6], True), ([1, 32], True)]
)
def test_degrees_identify_the_law_when_they_differ_enough(degrees, expected):
    assert identifies_law(degrees) is expected


def test_warm_start_saves_work(monkeypatch):
    calls = []
    counted = Evidence.evaluate

    def evaluate(evidence, x, *args, **options):
        calls.extend(x)  # a member of the batch each
        return counted(evidence, x, *args, **options)

    monkeypatch.setattr(Evidence, "evaluate", evaluate)
    X, time = window(30)
    known = fit_amdahl_gp(X, time).fitted_hyperparameters
    cold, _ = len(calls), calls.clear()
    fit_amdahl_gp(X, time, warm_start=known)
    assert len(calls) < 0.8 * cold


def test_strong_residual_is_found_when_the_law_is_wrong():
    s = torch.tensor([1.0, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32])
    X = torch.stack([s, torch.ones(12), torch.zeros(12)], dim=-1)
    time = 100 * (0.05 + 1 / s + 0.03 * s)  # more workers are slower from 6 on
    predicted = fit_amdahl_gp(X, time[:, None]).posterior(X).mean.exp().squeeze(-1)
    assert torch.allclose(predicted, time.to(torch.float64), rtol=0.05)


@pytest.mark.parametrize("mean", ["usl", "ernest", "auto"])
def test_u_shape_is_extrapolated_when_the_law_has_one(mean):
    s = torch.tensor([1.0, 2, 4, 8, 16, 1, 2, 4, 8, 16])
    X = torch.stack([s, torch.ones(10), torch.zeros(10)], dim=-1)
    time = 100 * (0.05 + 1 / s + 0.01 * s)
    at = torch.tensor([[32.0, 1, 0]])
    predicted = fit_amdahl_gp(X, time[:, None], mean=mean).posterior(at).mean.exp()
    assert predicted.item() == pytest.approx(100 * (0.05 + 1 / 32 + 0.32), rel=0.15)


@pytest.mark.parametrize("kappa", [0.0, 0.004])
def test_auto_takes_amdahls_law_when_the_runs_came_from_it(kappa):
    rng, s = np.random.default_rng(3), np.array([1.0, 2, 4, 8, 16, 32] * 4)
    time = 300 * (0.03 + 0.97 / s + kappa * (s - 1)) * np.exp(0.02 * rng.standard_normal(24))
    X = torch.from_numpy(np.stack([s, np.ones(24), np.zeros(24)], axis=-1))
    model = fit_amdahl_gp(X, torch.from_numpy(time)[:, None], mean="auto")
    assert (model.fitted_hyperparameters.mean is MeanFunction.AMDAHL) is (kappa == 0)


def test_auto_keeps_the_mean_when_the_window_says_nothing_about_it():
    X, time = window(20)
    known = fit_amdahl_gp(X, time, mean="ernest").fitted_hyperparameters
    kept = fit_amdahl_gp(*window(6, degrees=(8,)), warm_start=known, mean="auto")
    assert kept.fitted_hyperparameters.mean == "ernest"
    assert kept.law.k == pytest.approx(known.law.k, abs=0.1)


def test_measured_startup_becomes_the_laws():
    X, time = window(20, noise=0.01)
    law = fit_amdahl_gp(X, time, startup_time_s=12.0).law
    assert law.c_s == pytest.approx(12.0, rel=0.5)


@pytest.mark.parametrize("n", [1, 2])
def test_one_run_is_enough_for_a_fit(n):
    X, time = window(n)
    mean = fit_amdahl_gp(X, time).posterior(X).mean.exp()
    assert torch.allclose(mean, time, rtol=0.3)


def test_fit_is_refused_when_times_have_another_shape():
    X, time = window(4)
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        fit_amdahl_gp(X, time.squeeze(-1))


def test_fit_is_refused_when_there_is_no_run():
    with pytest.raises(NotEnoughObservationsError):
        fit_amdahl_gp(torch.ones(0, 3), torch.ones(0, 1))


def test_posterior_is_the_new_one_when_a_model_that_has_predicted_is_fitted():
    X = torch.tensor([[s, 1.0, 0.0] for s in (1.0, 2, 4, 8, 16)], dtype=torch.float64)
    model = AmdahlGP(X, (3 + 100 / X[:, :1]).log()).eval()
    model.posterior(X)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    fitted = model.posterior(X).mean
    model.train()
    model.eval()
    assert torch.allclose(fitted, model.posterior(X).mean)
