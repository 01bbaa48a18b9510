import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.constraints import Interval
from gpytorch.mlls import LeaveOneOutPseudoLikelihood
from gpytorch.priors import GammaPrior
from windows import MEANS, RESIDUALS, fit_by_autograd, mll_of, model_of, window

from arbo_bo.models import (
    AmdahlGP,
    fit_amdahl_gp,
)
from arbo_bo.models.analytic import has_analytic_gradient, problem_of
from arbo_bo.numerics.batches import stacked


def gradient_of(model, mean):
    """By the law's parameters, and by the logarithms of the others."""
    kernel = model.covar_module
    law = [getattr(model.mean_module, name).grad.flatten() for name in mean.PARAMETERS]
    positive = (kernel.raw_outputscale, kernel.smooth.raw_lengthscale, model.likelihood.raw_noise)
    return torch.cat([*law, *((p.grad * p.detach()).flatten() for p in positive)]).numpy()


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("residual", RESIDUALS)
def test_evidence_equals_gpytorchs_with_its_gradient(residual, mean):
    model = model_of(*window(), residual=residual, mean=mean)
    mll, found = mll_of(model).train(), []
    for moved in (0.0, 0.1):
        for parameter in model.parameters():
            parameter.data.mul_(1 + moved)
            parameter.grad = None
        density = mll(model(*model.train_inputs), model.train_targets) * 20
        density.backward()
        problem = problem_of(model)
        value, gradient, _ = stacked([problem]).evaluate(problem.start[None])
        assert gradient[0] == pytest.approx(gradient_of(model, mean), rel=1e-6, abs=1e-6)
        found.append((value[0], density.item()))
    # A lognormal prior on a variance has another constant than a normal one on its logarithm.
    ours, theirs = (after - before for before, after in zip(found[0], found[1], strict=True))
    assert ours == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("seed", [1, 2])
def test_analytic_fit_is_no_worse_than_botorchs_own(residual, seed, mean):
    X, time = window(12, seed)
    ours = fit_gpytorch_mll(mll_of(model_of(X, time, residual, mean=mean)))
    theirs = fit_by_autograd(mll_of(model_of(X, time, residual, mean=mean)))

    def density(mll):
        mll.train().model.likelihood.inflate(1.0)
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
    assert exact.fitted_hyperparameters != left_out.fitted_hyperparameters


def test_other_priors_are_botorchs_own():
    model = model_of(*window(12))
    noise = model.likelihood.noise_covar
    noise.register_prior("noise_prior", GammaPrior(2.0, 200.0), "raw_noise")
    fit_gpytorch_mll(mll_of(model))
    assert 0 < noise.noise.item() < 0.1


def test_a_batch_is_fitted_as_its_members_are():
    X, time = window(10, 4, (2,))
    at, _ = window(3, 5)
    many = model_of(X, time)
    fit_gpytorch_mll(mll_of(many))
    for i in range(2):
        one = model_of(X[i], time[i])
        fit_gpytorch_mll(mll_of(one))
        ours = many.posterior(at.expand(2, 3, 3), observation_noise=True)
        expected = one.posterior(at, observation_noise=True)
        assert torch.allclose(ours.mean[i], expected.mean)
        assert torch.allclose(ours.variance[i], expected.variance)


def test_fixed_noise_is_kept():
    X, time = window(6)
    Yvar = torch.full_like(time, 0.01)
    model = AmdahlGP(X, time.log(), Yvar)
    before = model.mean_module.t1.item()
    fit_gpytorch_mll(mll_of(model))
    assert model.mean_module.t1.item() != before
    assert torch.allclose(model.likelihood.noise, Yvar.squeeze(-1))
