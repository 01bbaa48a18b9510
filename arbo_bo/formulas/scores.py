"""Moments of the execution time and the score, on arrays."""

import math
from typing import Any

from arbo_bo.formulas.arrays import namespace


def lognormal_log_mean(mu: Any, variance: Any) -> Any:
    """Log E[T] = mu + sigma^2 / 2 for log T ~ N(mu, sigma^2)."""
    return mu + variance / 2


def positive_normal_log_mean(mu: Any, sigma: Any, log_ndtr: Any) -> Any:
    """Log E[T | T > 0] for T ~ N(mu, sigma^2), sound however negative mu / sigma is.

    E[T | T > 0] = mu + sigma h with h = phi(z) / Phi(z), z = mu / sigma. For z below -30
    Mills' expansion gives sigma / (-z) (1 - 2 / z^2) instead.

    Args:
        mu: Mean [s].
        sigma: Standard deviation [s], above 0.
        log_ndtr: The logarithm of the standard normal distribution function of the same library.
    """
    xp = namespace(mu, sigma)
    z = mu / sigma
    near = xp.where(z > -30, z, xp.zeros_like(z))
    hazard = xp.exp(-(near**2) / 2 - math.log(2 * math.pi) / 2 - log_ndtr(near))
    far = xp.where(z > -30, -xp.ones_like(z), z)
    ratio = xp.where(z > -30, near + hazard, (1 - 2 / far**2) / -far)
    return xp.log(sigma) + xp.log(ratio)


def log_score(
    log_mean_time: Any, s: Any, urgency: float, cost_exponent: float, cost_factor: float = 1.0
) -> Any:
    """log(E[T]^a Cost(s)) = a log E[T] + c log s + log factor.

    Note E[T]^a, not E[T^a]: the method's score, whose argmin differs.

    Args:
        log_mean_time: log E[T], T in seconds.
        s: Degrees, at least 1, of the same shape.
        urgency: a, above 0.
        cost_exponent: c, above 0.
        cost_factor: What s^c is multiplied by, above 0.
    """
    xp = namespace(log_mean_time, s)
    return urgency * log_mean_time + cost_exponent * xp.log(s) + math.log(cost_factor)
