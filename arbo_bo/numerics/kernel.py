"""The residual's covariance, up to its variance."""

from typing import Any

from arbo_bo.numerics.arrays import like, namespace
from arbo_bo.numerics.inputs import COLUMNS, S
from arbo_bo.numerics.priors import DEFAULT_PRIORS, StructurePrior

SQRT5 = 5**0.5
FINE_LENGTHSCALES = tuple(c.fine_lengthscale for c in COLUMNS)


def matern52(r: Any, decay: Any = None) -> Any:
    """Matern-5/2 correlation (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r).

    Args:
        r: Scaled distances, 0 or more.
        decay: The exponential, where it is known already; times a variance it gives a covariance.
    """
    decay = namespace(r).exp(-SQRT5 * r) if decay is None else decay
    return (1 + SQRT5 * r + 5 / 3 * r**2) * decay


def squared_distances(a: Any, b: Any, lengthscales: Any) -> Any:
    """Squared scaled distances of features ``... x n x d`` and ``... x m x d``, ``... x n x m``."""
    a, b = a / lengthscales, b / lengthscales
    # A matrix n x m at a time: of all columns together it would leave the processor's cache.
    differences = (a[..., :, None, k] - b[..., None, :, k] for k in range(a.shape[-1]))
    return sum(difference * difference for difference in differences)


def structure(a: Any, b: Any, prior: StructurePrior = DEFAULT_PRIORS.structure) -> Any:
    """What the residual's correlation has besides its smooth part; nothing of it is learned.

    Measured curves are not smooth: at some degree a job is faster or slower than its neighbours
    say, and is so in every run. And where a law fails, it mostly fails as a power of s does:
    superlinear with memory or cache, slower again past some degree. So there is a Matern-5/2 of
    short, fixed lengthscales (the fine structure), and a linear trend in log s.

    Args:
        a: Features as `features` makes them, ``... x n x d``.
        b: As a, ``... x m x d``.
        prior: The shares of both.

    Returns:
        ``... x n x m``, to be multiplied by the smooth part's variance.
    """
    # A root has no gradient at 0.
    distances = (squared_distances(a, b, like(FINE_LENGTHSCALES, a)) + 1e-30) ** 0.5
    trend = a[..., :, None, S] * b[..., None, :, S]
    return prior.fine_share * matern52(distances) + prior.trend_share * trend


def correlation(a: Any, b: Any, lengthscales: Any, prior: StructurePrior) -> Any:
    """The residual's correlation: Matern-5/2 with learned lengthscales, and `structure`.

    Args:
        a: As in `structure`.
        b: As in `structure`.
        lengthscales: Shape (d,).
        prior: As in `structure`.
    """
    smooth = matern52(squared_distances(a, b, lengthscales) ** 0.5)
    return smooth + structure(a, b, prior)


def correlation_at_zero(a: Any, prior: StructurePrior) -> Any:
    """`correlation` of each point with itself, ``... x n``."""
    return 1 + prior.fine_share + prior.trend_share * a[..., S] ** 2
