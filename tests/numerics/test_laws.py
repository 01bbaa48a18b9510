"""Laws, features, kernel and scores, on numpy and torch alike."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr
from scipy.stats import norm

from arbo_bo.experiment import AmdahlLaw, MeanFunction, Objective, Residual
from arbo_bo.numerics.acquisition import log_score
from arbo_bo.numerics.inputs import features
from arbo_bo.numerics.kernel import matern52
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.moments import log_mean_time

S, GAMMA = np.array([1.0, 2, 5, 32]), np.array([1.0, 0.5, 3, 1e-2])
AMDAHL = np.array([0.3, 1.5, -2.0, 1.2])
USL = np.append(AMDAHL, -4.0)
ERNEST = np.append(np.log([3.0, 0.5, 0.2, 0.01]), 1.1)
EACH = [
    (MeanFunction.AMDAHL, AMDAHL),
    (MeanFunction.USL, USL),
    (MeanFunction.ERNEST, ERNEST),
]
libraries = pytest.mark.parametrize("library", ["numpy", "torch"])


def on(library, *arrays):
    return [torch.from_numpy(a) if library == "torch" else a for a in arrays]


@libraries
def test_runtime_is_the_law_on_either_library(library):
    law = AmdahlLaw(math.exp(0.3), 1 / (1 + math.exp(-1.5)), math.exp(-2.0), 1.2)
    expected = [law.runtime_s(a, b) for a, b in zip(S, GAMMA, strict=True)]
    found = LAWS[MeanFunction.AMDAHL].runtime(*on(library, S, GAMMA, AMDAHL))
    assert np.asarray(found) == pytest.approx(expected, rel=1e-12)


@libraries
def test_usl_is_gunthers_form_on_either_library(library):
    t1, sigma, kappa, c = math.exp(0.3), 1 / (1 + math.exp(1.5)), math.exp(-4.0), math.exp(-2.0)
    contention = 1 + sigma * (S - 1) + kappa * S * (S - 1)
    expected = c + GAMMA**1.2 * t1 / S * contention
    found = LAWS[MeanFunction.USL].runtime(*on(library, S, GAMMA, USL))
    assert np.asarray(found) == pytest.approx(expected, rel=1e-12)


@libraries
def test_ernest_is_its_four_terms_on_either_library(library):
    expected = 0.5 + 3.0 * GAMMA**1.1 / S + 0.2 * np.log(S) + 0.01 * S
    found = LAWS[MeanFunction.ERNEST].runtime(*on(library, S, GAMMA, ERNEST))
    assert np.asarray(found) == pytest.approx(expected)


@libraries
@pytest.mark.parametrize(("name", "theta"), EACH)
def test_jacobian_is_the_derivative(name, theta, library):
    law = LAWS[name]
    values, jacobian = law.runtime_and_jacobian(*on(library, S, GAMMA, theta))
    by_torch = torch.autograd.functional.jacobian(
        lambda v: law.runtime(*on("torch", S, GAMMA), v), torch.from_numpy(theta)
    )
    assert np.asarray(jacobian) == pytest.approx(by_torch.numpy(), rel=1e-10, abs=1e-14)
    assert np.asarray(values) == pytest.approx(law.runtime(S, GAMMA, theta))


@libraries
def test_features_are_ratios_and_a_bounded_load(library):
    (x,) = on(library, np.array([[1.0, 1, 0], [8, 2, 8], [2, 0.5, 1e9]]))
    expected = [[0, 0, 0], [math.log(8), math.log(2), 0.5], [math.log(2), math.log(0.5), 1]]
    assert np.asarray(features(x)) == pytest.approx(np.array(expected), abs=1e-8)


def test_matern_agrees_with_gpytorch():
    from gpytorch.kernels import MaternKernel

    kernel = MaternKernel(nu=2.5).to(torch.float64)
    kernel.lengthscale = 1.0
    x = torch.linspace(0, 3, 7, dtype=torch.float64)[:, None]
    assert torch.allclose(kernel(x).to_dense(), matern52((x - x.T).abs()), atol=1e-7)


@libraries
def test_lognormal_mean_is_the_moment(library):
    mu, std = on(library, np.array([1.0, -3]), np.array([0.5, 2]) ** 0.5)
    found = np.exp(np.asarray(log_mean_time(mu, std, Residual.MULTIPLICATIVE)))
    assert found == pytest.approx(np.exp([1.25, -2.0]))


@given(st.floats(-200, 50), st.floats(1e-3, 1e3))
def test_mean_of_a_cut_normal_is_sound_everywhere(z, sigma):
    mu, std = np.array(z * sigma), np.array(sigma)
    expected = z + math.exp(norm.logpdf(z) - log_ndtr(z)) if z > -30 else -1 / z
    found = log_mean_time(mu, std, Residual.ADDITIVE)
    assert float(found) == pytest.approx(math.log(sigma) + math.log(expected), rel=3e-3, abs=3e-3)


def test_mean_of_a_cut_normal_agrees_between_libraries():
    arrays = np.array([-40.0, -3, 0, 12]), np.array([1.0, 2, 3, 4])
    by_torch, by_numpy = (
        log_mean_time(*on(library, *arrays), Residual.ADDITIVE) for library in ("torch", "numpy")
    )
    assert by_torch.numpy() == pytest.approx(by_numpy)


@libraries
def test_log_score_is_the_logarithm_of_the_score(library):
    log_mean, s = on(library, np.log([10.0, 4.0]), np.array([4.0, 9.0]))
    objective = Objective(2.0, cost_exponent=0.5)
    score = np.exp(np.asarray(log_score(log_mean, s, objective)))
    assert score == pytest.approx(np.array([100 * 2, 16 * 3]) * objective.cost_factor)
