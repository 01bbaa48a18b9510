import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.optim.fit import fit_gpytorch_mll_scipy
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.constraints import Interval
from gpytorch.mlls import ExactMarginalLogLikelihood, LeaveOneOutPseudoLikelihood
from gpytorch.priors import GammaPrior

from arbo_bo.errors import InvalidValueError, NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import AmdahlLaw, MeanFunction
from arbo_bo.formulas.evidence import Evidence
from arbo_bo.models import (
    AmdahlGP,
    AmdahlMean,
    ErnestMean,
    Hyperparameters,
    UniversalScalabilityMean,
    fit_amdahl_gp,
)
from arbo_bo.models.analytic import evidence_of, has_analytic_gradient
from arbo_bo.models.fitting import identifies_law

MEANS = [AmdahlMean, UniversalScalabilityMean, ErnestMean]
RESIDUALS = ["multiplicative", "additive"]
LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)


@pytest.fixture
def restore_default_dtype():
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


def window(n=20, seed=0, batch=(), noise=0.05, degrees=(1, 2, 4, 8, 16)):
    rng = np.random.default_rng(seed)
    s = rng.choice(degrees, (*batch, n)).astype(float)
    gamma, load = rng.uniform(0.5, 2, s.shape), rng.choice([0.0, 2, 4], s.shape)
    law = np.vectorize(LAW.runtime_s)(s, gamma)
    time = law * np.exp(noise * rng.standard_normal(s.shape))
    X = torch.from_numpy(np.stack([s, gamma, load], axis=-1))
    return X, torch.from_numpy(time)[..., None]


def model_of(X, time, residual="multiplicative", **options):
    return AmdahlGP(X, AmdahlGP.outcome_of_time(time, residual), residual=residual, **options)


def mll_of(model):
    return ExactMarginalLogLikelihood(model.likelihood, model)


def fit_by_autograd(mll):
    return fit_gpytorch_mll(mll, optimizer=fit_gpytorch_mll_scipy)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("residual", RESIDUALS)
