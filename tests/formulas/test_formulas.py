import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_ndtr
from scipy.stats import norm

from arbo_bo.experiment import AmdahlLaw
from arbo_bo.formulas.evidence import Evidence, NormalPriors
from arbo_bo.formulas.kernel import features, matern52, matern52_slope
from arbo_bo.formulas.law import (
    AMDAHL,
    ERNEST,
    USL,
    amdahl_jacobian,
    amdahl_runtime,
    ernest_runtime,
    usl_runtime,
)
from arbo_bo.formulas.scores import log_score, lognormal_log_mean, positive_normal_log_mean

S, GAMMA = np.array([1.0, 2, 5, 32]), np.array([1.0, 0.5, 3, 1e-2])
PARAMETERS = np.array([0.3, 1.5, -2.0, 1.2])


def on(library, *arrays):
    return [torch.from_numpy(a) if library == "torch" else a for a in arrays]


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_runtime_is_the_law_on_either_library(library):
    s, gamma, parameters = on(library, S, GAMMA, PARAMETERS)
    law = AmdahlLaw(math.exp(0.3), 1 / (1 + math.exp(-1.5)), math.exp(-2.0), 1.2)
    expected = [law.runtime_s(a, b) for a, b in zip(S, GAMMA, strict=True)]
    assert np.asarray(amdahl_runtime(s, gamma, *parameters)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_usl_is_gunthers_form_on_either_library(library):
    s, gamma, parameters = on(library, S, GAMMA, np.append(PARAMETERS, -4.0))
    t1, sigma, kappa, c = math.exp(0.3), 1 / (1 + math.exp(1.5)), math.exp(-4.0), math.exp(-2.0)
    contention = 1 + sigma * (S - 1) + kappa * S * (S - 1)
    expected = c + GAMMA**1.2 * t1 / S * contention
    assert np.asarray(usl_runtime(s, gamma, *parameters)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_ernest_is_its_four_terms_on_either_library(library):
    s, gamma, parameters = on(library, S, GAMMA, np.log([3.0, 0.5, 0.2, 0.01]))
    expected = 0.5 + 3.0 * GAMMA**1.1 / S + 0.2 * np.log(S) + 0.01 * S
    assert np.asarray(ernest_runtime(s, gamma, *parameters, 1.1)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("law", "parameters"),
    [
        (AMDAHL, PARAMETERS),
        (USL, np.append(PARAMETERS, -4.0)),
        (ERNEST, PARAMETERS[[0, 2, 2, 2, 3]]),
    ],
    ids=["amdahl", "usl", "ernest"],
)
def test_jacobian_is_the_derivative(law, parameters):
    values, jacobian = law.jacobian(S, GAMMA, *parameters)
    by_torch = torch.autograd.functional.jacobian(
        lambda v: law.runtime(*on("torch", S, GAMMA), *v), torch.from_numpy(parameters)
    )
    assert jacobian == pytest.approx(by_torch.numpy(), rel=1e-10, abs=1e-14)
    assert values == pytest.approx(law.runtime(S, GAMMA, *parameters))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_features_are_ratios_and_a_bounded_load(library):
    (x,) = on(library, np.array([[1.0, 1, 0], [8, 2, 8], [2, 0.5, 1e9]]))
    expected = [[0, 0, 0], [math.log(8), math.log(2), 0.5], [math.log(2), math.log(0.5), 1]]
    assert np.asarray(features(x)) == pytest.approx(np.array(expected), abs=1e-8)


@pytest.mark.parametrize("r", [1e-2, 0.3, 1.0, 7.0])
def test_matern_slope_is_the_derivative_over_r(r):
    step = 1e-6 * max(r, 1e-3)
    slope = (matern52(r + step) - matern52(r - step)) / (2 * step)
    assert matern52_slope(r) == pytest.approx(-slope / r, rel=1e-3)


def test_matern_agrees_with_gpytorch():
    from gpytorch.kernels import MaternKernel

    kernel = MaternKernel(nu=2.5).to(torch.float64)
    kernel.lengthscale = 1.0
    x = torch.linspace(0, 3, 7, dtype=torch.float64)[:, None]
    ours = matern52((x - x.T).abs())
    assert torch.allclose(kernel(x).to_dense(), ours, atol=1e-7)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_lognormal_mean_is_the_moment(library):
    mu, variance = on(library, np.array([1.0, -3]), np.array([0.5, 2]))
    assert np.exp(np.asarray(lognormal_log_mean(mu, variance))) == pytest.approx(
        np.exp([1.25, -2.0])
    )


@given(st.floats(-200, 50), st.floats(1e-3, 1e3))
def test_positive_normal_mean_is_sound_everywhere(z, sigma):
    mu = torch.tensor(z * sigma, dtype=torch.float64)
    ours = positive_normal_log_mean(mu, torch.tensor(sigma), torch.special.log_ndtr)
    expected = z + math.exp(norm.logpdf(z) - log_ndtr(z)) if z > -30 else -1 / z
    assert ours.item() == pytest.approx(math.log(sigma) + math.log(expected), rel=3e-3, abs=3e-3)


def test_positive_normal_mean_agrees_between_libraries():
    mu, sigma = np.array([-40.0, -3, 0, 12]), np.array([1.0, 2, 3, 4])
    by_torch = positive_normal_log_mean(*on("torch", mu, sigma), torch.special.log_ndtr)
    assert by_torch.numpy() == pytest.approx(positive_normal_log_mean(mu, sigma, log_ndtr))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_log_score_is_the_logarithm_of_the_score(library):
    log_mean, s = on(library, np.log([10.0, 4.0]), np.array([4.0, 9.0]))
    score = np.exp(np.asarray(log_score(log_mean, s, 2.0, 0.5, 0.1)))
    assert score == pytest.approx([100 * 2 * 0.1, 16 * 3 * 0.1])


def evidence(seed, n=12):
    rng = np.random.default_rng(seed)
    s, gamma = rng.integers(1, 32, n).astype(float), rng.uniform(0.2, 5, n)
    load = rng.integers(0, 9, n).astype(float)
    y = amdahl_runtime(s, gamma, 1.0, 2.0, -3.0, 0.9) * np.exp(0.1 * rng.standard_normal(n))
    priors = NormalPriors(rng.normal(size=9), rng.uniform(0.3, 2, 9), np.arange(9) >= 4)
    inputs = features(np.stack([s, gamma, load], axis=1))
    return Evidence(lambda v: amdahl_jacobian(s, gamma, *v), inputs, y, priors), rng


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_evidence_gradient_is_the_derivative(seed):
    density, rng = evidence(seed)
    x = rng.normal(scale=0.7, size=9)
    value, gradient = density.log_density(x)
    for i, step in enumerate(1e-6 * np.eye(9)):
        numeric = (density.log_density(x + step)[0] - density.log_density(x - step)[0]) / 2e-6
        assert gradient[i] == pytest.approx(numeric, rel=1e-4, abs=1e-4 * (1 + abs(value)))
