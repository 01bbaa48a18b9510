"""The log density, its gradient and its Hessian."""

import math

import numpy as np
import pytest
from fit_problems import MEANS, RESIDUALS, problem
from scipy.stats import multivariate_normal, norm

from arbo_bo.numerics.batches import stacked
from arbo_bo.numerics.fitting import fit
from arbo_bo.numerics.inputs import features
from arbo_bo.numerics.kernel import correlation
from arbo_bo.numerics.linear_algebra import lower_inverse
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.problem import FitProblem

STEP = 1e-5


def batch(mean, residual, masked=False, step=False):
    """Two members of one window, and hyperparameters near their priors' centre."""
    p = problem(12, mean=mean, residual=residual)
    kept = np.ones((2, 12))
    if masked:
        kept[1, [2, 9]] = 0
    column = np.tile((np.arange(12) < 5) * 1.0, (2, 1)) if step else None
    evidence = stacked([p, p], kept=kept, step=column)
    rng = np.random.default_rng(1)
    return p, evidence, evidence.location + rng.normal(0, 0.2, evidence.location.shape)


def differences(function, x):
    """Central differences by each of the last axis, ``B x P x ...``."""
    rows = []
    for i in range(x.shape[1]):
        move = STEP * (np.arange(x.shape[1]) == i)
        rows.append((function(x + move) - function(x - move)) / (2 * STEP))
    return np.moveaxis(np.array(rows), 0, 1)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("shape", ["whole", "masked", "step"])
def test_gradient_and_hessian_are_the_derivatives(mean, residual, shape):
    _, evidence, x = batch(mean, residual, shape == "masked", shape == "step")
    _, gradient, hessian = evidence.evaluate(x)
    assert gradient == pytest.approx(
        differences(lambda at: evidence.evaluate(at)[0], x), rel=1e-5, abs=1e-5
    )
    second = -differences(lambda at: evidence.evaluate(at)[1], x)
    assert hessian == pytest.approx(second, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
def test_integrated_evidence_has_the_same_derivatives(mean, residual):
    p, evidence, x = batch(mean, residual)
    m = len(p.law.parameters)
    integrated = evidence.integrated(x, evidence.location[:, :m], evidence.scale[:, :m])
    rest = x[:, m:]
    _, gradient, hessian = integrated.evaluate(rest)
    assert gradient == pytest.approx(
        differences(lambda at: integrated.evaluate(at)[0], rest), rel=1e-5, abs=1e-5
    )
    second = -differences(lambda at: integrated.evaluate(at)[1], rest)
    assert hessian == pytest.approx(second, rel=1e-5, abs=1e-5)


def test_log_density_is_the_normal_one():
    p, evidence, x = batch(MEANS[0], RESIDUALS[0])
    noise, n = math.exp(x[0, -1]), p.size
    lengthscales = np.exp(x[0, 5:8])
    kernel = correlation(p.features, p.features, lengthscales, p.priors.structure)
    covariance = math.exp(x[0, 4]) * kernel + noise * np.eye(n)
    mean = np.log(p.law.runtime(p.X[:, 0], p.X[:, 1], x[0, :4]))
    expected = multivariate_normal(mean, covariance).logpdf(p.y)
    expected += norm(p.location, p.scale).logpdf(x[0]).sum()
    assert evidence.evaluate(x)[0][0] == pytest.approx(expected, abs=1e-8)


def test_masked_run_is_as_if_it_were_not_there():
    p, evidence, x = batch(MEANS[0], RESIDUALS[0], masked=True)
    kept = np.ones(12, bool)
    kept[[2, 9]] = False
    alone = FitProblem.of(p.X[kept], np.exp(p.y[kept]))
    density = stacked([alone], y=p.y[kept][None]).evaluate(x[1:])[0]
    assert evidence.evaluate(x)[0][1] == pytest.approx(density[0], abs=1e-8)


def test_density_is_minus_infinity_when_the_covariance_is_not_positive_definite():
    p = FitProblem.of(np.ones((4, 3)), [1.0, 2.0, 1.0, 2.0])
    evidence, x = stacked([p, p]), np.tile(p.location, (2, 1))
    x[0, -1] = -80  # equal runs, and no noise to tell them apart
    value, _, _ = evidence.evaluate(x)
    assert value[0] == -np.inf
    assert np.isfinite(value[1])


@pytest.mark.parametrize("n", [3, 64, 65, 200])
def test_triangular_inverse_by_blocks_is_the_inverse(n):
    rng = np.random.default_rng(n)
    root = np.tril(rng.normal(size=(2, n, n))) / n + 2 * np.eye(n)
    product = lower_inverse(root) @ root
    assert product == pytest.approx(np.broadcast_to(np.eye(n), product.shape), abs=1e-10)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("as_fitted", [False, True])
def test_posterior_is_the_conditional_of_the_linearised_prior(mean, residual, as_fitted):
    fitted = fit(problem(15, mean=mean, residual=residual))
    p, kept = fitted.problem, fitted.kept
    points = np.array([[3.0, 1.0, 0.0], [5.0, 0.7, 4.0], [32.0, 1.0, 0.0]])
    everything = np.concatenate((p.X[kept], points))
    theta = fitted.law_parameters
    time, jacobian = p.law.runtime_and_jacobian(everything[:, 0], everything[:, 1], theta)
    if residual == "multiplicative":
        time, jacobian = np.log(time), jacobian / time[:, None]
    prior_mean = time + jacobian @ (p.law_location - theta)
    at = features(everything)
    shape = correlation(at, at, fitted.lengthscales, p.priors.structure)
    covariance = fitted.outputscale * shape + (jacobian * p.law_scale**2) @ jacobian.T
    noise = fitted.noise * (1 if as_fitted else fitted.noise_inflation)
    n = int(kept.sum())
    told = covariance[:n, :n] + noise * np.eye(n)
    gain = np.linalg.solve(told, covariance[:n, n:]).T
    joint = Posterior(fitted).at(points, as_fitted=as_fitted)
    residuals = fitted.explanation.y[kept] - prior_mean[:n]
    assert joint.mean == pytest.approx(prior_mean[n:] + gain @ residuals, abs=1e-9)
    expected = covariance[n:, n:] - gain @ covariance[:n, n:]
    assert joint.covariance == pytest.approx(expected, abs=1e-9)
    assert joint.variance == pytest.approx(np.diag(expected), abs=1e-9)
