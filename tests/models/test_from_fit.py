"""A fit of the numerics is the same model in BoTorch."""

import numpy as np
import pytest
import torch
from windows import RESIDUALS, window

from arbo_bo.experiment import MeanFunction, Residual
from arbo_bo.models import AmdahlGP
from arbo_bo.numerics.fitting import fit
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.problem import FitProblem

POINTS = np.array([[1.0, 1.0, 0.0], [3.0, 0.7, 4.0], [8.0, 1.0, 0.0], [24.0, 1.0, 0.0]])


def fitted(mean, residual):
    X, time = window(12, noise=0.1)
    time[3] *= 6  # a straggler
    problem = FitProblem.of(
        X.numpy(), time[:, 0].numpy(), mean=MeanFunction(mean), residual=Residual(residual)
    )
    return fit(problem)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest"])
def test_model_of_a_fit_has_the_fits_posterior(mean, residual, noise):
    found = fitted(mean, residual)
    belief = Posterior(found).at(POINTS)
    unit = np.exp(found.problem.log_scale)
    shift, factor = (found.problem.log_scale, 1.0) if residual == "multiplicative" else (0.0, unit)
    posterior = AmdahlGP.from_fit(found).posterior(
        torch.from_numpy(POINTS), observation_noise=noise
    )
    expected = belief.covariance + noise * belief.noise * np.eye(len(POINTS))
    assert posterior.mean.squeeze(-1).detach().numpy() == pytest.approx(
        belief.mean * factor + shift, rel=1e-8, abs=1e-8
    )
    covariance = posterior.distribution.covariance_matrix.detach().numpy()
    assert covariance == pytest.approx(expected * factor**2, rel=1e-6, abs=1e-8 * factor**2)


def test_model_of_a_fit_has_its_hyperparameters():
    found = fitted("amdahl", "additive")
    stored, model = found.hyperparameters, AmdahlGP.from_fit(found).fitted_hyperparameters
    assert model.noise == pytest.approx(stored.noise, rel=1e-10)
    assert model.outputscale == pytest.approx(stored.outputscale, rel=1e-10)
    assert model.learned == pytest.approx(stored.learned, rel=1e-10)
