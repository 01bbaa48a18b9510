import warnings

import numpy as np
import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood

from arbo_bo.errors import InvalidValueError, NotEnoughObservationsError, ShapeError
from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import AmdahlGP, Hyperparameters, fit_amdahl_gp
from arbo_bo.models.fitting import evidence_of, fit_by_autograd

RESIDUALS = ["multiplicative", "additive"]
LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)


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


@pytest.mark.parametrize("residual", RESIDUALS)
def test_evidence_equals_gpytorchs_with_its_gradient(residual):
    model = model_of(*window(), residual=residual)
    mll = mll_of(model).train()
    density = mll(model(*model.train_inputs), model.train_targets) * 20
    density.backward()
    kernel = model.covar_module
    positive = [
        kernel.raw_outputscale,
        kernel.base_kernel.raw_lengthscale,
        model.likelihood.noise_covar.raw_noise,
    ]
    law = [model.mean_module.log_t1, model.mean_module.logit_p]
    law += [model.mean_module.log_c, model.mean_module.k_exponent]
    x = torch.cat(
        [p.detach().flatten() for p in law] + [p.detach().flatten().log() for p in positive]
    )
    gradient = [p.grad.flatten() for p in law]
    gradient += [(p.grad * p.detach()).flatten() for p in positive]
    value, ours = evidence_of(model).log_density(x.numpy())
    assert value == pytest.approx(density.item(), rel=1e-9)
    assert ours == pytest.approx(torch.cat(gradient).numpy(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_analytic_fit_is_no_worse_than_botorchs_own(residual, seed):
    X, time = window(12, seed)
    ours = fit_gpytorch_mll(mll_of(model_of(X, time, residual)))
    theirs = fit_by_autograd(mll_of(model_of(X, time, residual)))

    def density(mll):
        mll.train()
        return mll(mll.model(*mll.model.train_inputs), mll.model.train_targets).item()

    assert density(ours) >= density(theirs) - 1e-4


def test_fit_uses_the_optimizer_that_is_given():
    from botorch.optim.fit import fit_gpytorch_mll_scipy

    called = []

    def optimizer(mll, **options):
        called.append(options)
        return fit_gpytorch_mll_scipy(mll, **options)

    fit_gpytorch_mll(mll_of(model_of(*window(8))), optimizer=optimizer)
    assert called


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


@pytest.mark.parametrize("residual", RESIDUALS)
def test_a_batch_is_fitted_by_autograd(residual):
    X, time = window(8, 4, (2,))
    model = model_of(X, time, residual)
    before = model.mean_module.t1.detach().clone()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy may stop at its iteration limit
        fit_gpytorch_mll(mll_of(model), optimizer_kwargs={"options": {"maxiter": 30}})
    assert not torch.allclose(model.mean_module.t1, before)


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
def test_model_is_float64_whatever_comes_in(dtype):
    X, time = window(6)
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


def test_law_is_kept_when_the_window_holds_one_degree():
    X, time = window(40, noise=0.02)
    learned = fit_amdahl_gp(X, time).hyperparameters
    X1, time1 = window(50, seed=7, noise=0.02, degrees=(8,))
    kept = fit_amdahl_gp(X1, 1.5 * time1, warm_start=learned).law
    forgotten = fit_amdahl_gp(X1, 1.5 * time1).law
    assert kept.p == pytest.approx(learned.law.p, abs=0.01)
    assert kept.runtime_s(1) == pytest.approx(1.5 * LAW.runtime_s(1), rel=0.1)
    assert abs(forgotten.p - LAW.p) > abs(kept.p - LAW.p)


def test_measured_startup_becomes_the_laws():
    X, time = window(20, noise=0.01)
    law = fit_amdahl_gp(X, time, startup_time_s=12.0).law
    assert law.c_s == pytest.approx(12.0, rel=0.5)


@pytest.mark.parametrize("n", [1, 2])
def test_one_run_is_enough_for_a_fit(n):
    X, time = window(n)
    mean = fit_amdahl_gp(X, time).posterior(X).mean.exp()
    assert torch.allclose(mean, time, rtol=0.3)


def test_hyperparameters_survive_json():
    import json

    found = fit_amdahl_gp(*window(8)).hyperparameters
    assert Hyperparameters.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "stored", [{}, {"format": 99}, {"format": 1}, {"format": 1, "law": 3, "lengthscales": "abc"}]
)
def test_warm_start_is_ignored_when_it_is_not_understood(stored):
    assert Hyperparameters.from_json(stored) is None


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
    fit_gpytorch_mll(mll_of(model), optimizer_kwargs={"options": {"maxiter": 20}})
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