def test_evidence_equals_gpytorchs_with_its_gradient(residual, mean):
    model = model_of(*window(), residual=residual, mean=mean)
    mll = mll_of(model).train()
    density = mll(model(*model.train_inputs), model.train_targets) * 20
    density.backward()
    kernel = model.covar_module
    positive = [
        kernel.raw_outputscale,
        kernel.base_kernel.raw_lengthscale,
        model.likelihood.noise_covar.raw_noise,
    ]
    law = [getattr(model.mean_module, name) for name in mean.PARAMETERS]
    x = torch.cat(
        [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    )
    gradient = [p.grad.flatten() for p in law]
    gradient += [(p.grad * p.detach()).flatten() for p in positive]
    value, ours = evidence_of(model).log_density(x.numpy())
    assert value == pytest.approx(density.item(), rel=1e-9)
    assert ours == pytest.approx(torch.cat(gradient).numpy(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("seed", [1, 2])
def test_analytic_fit_is_no_worse_than_botorchs_own(residual, seed, mean):
    X, time = window(12, seed)
    ours = fit_gpytorch_mll(mll_of(model_of(X, time, residual, mean=mean)))
    theirs = fit_by_autograd(mll_of(model_of(X, time, residual, mean=mean)))

    def density(mll):
        mll.train()
        return mll(mll.model(*mll.model.train_inputs), mll.model.train_targets).item()

    assert density(ours) >= density(theirs) - 1e-4


def test_fit_uses_the_optimizer_that_is_given():
    called = []

    def optimizer(mll, **options):
        called.append(options)
        return fit_gpytorch_mll_scipy(mll, **options)

    fit_gpytorch_mll(mll_of(model_of(*window(8))), optimizer=optimizer)
    assert called


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
def test_single_model_is_fitted_by_the_analytic_gradient(residual, mean):
    assert has_analytic_gradient(mll_of(model_of(*window(8), residual, mean=mean)))


def test_frozen_parameter_stays():
    model = model_of(*window(12))
    model.mean_module.k_exponent.requires_grad_(False)
    fit_gpytorch_mll(mll_of(model))
    assert model.mean_module.k.item() == 1.0


def test_narrower_bounds_are_kept():
    model = model_of(*window(12))
    model.mean_module.register_constraint("k_exponent", Interval(0.99, 1.01, transform=None))
    fit_gpytorch_mll(mll_of(model))
    assert 0.99 <= model.mean_module.k.item() <= 1.01


def test_every_fit_stays_inside_the_bounds():
    X, _ = window(12)
    model = fit_amdahl_gp(X, 1 + 1e-9 * X[:, :1])
    for _, parameter, constraint in model.named_parameters_and_constraints():
        assert bool((parameter >= constraint.lower_bound - 1e-9).all())
        assert bool((parameter <= constraint.upper_bound + 1e-9).all())


def test_other_objectives_are_botorchs_own():
    exact, left_out = model_of(*window(12)), model_of(*window(12))
    fit_gpytorch_mll(mll_of(exact))
    fit_gpytorch_mll(LeaveOneOutPseudoLikelihood(left_out.likelihood, left_out))
    assert exact.hyperparameters != left_out.hyperparameters


def test_other_priors_are_botorchs_own():
    model = model_of(*window(12))
    noise = model.likelihood.noise_covar
    noise.register_prior("noise_prior", GammaPrior(2.0, 200.0), "raw_noise")
    fit_gpytorch_mll(mll_of(model))
    assert 0 < noise.noise.item() < 0.1


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("batch", [(2,), (3, 2)])
def test_posterior_of_a_batch_equals_a_loop(residual, batch):
    X, time = window(10, 4, batch)
    test_X, _ = window(3, 5)
    many = model_of(X, time, residual).posterior(test_X.expand(*batch, 3, 3))
    for at in np.ndindex(*batch):
        one = model_of(X[at], time[at], residual).posterior(test_X)
        assert torch.allclose(many.mean[at], one.mean)
        assert torch.allclose(many.variance[at], one.variance)


def test_a_batch_is_fitted_as_its_members_are():
    X, time = window(10, 4, (2,))
    at, _ = window(3, 5)
    many = model_of(X, time)
    fit_gpytorch_mll(mll_of(many))
    for i in range(2):
        one = model_of(X[i], time[i])
        fit_by_autograd(mll_of(one))
        ours = many.posterior(at.expand(2, 3, 3)).mean[i]
        assert torch.allclose(ours, one.posterior(at).mean, atol=0.02)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_conditioning_equals_a_rebuilt_model(residual):
    X, time = window(12)
    model = fit_amdahl_gp(X[:10], time[:10], residual=residual)
    model.posterior(X[:1])  # fills the caches that conditioning extends
    new_Y = AmdahlGP.outcome_of_time(time[10:], residual)
    conditioned = model.condition_on_observations(X[10:], new_Y)
    rebuilt = model_of(X, time, residual, time_scale=model.mean_module.time_scale)
    rebuilt.load_state_dict(model.state_dict())
    at = torch.tensor([[3.0, 1.5, 1.0]], dtype=torch.float64)
    theirs, ours = conditioned.posterior(at), rebuilt.eval().posterior(at)
    assert theirs.mean.item() == pytest.approx(ours.mean.item(), rel=1e-8, abs=1e-8)
    assert theirs.variance.item() == pytest.approx(ours.variance.item(), rel=1e-6, abs=1e-8)


def test_fantasies_have_their_shape():
    model = fit_amdahl_gp(*window(8))
    at = torch.tensor([[3.0, 1.5, 1.0]], dtype=torch.float64)
    fantasies = model.fantasize(at, SobolQMCNormalSampler(torch.Size([4]), seed=1))
    assert fantasies.posterior(at).mean.shape == (4, 1, 1)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_subset_of_outputs_equals_a_model_of_its_own(residual):
    X, time = window(9, 3)
    both = torch.cat([time, 7 * time.flip(0)], dim=-1)
    subset = model_of(X, both, residual).subset_output([1])
    single = model_of(X, both[:, 1:], residual)
    at, _ = window(3, 6)
    assert torch.allclose(subset.posterior(at).mean, single.posterior(at).mean)
    assert torch.allclose(subset.posterior(at).variance, single.posterior(at).variance)


def test_state_dict_survives_a_round_trip():
    X, time = window(9)
    fitted = fit_amdahl_gp(X, time)
    other = model_of(X, 5 * time)
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
    warm = fit_amdahl_gp(X, time, warm_start=cold.hyperparameters)
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
    learned = fit_amdahl_gp(X, time).hyperparameters
    X1, time1 = window(50, seed=7, noise=0.02, degrees=degrees)
    kept = fit_amdahl_gp(X1, 1.5 * time1, warm_start=learned)
    forgotten = fit_amdahl_gp(X1, 1.5 * time1).law
    assert kept.law.p == pytest.approx(learned.law.p, abs=0.01)
    assert kept.law.runtime_s(1) == pytest.approx(1.5 * LAW.runtime_s(1), rel=0.1)
    assert abs(forgotten.p - LAW.p) > abs(kept.law.p - LAW.p)


@pytest.mark.parametrize("residual", RESIDUALS)
def test_kernel_is_kept_when_the_window_says_nothing_about_it(residual):
    X, time = window(40, noise=0.02)
    learned = fit_amdahl_gp(X, time, residual=residual).hyperparameters
    known = replace(learned, lengthscales=(7.0, 8.0, 9.0))
    kept = fit_amdahl_gp(X[:1], time[:1], residual=residual, warm_start=known).hyperparameters
    assert kept.lengthscales == pytest.approx(known.lengthscales, rel=0.5)
    assert kept.noise == pytest.approx(learned.noise, rel=0.6)


@pytest.mark.parametrize(
    ("degrees", "expected"), [([4], False), ([8, 9, 8], False), ([4, 6], True), ([1, 32], True)]
)
def test_degrees_identify_the_law_when_they_differ_enough(degrees, expected):
    assert identifies_law(degrees) is expected


def test_warm_start_saves_work(monkeypatch):
    calls = []
    counted = Evidence.log_density
    monkeypatch.setattr(Evidence, "log_density", lambda e, x: calls.append(1) or counted(e, x))
    X, time = window(30)
    known = fit_amdahl_gp(X, time).hyperparameters
    cold, _ = len(calls), calls.clear()
    fit_amdahl_gp(X, time, warm_start=known)
    assert len(calls) < 0.7 * cold


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
    assert (model.hyperparameters.mean is MeanFunction.AMDAHL) is (kappa == 0)


def test_auto_keeps_the_mean_when_the_window_says_nothing_about_it():
    X, time = window(20)
    known = fit_amdahl_gp(X, time, mean="ernest").hyperparameters
    kept = fit_amdahl_gp(*window(6, degrees=(8,)), warm_start=known, mean="auto")
    assert kept.hyperparameters.mean == "ernest"
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


@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest", "auto"])
def test_hyperparameters_survive_json(mean):
    found = fit_amdahl_gp(*window(8), mean=mean).hyperparameters
    assert Hyperparameters.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_hyperparameters_are_amdahls_when_they_name_no_mean():
    found = fit_amdahl_gp(*window(8)).hyperparameters
    old = {k: v for k, v in found.to_json().items() if k not in ("mean", "learned")}
    read = Hyperparameters.from_json(old)
    assert read.mean == "amdahl"
    assert read.learned == pytest.approx(found.learned)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"format": 99},
        {"format": 1},
        {"format": 1, "law": 3, "lengthscales": "abc"},
    ],
)
def test_warm_start_is_ignored_when_it_is_not_understood(stored):
    assert Hyperparameters.from_json(stored) is None


