"""What is believed about one degree."""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation

_TAIL = -30.0


class Residual(StrEnum):
    """How the Gaussian process stands on the law.

    MULTIPLICATIVE: log T = log law + GP, so T is lognormal. ADDITIVE: T = law + GP, so T is normal,
    taken on T > 0.
    """

    MULTIPLICATIVE = "multiplicative"
    ADDITIVE = "additive"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The distribution of the next run's time at one degree, the noise of a run included.

    Attributes:
        parallelism: The degree.
        location: mu; of log T [log s] for a multiplicative residual, of T [s] for an additive one.
        scale: sigma, in the same unit, above 0.
        residual: Which of the two it is.
        worker_type: The worker type's name; None: the task has none.
    """

    parallelism: int
    location: float
    scale: float
    residual: Residual = Residual.MULTIPLICATIVE
    worker_type: str | None = None

    def __post_init__(self) -> None:
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)
        object.__setattr__(self, "location", validation.real("location", self.location))
        object.__setattr__(self, "scale", validation.positive("scale", self.scale))
        residual = validation.member("residual", self.residual, Residual)
        object.__setattr__(self, "residual", residual)

    @property
    def mean_s(self) -> float:
        """E[T] [s]: exp(mu + sigma^2 / 2), or the mean of the normal cut to T > 0."""
        if self.residual is Residual.MULTIPLICATIVE:
            return _exp(self.location + self.scale**2 / 2)
        return self.scale * self._cut_moments()[0]

    @property
    def std_s(self) -> float:
        """Standard deviation of T [s]."""
        if self.residual is Residual.MULTIPLICATIVE:
            return self.mean_s * math.sqrt(math.expm1(min(self.scale**2, 700.0)))
        return self.scale * math.sqrt(self._cut_moments()[1])

    def quantile_s(self, q: float) -> float:
        """The time that the next run stays under with probability q [s].

        Args:
            q: Probability, strictly between 0 and 1.

        Raises:
            InvalidValueError: q is outside (0, 1).
        """
        q = validation.real("q", q)
        if not 0 < q < 1:
            raise InvalidValueError(f"q must lie strictly between 0 and 1, got {q:g}")
        standard = NormalDist()
        if self.residual is Residual.MULTIPLICATIVE:
            return _exp(self.location + self.scale * standard.inv_cdf(q))
        z = self.location / self.scale
        if z < _TAIL:  # beyond there the cut normal is an exponential of rate -z / sigma
            return -math.log1p(-q) * self.scale / -z
        # By symmetry P(T > t | T > 0) = Phi((mu - t) / sigma) / Phi(mu / sigma).
        return self.location - self.scale * standard.inv_cdf((1 - q) * _normal_cdf(z))

    def probability_within(self, time_s: float) -> float:
        """P(T <= time_s) of the next run.

        Args:
            time_s: Above 0 [s].
        """
        t = validation.positive("time_s", time_s)
        if self.residual is Residual.MULTIPLICATIVE:
            return _normal_cdf((math.log(t) - self.location) / self.scale)
        z, z_t = self.location / self.scale, (t - self.location) / self.scale
        if z < _TAIL:
            return -math.expm1(t / self.scale * z)
        return min(max(1 - _normal_cdf(-z_t) / _normal_cdf(z), 0.0), 1.0)

    def _cut_moments(self) -> tuple[float, float]:
        """Mean and variance of T / sigma for T ~ N(mu, sigma^2) on T > 0.

        With z = mu / sigma and h = phi(z) / Phi(z): z + h and 1 - h (z + h).
        """
        z = self.location / self.scale
        if z < _TAIL:
            return -1 / z, 1 / z**2
        hazard = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / _normal_cdf(z)
        return z + hazard, 1 - hazard * (z + hazard)


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def _normal_cdf(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2
