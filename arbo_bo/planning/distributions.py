"""Times and costs in samples."""

from dataclasses import dataclass, field

import numpy as np

from arbo_bo.experiment import validation
from arbo_bo.numerics.arrays import Vector


@dataclass(frozen=True, eq=False)
class TimeDistribution:
    """A time in samples.

    Attributes:
        samples: Ascending, read-only, shape (N,) [s].
    """

    samples: Vector = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", _frozen(self.samples))

    @property
    def mean_s(self) -> float:
        """Its expectation [s]."""
        return float(self.samples.mean())

    @property
    def std_s(self) -> float:
        """Its standard deviation [s]."""
        return float(self.samples.std())

    def quantile_s(self, q: float) -> float:
        """What it stays under with probability q, in (0, 1) [s]."""
        return float(np.quantile(self.samples, validation.inner_fraction(q, "q")))

    def probability_within(self, time_s: float) -> float:
        """P(T <= time_s)."""
        return float((self.samples <= validation.positive("time_s", time_s)).mean())


@dataclass(frozen=True, eq=False)
class CostDistribution:
    """A cost in samples.

    Attributes:
        samples: Ascending, read-only, shape (N,).
        unit: "usd", or "worker-seconds" where no price is known.
    """

    samples: Vector = field(repr=False)
    unit: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", _frozen(self.samples))

    @property
    def mean(self) -> float:
        """Its expectation."""
        return float(self.samples.mean())

    @property
    def std(self) -> float:
        """Its standard deviation."""
        return float(self.samples.std())

    def quantile(self, q: float) -> float:
        """What it stays under with probability q, in (0, 1)."""
        return float(np.quantile(self.samples, validation.inner_fraction(q, "q")))


def _frozen(samples: Vector) -> Vector:
    found = np.sort(np.asarray(samples, dtype=float))
    found.flags.writeable = False
    return found
