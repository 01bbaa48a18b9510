"""What is believed about one degree, and what was decided."""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.experiment.trial import Phase

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
    """

    parallelism: int
    location: float
    scale: float
    residual: Residual = Residual.MULTIPLICATIVE

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

    def _cut_moments(self) -> tuple[float, float]:
        """Mean and variance of T / sigma for T ~ N(mu, sigma^2) on T > 0.

        With z = mu / sigma and h = phi(z) / Phi(z): z + h and 1 - h (z + h).
        """
        z = self.location / self.scale
        if z < _TAIL:
            return -1 / z, 1 / z**2
        hazard = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / _normal_cdf(z)
        return z + hazard, 1 - hazard * (z + hazard)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One allowed degree as the decision saw it.

    Attributes:
        prediction: The next run's time at this degree.
        log_score: Natural logarithm of its score, less is better; a score may leave a float's range
            where its logarithm does not.
    """

    prediction: Prediction
    log_score: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_score", validation.real("log_score", self.log_score))

    @property
    def score(self) -> float:
        """E[T]^a Cost(s), at most 1e304."""
        return _exp(self.log_score)

    @property
    def parallelism(self) -> int:
        """The degree."""
        return self.prediction.parallelism


@dataclass(frozen=True, slots=True)
class Decision:
    """The degree for the next run, and why.

    Attributes:
        task: The experiment's name.
        parallelism: The degree to run with.
        phase: baseline, probe or optimize.
        reason: One sentence that a person understands.
        trial_index: The trial that is RUNNING from here; None if none was made.
        acquisition: What chose it; None outside of optimize.
        input_scale_factor: gamma at the decision.
        cluster_load: L at the decision.
        prediction: What is expected of this degree; None before the first completed run.
        candidates: Every allowed degree with its prediction and score, by degree.
        law: The law as fitted for this decision; None outside of optimize.
    """

    task: str
    parallelism: int
    phase: Phase
    reason: str
    trial_index: int | None = None
    acquisition: str | None = None
    input_scale_factor: float = 1.0
    cluster_load: float | None = None
    prediction: Prediction | None = None
    candidates: tuple[Candidate, ...] = ()
    law: AmdahlLaw | None = None

    def __post_init__(self) -> None:
        validation.identifier("a task's name", self.task)
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)
        object.__setattr__(self, "phase", validation.member("phase", self.phase, Phase))

    @property
    def predicted_time_s(self) -> float | None:
        """Expected execution time [s]."""
        return None if self.prediction is None else self.prediction.mean_s

    @property
    def predicted_time_std_s(self) -> float | None:
        """Its standard deviation, the noise of a run included [s]."""
        return None if self.prediction is None else self.prediction.std_s


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def _normal_cdf(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2
