"""What is believed about one degree."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.experiment.arm import Arm

_TAIL = -30.0
BISECTIONS = 50
"""Of a quantile's logarithm: what is left of a factor e^700 is below a double's rounding of it."""


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
        parts: Under several hypotheses the weight, location and scale of each, weights of sum 1:
            the distribution is their mixture, and `location` and `scale` are its first two moments;
            empty: one hypothesis.
    """

    parallelism: int
    location: float
    scale: float
    residual: Residual = Residual.MULTIPLICATIVE
    worker_type: str | None = None
    parts: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)
        object.__setattr__(self, "location", validation.real("location", self.location))
        object.__setattr__(self, "scale", validation.positive("scale", self.scale))
        residual = validation.member("residual", self.residual, Residual)
        object.__setattr__(self, "residual", residual)

    @classmethod
    def mixed(
        cls,
        arm: Arm,
        parts: Sequence[tuple[float, float, float]],
        residual: Residual = Residual.MULTIPLICATIVE,
    ) -> "Prediction":
        """The mixture of several hypotheses' predictions.

        Args:
            arm: The degree, and the worker type where there is one.
            parts: Weight, location and scale under each, weights of sum 1.
            residual: Which of the two distributions each is.
        """
        if len(parts) == 1:
            return cls(arm.parallelism, *parts[0][1:], residual, arm.worker_type)
        location = math.fsum(w * m for w, m, _ in parts)
        variance = math.fsum(w * (d**2 + (m - location) ** 2) for w, m, d in parts)
        scale, kind = math.sqrt(variance), arm.worker_type
        return cls(arm.parallelism, location, scale, residual, kind, tuple(parts))

    @property
    def each(self) -> "list[tuple[float, Prediction]]":
        """Weight and prediction under each hypothesis; itself where there is one."""
        if not self.parts:
            return [(1.0, self)]
        return [(w, Prediction(self.parallelism, m, d, self.residual)) for w, m, d in self.parts]

    @property
    def mean_s(self) -> float:
        """E[T] [s]: exp(mu + sigma^2 / 2), or the mean of the normal cut to T > 0."""
        if self.parts:
            return math.fsum(w * p.mean_s for w, p in self.each)
        if self.residual is Residual.MULTIPLICATIVE:
            return _exp(self.location + self.scale**2 / 2)
        return self.scale * self._cut_moments()[0]

    @property
    def std_s(self) -> float:
        """Standard deviation of T [s]."""
        if self.parts:
            mean = self.mean_s
            spread = [(w, p.std_s, p.mean_s - mean) for w, p in self.each]
            return math.sqrt(math.fsum(w * (d * d + away * away) for w, d, away in spread))
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
        if self.parts:
            return self._mixed_quantile_s(q)
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
        if self.parts:
            return math.fsum(w * p.probability_within(t) for w, p in self.each)
        if self.residual is Residual.MULTIPLICATIVE:
            return _normal_cdf((math.log(t) - self.location) / self.scale)
        z, z_t = self.location / self.scale, (t - self.location) / self.scale
        if z < _TAIL:
            return -math.expm1(t / self.scale * z)
        return min(max(1 - _normal_cdf(-z_t) / _normal_cdf(z), 0.0), 1.0)

    def _mixed_quantile_s(self, q: float) -> float:
        """Between the hypotheses' own quantiles, by bisection of the logarithm."""
        each = self.each
        own = [p.quantile_s(q) for _, p in each]
        low, high = math.log(max(min(own), 1e-300)), math.log(max(own))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            within = math.fsum(w * p.probability_within(math.exp(middle)) for w, p in each)
            low, high = (middle, high) if within < q else (low, middle)
        return math.exp((low + high) / 2)

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
