"""The execution time's distribution on arrays: lognormal, or normal cut to T > 0.

The cut normal is the additive residual's. Expectations without a closed form are Gauss-Legendre
rules over the part of z = (T - mu) / sigma that matters, from z0 = -mu / sigma (T = 0) upwards, so
that they are exact to rounding where the cut is far away, and sound where T > 0 is itself unlikely.
All arguments broadcast; on tensors everything is differentiable. `experiment.prediction` holds the
same distribution on floats, for what a decision says.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.arrays import TINY, like, log_ndtr, namespace, ndtr, ndtri

NODES = 64
"""Of the rule: log E[T] and its moments are then within 1e-10 over mu / sigma from -30 to 30."""
REACH = 9.0
"""Standard deviations beyond which a normal density is nothing to a double."""
LOG_LARGEST = 700.0
"""exp() of more overflows a double."""
TAIL = -30.0
"""Below this mu / sigma the cut normal is an exponential to all digits that matter."""


def log_mean_time(mean: Any, std: Any, residual: Residual) -> Any:
    """Log E[T], for log T ~ N(mean, std^2), or T ~ N(mean, std^2) given T > 0.

    mean + std^2 / 2; or log(mean + std h), h = phi(z) / Phi(z), z = mean / std. For z below -30
    Mills' expansion gives std / (-z) (1 - 2 / z^2) instead.

    Args:
        mean: [log s], or [s].
        std: Above 0, in the same unit.
        residual: Which of the two it is.
    """
    if residual is Residual.MULTIPLICATIVE:
        return mean + std**2 / 2
    xp = namespace(mean, std)
    z = mean / std
    near = xp.where(z > TAIL, z, xp.zeros_like(z))
    hazard = xp.exp(-(near**2) / 2 - math.log(2 * math.pi) / 2 - log_ndtr(near))
    far = xp.where(z > TAIL, -xp.ones_like(z), z)
    ratio = xp.where(z > TAIL, near + hazard, (1 - 2 / far**2) / -far)
    return xp.log(std) + xp.log(ratio)


def log_probability_within(mean: Any, std: Any, log_limit: Any, residual: Residual) -> Any:
    """Log P(T <= limit).

    Args:
        mean: As in `log_mean_time`.
        std: As in `log_mean_time`.
        log_limit: log of the limit [log s].
        residual: As in `log_mean_time`.
    """
    xp = namespace(mean, std, log_limit)
    if residual is Residual.MULTIPLICATIVE:
        return log_ndtr((log_limit - mean) / std)
    # P(z0 < Z <= z) / P(Z > z0): by the smaller of the two tails, so that nothing cancels.
    z0 = -mean / std
    z = z0 + xp.exp(xp.clip(log_limit, None, LOG_LARGEST)) / std
    return _log_between(z0, z) - log_ndtr(-z0)


def _log_between(low: Any, high: Any) -> Any:
    """Log P(low < Z <= high), low < high."""
    xp = namespace(low, high)
    # By symmetry both ends are mirrored where they lie above 0.
    mirrored = low > 0
    a, b = xp.where(mirrored, -high, low), xp.where(mirrored, -low, high)
    larger, smaller = log_ndtr(b), log_ndtr(a)
    gap = xp.clip(smaller - larger, None, -1e-300)
    return larger + xp.log(-xp.expm1(gap))


def log_time_moments(mean: Any, std: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of log T given T > 0, for T ~ N(mean, std^2).

    Args:
        mean: [s].
        std: Above 0 [s].
    """
    xp = namespace(mean, std)
    z0 = -mean / std
    low = xp.clip(z0, -REACH, None)
    width = _upper(z0) - low
    x, weight = _rule(mean)
    steps = width[..., None] * x
    z = low[..., None] + steps
    log_time = xp.log(std)[..., None] + xp.log((low - z0)[..., None] + steps)
    # The shift keeps exp() in range where T > 0 is unlikely; it cancels in the normalisation.
    first = z[..., :1]
    density = weight * xp.exp((first**2 * (z0 > 0)[..., None] - z**2) / 2)
    density = density / density.sum(-1)[..., None]
    expected = (density * log_time).sum(-1)
    variance = (density * (log_time - expected[..., None]) ** 2).sum(-1)
    return expected, xp.sqrt(xp.clip(variance, TINY, None))


def log_improvement(mean: Any, std: Any, log_t: Any) -> Any:
    """Log E[max(log t - log T, 0) | T > 0] for T ~ N(mean, std^2).

    Args:
        mean: [s].
        std: Above 0 [s].
        log_t: log t, what is to be undercut [log s].
    """
    xp = namespace(mean, std, log_t)
    # Everything is measured downwards from z_t, so that nothing cancels however far out it lies.
    z0, span = -mean / std, xp.exp(xp.clip(log_t, -LOG_LARGEST, LOG_LARGEST)) / std
    z_t = z0 + span
    beneath = -xp.clip(z_t, None, 0)
    fall = 80 / (xp.sqrt(beneath**2 + 80) + beneath)  # the density falls by e^-40 within it
    skip = xp.clip(z_t - _upper(z0), 0, None)
    width = xp.minimum(xp.clip(z_t, 0, None) + fall, span) - skip
    x, weight = _rule(mean)
    top, step = (z_t - skip)[..., None], width[..., None] * (1 - x)
    gap = -xp.log1p(-(skip[..., None] + step) / span[..., None])  # log t - log T
    terms = xp.log(weight) + xp.log(gap) + top * step - step**2 / 2
    largest = xp.amax(terms, -1)
    total = largest + xp.log(xp.exp(terms - largest[..., None]).sum(-1))
    density = total + xp.log(width) - top[..., 0] ** 2 / 2
    return density - math.log(2 * math.pi) / 2 - log_ndtr(-z0)


def cut_draw(mean: Any, std: Any, value: Any) -> Any:
    """A draw of N(mean, std^2) moved to the same quantile of the normal cut to T > 0.

    Args:
        mean: [s].
        std: Above 0 [s].
        value: The draw [s], of either sign.
    """
    xp = namespace(mean, std, value)
    upper_tail = ndtr((mean - value) / std) * ndtr(mean / std)
    return xp.clip(mean - std * ndtri(xp.clip(upper_tail, 1e-300, None)), 1e-300, None)


def _upper(z0: Any) -> Any:
    """Where the density above z0 has fallen to nothing."""
    xp = namespace(z0)
    return xp.sqrt(xp.clip(z0, 0, None) ** 2 + REACH**2)


def _rule(other: Any) -> tuple[Any, Any]:
    """Nodes and weights on [0, 1]: Gauss-Legendre in the root, which tames log T at T = 0."""
    x, weight = _legendre()
    return like(x, other), like(weight, other)


@cache
def _legendre() -> tuple[Any, Any]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    root = (nodes + 1) / 2
    return root**2, root * weights
