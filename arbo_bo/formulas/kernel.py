"""What the residual's covariance is made of."""

from typing import Any

import numpy as np

from arbo_bo.formulas.arrays import namespace

LOAD_HALF = 8.0
"""The cluster load [workers] at which its feature reaches half of its largest value."""

SQRT5 = 5**0.5


def features(x: Any) -> Any:
    """Maps physical inputs to what the kernel measures distances in.

    log s, log gamma and L / (L + 8): degrees and sizes act by ratios, and load saturates, so that a
    cluster far busier than any seen before is no extrapolation to infinity.

    Args:
        x: Shape ``... x 3`` with columns s (at least 1), gamma (above 0), L (0 or more).

    Returns:
        An array of the same shape, free of units.
    """
    xp = namespace(x)
    s, gamma, load = x[..., 0], x[..., 1], x[..., 2]
    return xp.stack((xp.log(s), xp.log(gamma), load / (load + LOAD_HALF)), -1)


def matern52(r: Any, decay: Any = None) -> Any:
    """Matern-5/2 correlation (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r).

    Args:
        r: Scaled distances, 0 or more.
        decay: The exponential, where it is known already; times a variance it gives a covariance.
    """
    decay = _decay(r) if decay is None else decay
    return (1 + SQRT5 * r + 5 / 3 * r**2) * decay


def matern52_slope(r: Any, decay: Any = None) -> Any:
    """-(1 / r) d matern52 / dr = 5/3 (1 + sqrt(5) r) exp(-sqrt(5) r); finite at r = 0."""
    decay = _decay(r) if decay is None else decay
    return 5 / 3 * (1 + SQRT5 * r) * decay


FINE_LENGTHSCALES = (0.05, 0.5, 0.3)
"""Of the fine structure, on the three features: it tells 4 workers from 5, and not 31 from 32."""
FINE_SHARE = 0.16
"""Variance of the fine structure over that of the smooth residual."""
TREND_SHARE = 5.0
"""Variance of the trend's slope over that of the smooth residual."""


def structure(a: Any, b: Any) -> Any:
    """What the residual's correlation has besides its smooth part; nothing of it is learned.

    Measured curves are not smooth: at some degree a job is faster or slower than its neighbours
    say, and is so in every run. And where a law fails, it mostly fails as a power of s does:
    superlinear with memory or cache, slower again past some degree. So there is a Matern-5/2 of
    short, fixed lengthscales (the fine structure), and a linear trend in log s.

    Args:
        a: Features as `features` makes them, ``... x n x 3``.
        b: As a, ``... x m x 3``.

    Returns:
        ``... x n x m``, to be multiplied by the smooth part's variance.
    """
    xp = namespace(a)
    lengthscales = np.asarray(FINE_LENGTHSCALES) if xp is np else a.new_tensor(FINE_LENGTHSCALES)
    squared = (((a[..., :, None, :] - b[..., None, :, :]) / lengthscales) ** 2).sum(-1)
    # A root has no gradient at 0.
    fine = FINE_SHARE * matern52((squared + 1e-30) ** 0.5)
    return fine + TREND_SHARE * a[..., :, None, 0] * b[..., None, :, 0]


def _decay(r: Any) -> Any:
    return namespace(r).exp(-SQRT5 * r)
