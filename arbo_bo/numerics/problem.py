"""What is fitted: a window of runs with the priors that hold for it, and where searches start."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arbo_bo.experiment.law import MeanFunction
from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.inputs import COLUMNS, GAMMA, SHARED, capacity, features
from arbo_bo.numerics.kernel import structure
from arbo_bo.numerics.laws import LAWS, Law, laws_of
from arbo_bo.numerics.priors import (
    DEFAULT_PRIORS,
    LENGTHSCALE_BOUNDS,
    NOISE_BOUNDS,
    OUTPUTSCALE_BOUNDS,
    Normal,
    Priors,
    ResidualPrior,
)

STARTUP_FLOOR = 1e-6
"""Of the time scale: a start-up that was measured as nothing still has a logarithm."""


@dataclass(frozen=True, eq=False)
class FitProblem:
    """A window of n runs, relative to a time scale u, and what is known before it.

    Attributes:
        X: ``n x d`` in physical units, oldest run first.
        y: Outcomes, shape (n,): log(T / u), or T / u for an additive residual.
        law: The law, a sum of m terms' parameters.
        residual: How the Gaussian process stands on it.
        log_scale: log u [log s].
        location: Means of the priors on law and residual, shape (m + d + 2,).
        scale: Their standard deviations.
        low: Lower bounds.
        high: Upper bounds.
        start: The hyperparameters of the last fit; None: a cold start.
        censored: Which runs were cut off at their time, shape (n,).
        priors: Every other constant.
    """

    X: Vector
    y: Vector
    law: Law
    residual: Residual
    log_scale: float
    location: Vector
    scale: Vector
    low: Vector
    high: Vector
    start: Vector | None
    censored: NDArray[np.bool_]
    priors: Priors
    features: Vector = field(init=False)
    squared: Vector = field(init=False)
    structure: Vector = field(init=False)
    basis: Vector = field(init=False)
    log_gamma: Vector = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "features", features(self.X))
        shared = self.features[:, :SHARED]
        difference = shared[:, None, :] - shared[None, :, :]
        put(self, "squared", np.ascontiguousarray(np.moveaxis(difference**2, -1, 0)))
        put(self, "structure", structure(self.features, self.features, self.priors.structure))
        put(self, "basis", self.law.basis(capacity(self.X)))
        put(self, "log_gamma", np.log(self.X[:, GAMMA]))

    @classmethod
    def of(
        cls,
        X: ArrayLike,
        time_s: ArrayLike,
        *,
        mean: MeanFunction = MeanFunction.AMDAHL,
        residual: Residual = Residual.MULTIPLICATIVE,
        warm_start: Hyperparameters | None = None,
        startup_time_s: float | None = None,
        censored: Sequence[bool] | None = None,
        priors: Priors = DEFAULT_PRIORS,
    ) -> "FitProblem":
        """Sets priors and time scale of a window.

        A window of one degree, or of degrees that are nearly the same, says nothing about p: what
        `warm_start` holds is then the prior, with the law's level free. The start-up is small
        beside the smallest input's work, too: C does not scale, so what is small at the base size
        would be all of the time at a thousandth of it.

        Args:
            X: ``n x d`` in physical units, oldest run first.
            time_s: Shape (n,), above 0 [s].
            mean: Which law, not "auto".
            residual: How the Gaussian process stands on it.
            warm_start: The last fit.
            startup_time_s: A measured typical start-up time [s]; None: unknown.
            censored: Which runs were cut off at their time; None: none.
            priors: Every constant.
        """
        X, time = np.asarray(X, dtype=float), np.asarray(time_s, dtype=float)
        law = (LAWS if priors is DEFAULT_PRIORS else laws_of(priors.laws))[mean]
        normals = {p.name: p.prior for p in law.parameters}
        known = priors.residual
        if warm_start is not None and not identifies_law(capacity(X), priors):
            normals |= anchored_law(law, warm_start)
            if warm_start.residual is residual:
                known = anchored_residual(warm_start, priors)
        elif "log_c" in normals:
            normals["log_c"] = _small_startup(normals["log_c"], X[:, GAMMA])
        log_scale = log_time_scale(law, X, time, [n.location for n in normals.values()])
        if startup_time_s is not None and "log_c" in normals:
            log_c = math.log(max(startup_time_s / math.exp(log_scale), STARTUP_FLOOR))
            normals["log_c"] = Normal(log_c, priors.anchor.startup_scale)
        log_outcome = residual is Residual.MULTIPLICATIVE
        every = [*normals.values(), known.outputscale, *known.lengthscales, known.noise]
        low, high = bounds_of(law)
        problem = cls(
            X=X,
            y=np.log(time) - log_scale if log_outcome else time / math.exp(log_scale),
            law=law,
            residual=residual,
            log_scale=log_scale,
            location=np.array([n.location for n in every]),
            scale=np.array([n.scale for n in every]),
            low=low,
            high=high,
            start=None,
            censored=np.zeros(len(X), bool) if censored is None else np.array(censored, bool),
            priors=priors,
        )
        return problem if warm_start is None else problem.starting_at(warm_start)

    @property
    def size(self) -> int:
        """How many runs there are."""
        return len(self.y)

    @property
    def identifies_law(self) -> bool:
        """Whether the window's degrees tell the law, so that nothing older has to."""
        return identifies_law(capacity(self.X), self.priors)

    @property
    def law_location(self) -> Vector:
        """Means of the priors on the law, shape (m,)."""
        return self.location[: len(self.law.parameters)]

    @property
    def law_scale(self) -> Vector:
        """Standard deviations of the priors on the law, shape (m,)."""
        return self.scale[: len(self.law.parameters)]

    def starting_at(self, known: Hyperparameters) -> "FitProblem":
        """The problem with a search from hyperparameters, moved inside the bounds.

        Of another law's parameters those are taken that this one has too, by name. Of another
        residual's hyperparameters only the law is taken: the variances have other units.
        """
        start, m = np.clip(self.location, self.low, self.high), len(self.law.parameters)
        for i, p in enumerate(self.law.parameters):
            if p.name in known.learned:
                start[i] = known.learned[p.name] - self.log_scale * p.timed
        if known.residual is self.residual:
            unit = 2 * self.log_scale * (self.residual is Residual.ADDITIVE)
            logs = np.log([known.outputscale, *known.lengthscales, known.noise])
            logs[[0, -1]] -= unit
            start[m:] = logs
        return replace(self, start=np.clip(start, self.low, self.high))

    def starts(self) -> Vector:
        """Where searches begin, ``k x P``: the last fit or the law's own starts, and much noise.

        A window with much noise has a second optimum, which a search from little noise misses.
        """
        centre, m = np.clip(self.location, self.low, self.high), len(self.law.parameters)
        noisy = centre.copy()
        noisy[-1] = 2 * math.log(self.priors.noise.noisy_start)
        if self.start is not None and not np.allclose(self.start, centre):
            return np.array([self.start, centre, noisy])
        found = [centre, noisy]
        for values in self.law.starts:
            start = centre.copy()
            for name, value in values.items():
                start[self.law.names.index(name)] = value
            found.append(start)
        strong_residual = centre.copy()
        strong_residual[m] += 2.0  # a law that explains little
        return np.array([*found, strong_residual])