@pytest.mark.parametrize("change", [{"mean": "gompertz"}, {"learned": 3}, {"learned": {"k": "x"}}])
def test_warm_start_is_ignored_when_its_law_is_not_understood(change):
    stored = fit_amdahl_gp(*window(4)).hyperparameters.to_json()
    assert Hyperparameters.from_json(stored) is not None
    assert Hyperparameters.from_json(stored | change) is None


def test_warm_start_of_the_other_residual_gives_its_law_only():
    X, time = window(20)
    additive = fit_amdahl_gp(X, time, residual="additive").hyperparameters
    fit_amdahl_gp(X, time, warm_start=additive)
    model = model_of(X, time)
    before = model.covar_module.outputscale.item()
    model.start_from(additive)
    assert model.covar_module.outputscale.item() == before
    assert model.law.t1_s == pytest.approx(additive.law.t1_s)


def test_fixed_noise_is_kept():
    X, time = window(6)
    Yvar = torch.full_like(time, 0.01)
    model = AmdahlGP(X, time.log(), Yvar)
    before = model.mean_module.t1.item()
    fit_gpytorch_mll(mll_of(model))
    assert model.mean_module.t1.item() != before
    assert torch.allclose(model.likelihood.noise, Yvar.squeeze(-1))


@pytest.mark.parametrize(
    "row", [[0.5, 1, 0], [1, 0, 0], [1, -1, 0], [1, 1, -1], [float("nan"), 1, 0]]
)
def test_model_is_refused_when_an_input_is_outside_its_domain(row):
    with pytest.raises(InvalidValueError, match="train_X needs"):
        AmdahlGP(torch.tensor([row]), torch.zeros(1, 1))


def test_model_is_refused_when_a_column_is_missing():
    with pytest.raises(ShapeError, match="cluster load"):
        AmdahlGP(torch.ones(4, 2), torch.zeros(4, 1))


def test_fit_is_refused_when_times_have_another_shape():
    X, time = window(4)
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        fit_amdahl_gp(X, time.squeeze(-1))


def test_fit_is_refused_when_there_is_no_run():
    with pytest.raises(NotEnoughObservationsError):
        fit_amdahl_gp(torch.ones(0, 3), torch.ones(0, 1))
