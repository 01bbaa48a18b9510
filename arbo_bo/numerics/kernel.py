"""The residual's covariance, up to its variance."""

from typing import Any

from arbo_bo.numerics.arrays import like, namespace
from arbo_bo.numerics.inputs import COLUMNS, SHARED, S, is_typed
from arbo_bo.numerics.priors import DEFAULT_PRIORS, StructurePrior

SQRT5 = 5**0.5
FINE_LENGTHSCALES = tuple(c.fine_lengthscale for c in COLUMNS)
LOG_CPUS, LOG_MEMORY, TYPE_NUMBER = range(SHARED, SHARED + 3)
"""Where the features of a worker type stand."""


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

    Worker types share all of it but the fine structure, which is each type's own. Time goes beside
    the law as a power of a worker's CPUs and of the memory of a CPU, whose exponents are as free as
    their shares say. Where what a job keeps in memory fits into that of all workers, it is faster
    all at once: an exponential kernel on the logarithm of that memory is rough enough for a step.
    And each type departs from all that by a factor, and by a slope in log s.

    Args:
        a: Features as `features` makes them, ``... x n x d``.
        b: As a, ``... x m x d``.
        prior: The shares.

    Returns:
        ``... x n x m``, to be multiplied by the smooth part's variance.
    """
    # A root has no gradient at 0.
    distances = squared_distances(a[..., :SHARED], b[..., :SHARED], like(FINE_LENGTHSCALES, a))
    fine = prior.fine_share * matern52((distances + 1e-30) ** 0.5)
    trend = a[..., :, None, S] * b[..., None, :, S]
    if not is_typed(a):
        return fine + prior.trend_share * trend
    own = a[..., :, None, TYPE_NUMBER] == b[..., None, :, TYPE_NUMBER]
    cpus = a[..., :, None, LOG_CPUS] * b[..., None, :, LOG_CPUS]
    memory = a[..., :, None, LOG_MEMORY] * b[..., None, :, LOG_MEMORY]
    types = prior.cpus_share * cpus + prior.memory_share * memory
    total, other = (f[..., S] + f[..., LOG_CPUS] + f[..., LOG_MEMORY] for f in (a, b))
    apart = namespace(a).abs(total[..., :, None] - other[..., None, :])
    steps = namespace(a).exp(-apart / prior.total_memory_lengthscale)
    types = types + prior.total_memory_share * steps
    deviations = own * (fine + prior.type_share + prior.type_trend_share * trend)
    return prior.trend_share * trend + types + deviations


def correlation(a: Any, b: Any, lengthscales: Any, prior: StructurePrior) -> Any:
    """The residual's correlation: Matern-5/2 with learned lengthscales, and `structure`.

    Args:
        a: As in `structure`.
        b: As in `structure`.
        lengthscales: Shape (d,).
        prior: As in `structure`.
    """
    smooth = matern52(squared_distances(a[..., :SHARED], b[..., :SHARED], lengthscales) ** 0.5)
    return smooth + structure(a, b, prior)


def correlation_at_zero(a: Any, prior: StructurePrior) -> Any:
    """`correlation` of each point with itself, ``... x n``."""
    shared = 1 + prior.fine_share + prior.trend_share * a[..., S] ** 2
    if not is_typed(a):
        return shared
    types = prior.cpus_share * a[..., LOG_CPUS] ** 2 + prior.memory_share * a[..., LOG_MEMORY] ** 2
    own = prior.type_share + prior.type_trend_share * a[..., S] ** 2
    return shared + types + prior.total_memory_share + own
