import pytest
import torch
from scipy import integrate, stats

from arbo_bo.experiment import Residual
from arbo_bo.numerics.moments import (
    cut_draw,
    log_improvement,
    log_probability_within,
    log_time_moments,
)

CASES = [(100.0, 3.0), (10.0, 5.0), (1.0, 5.0), (-2.0, 1.0), (-60.0, 2.0), (1e-4, 1e-5)]


def cut(mu, sigma):
    return stats.truncnorm(-mu / sigma, float("inf"), mu, sigma)


def tensors(*values):
    return [torch.tensor(v, dtype=torch.float64) for v in values]


def integral(law, function, low, high):
    """Over the quantiles, where an integrand is smooth whatever the law's scale."""
    return integrate.quad(lambda q: function(law.ppf(q)), low, high, limit=400)[0]


@pytest.mark.parametrize(("mu", "sigma"), CASES)
def test_moments_of_log_time_agree_with_adaptive_quadrature(mu, sigma):
    import numpy as np

    law = cut(mu, sigma)
    mean = integral(law, np.log, 0, 1)
    variance = integral(law, lambda t: (np.log(t) - mean) ** 2, 0, 1)
    found, std = log_time_moments(*tensors(mu, sigma))
    assert found.item() == pytest.approx(mean, abs=2e-3)
    assert std.item() == pytest.approx(variance**0.5, rel=5e-3)


@pytest.mark.parametrize(("mu", "sigma"), CASES)
@pytest.mark.parametrize("q", [0.01, 0.5, 0.99])
def test_improvement_agrees_with_adaptive_quadrature(mu, sigma, q):
    import numpy as np

    law = cut(mu, sigma)
    t = law.ppf(q)
    expected = integral(law, lambda x: np.log(t / x), 0, q)
    found = log_improvement(*tensors(mu, sigma, np.log(t)))
    assert found.exp().item() == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("mu", "sigma"), CASES)
@pytest.mark.parametrize("q", [0.01, 0.5, 0.99])
def test_probability_is_that_of_the_cut_normal(mu, sigma, q):
    log_t = torch.tensor(cut(mu, sigma).ppf(q), dtype=torch.float64).log()
    assert log_probability_within(
        *tensors(mu, sigma), log_t, Residual.ADDITIVE
    ).exp().item() == pytest.approx(q)


def test_improvement_is_finite_when_it_underflows():
    values = log_improvement(*tensors(100.0, 0.01), torch.tensor([1.0, 4.0], dtype=torch.float64))
    assert torch.isfinite(values).all()
    assert values[0] < values[1] < -1e6


def test_draw_keeps_its_quantile_when_it_is_cut():
    mu, sigma = tensors(1.0, 5.0)
    q = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    value = mu + sigma * torch.special.ndtri(q)
    assert cut_draw(mu, sigma, value).tolist() == pytest.approx(cut(1.0, 5.0).ppf(q.numpy()))
