"""The residual process fits and predicts with one kernel, written out plainly here."""

import math

import numpy as np
import pytest

from arbo_bo.numerics.residual_process import ResidualProcess

D = 3


def residuals(seed: int, n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    inputs = np.stack(
        (rng.choice([1, 2, 4, 8, 16], n), rng.uniform(0.5, 2, n), rng.choice([0, 4, 8], n)), axis=1
    ).astype(float)
    smooth = 5 * np.sin(inputs[:, 0] / 3) + 3 * inputs[:, 1]
    return inputs, smooth + rng.normal(0, 1, n)


def covariance(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matern-5/2 with a lengthscale for each input, entry by entry."""
    lengths = np.exp(x[1:-1])
    out = np.empty((len(a), len(b)))
    for i, u in enumerate(a):
        for j, v in enumerate(b):
            r = math.sqrt(5 * sum(((u - v) / lengths) ** 2))
            out[i, j] = math.exp(x[0]) * (1 + r + r * r / 3) * math.exp(-r)
    return out


def log_density(inputs: np.ndarray, y: np.ndarray, x: np.ndarray) -> float:
    """Marginal likelihood, and the lognormal priors of the hyperparameters themselves."""
    total = covariance(inputs, inputs, x) + math.exp(x[-1]) * np.eye(len(y))
    value = -0.5 * y @ np.linalg.solve(total, y) - 0.5 * np.linalg.slogdet(total)[1]
    location = np.array([0.0, *D * (math.sqrt(2) + math.log(D) / 2,), -4.0])
    scale = np.array([1.0, *D * (math.sqrt(3),), 1.0])
    return float(value - (0.5 * ((x - location) / scale) ** 2 + x).sum())


@pytest.mark.parametrize("seed", range(4))
def test_hyperparameters_are_the_best_of_the_kernel_that_predicts_when_fitted(seed: int) -> None:
    inputs, times = residuals(seed)
    process = ResidualProcess.fitted(inputs, times)
    x, y = process.hyperparameters, times / process.scale
    best = log_density(process.inputs, y, x)
    rng = np.random.default_rng(seed)
    beside = [
        log_density(process.inputs, y, x + step)
        for step in np.concatenate((0.1 * np.eye(len(x)), -0.1 * np.eye(len(x)),
                                    0.05 * rng.normal(size=(10, len(x)))))
    ]  # fmt: skip
    assert max(beside) < best + 1e-6


def test_prediction_is_the_posterior_of_the_fitted_kernel_when_asked() -> None:
    inputs, times = residuals(0)
    process = ResidualProcess.fitted(inputs, times)
    x, y = process.hyperparameters, times / process.scale
    at = np.array([[3.0, 1.5, 2.0], [12.0, 0.7, 8.0]])
    points = (at - inputs.min(axis=0)) / np.ptp(inputs, axis=0)
    total = covariance(process.inputs, process.inputs, x) + math.exp(x[-1]) * np.eye(len(y))
    cross = covariance(points, process.inputs, x)
    variance = math.exp(x[0]) + math.exp(x[-1])
    explained = np.einsum("ij,ji->i", cross, np.linalg.solve(total, cross.T))
    mean, std = process.predict(at)
    assert mean == pytest.approx(process.scale * cross @ np.linalg.solve(total, y))
    assert std == pytest.approx(process.scale * np.sqrt(variance - explained))
