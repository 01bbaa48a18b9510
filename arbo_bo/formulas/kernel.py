"""What the residual's covariance is made of."""

from typing import Any

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


def _decay(r: Any) -> Any:
    return namespace(r).exp(-SQRT5 * r)