def bounds_of(law: Law) -> tuple[Vector, Vector]:
    """Bounds of a law's parameters and of the residual's logarithms, shape (m + d + 2,) each."""
    positive = [OUTPUTSCALE_BOUNDS, *[LENGTHSCALE_BOUNDS] * len(COLUMNS), NOISE_BOUNDS]
    rest = np.log(positive)
    low = np.concatenate(([p.low for p in law.parameters], rest[:, 0]))
    return low, np.concatenate(([p.high for p in law.parameters], rest[:, 1]))


def identifies_law(degrees: Any, priors: Priors = DEFAULT_PRIORS) -> bool:
    """Whether runs at these degrees tell p: the largest is 1.5 times the smallest or more."""
    return bool(max(degrees) >= priors.anchor.identifying_ratio * min(degrees))


def anchored_law(law: Law, known: Hyperparameters) -> dict[str, Normal]:
    """Priors that keep the shape of a law that was learned before, and leave its level free."""
    level = known.learned.get("log_t1", 0.0)
    return {
        p.name: Normal(
            min(max(known.learned[p.name] - level * p.timed, p.low), p.high),
            p.anchor,
        )
        for p in law.parameters
        if p.name in known.learned
    }


def anchored_residual(known: Hyperparameters, priors: Priors) -> ResidualPrior:
    """Priors around the residual's hyperparameters that were learned before."""
    unit = known.law.t1_s**2 if known.residual is Residual.ADDITIVE else 1.0

    def around(value: float) -> Normal:
        return Normal(math.log(value), priors.anchor.residual_scale)

    return ResidualPrior(
        around(known.outputscale / unit),
        tuple(around(v) for v in known.lengthscales),
        around(known.noise / unit),
    )


def log_time_scale(law: Law, X: Vector, time_s: Vector, location: Sequence[float]) -> float:
    """Log u: the median of log t - log T over the window, T being the law at its priors' location.

    A robust estimate of log T1, so that a straggler or an outlier in size moves it little.
    """
    shape = law.runtime(capacity(X), X[:, GAMMA], np.array(location))
    ratio = np.sort(np.log(time_s) - np.log(shape))
    return float(ratio[(len(ratio) - 1) // 2])


def _small_startup(prior: Normal, gamma: Vector) -> Normal:
    below = max(0.0, -math.log(gamma.min()))
    if not below:
        return prior
    seen = math.log(gamma.max() / gamma.min())
    return Normal(prior.location - below, math.hypot(prior.scale, min(below, seen)))
