"""Finding hyperparameters: maximum a posteriori, from few runs, quickly, and many tasks at once."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.anomalies import Explanation, explain
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.batches import padded, stacked
from arbo_bo.numerics.evidence import EXACT_UP_TO, LOG_2PI, Evidence
from arbo_bo.numerics.hyperparameters import Hyperparameters, amdahl_part
from arbo_bo.numerics.newton import maximise
from arbo_bo.numerics.problem import FitProblem

TOGETHER = 8
"""Tasks that are fitted as one batch: more fall out of the processor's cache, and batches of 8 to
32 are equally fast (measured at 50 runs)."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What was learned from a window.

    Attributes:
        problem: The window and its priors.
        x: The best hyperparameters, shape (m + d + 2,).
        noise_inflation: What the noise variance is multiplied by in predictions, 1 or more.
        explanation: Which runs train, at which outcomes.
    """

    problem: FitProblem
    x: Vector
    noise_inflation: float
    explanation: Explanation

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which runs train, shape (n,)."""
        return self.explanation.kept

    @property
    def law_parameters(self) -> Vector:
        """The law's parameters, times relative to u, shape (m,)."""
        return self.x[: len(self.problem.law.parameters)]

    @property
    def outputscale(self) -> float:
        """Variance of the smooth residual, in the outcome's unit squared."""
        return math.exp(self.x[len(self.problem.law.parameters)])

    @property
    def lengthscales(self) -> Vector:
        """Shape (d,)."""
        return np.exp(self.x[len(self.problem.law.parameters) + 1 : -1])

    @property
    def noise(self) -> float:
        """Variance of a run's noise as fitted, in the outcome's unit squared."""
        return math.exp(self.x[-1])

    @property
    def learned(self) -> dict[str, float]:
        """The law's parameters by name, times as the logarithm of seconds."""
        law, log_u = self.problem.law, self.problem.log_scale
        values = self.law_parameters + log_u * law.timed
        return dict(zip(law.names, values.tolist(), strict=True))

    @property
    def law(self) -> AmdahlLaw:
        """The part of the law that is Amdahl's."""
        return amdahl_part(self.problem.law.name, self.learned)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Everything that was fitted, in physical units."""
        additive = self.problem.residual is Residual.ADDITIVE
        unit = math.exp(2 * self.problem.log_scale) if additive else 1.0
        return Hyperparameters(
            law=self.law,
            outputscale=self.outputscale * unit,
            lengthscales=tuple(self.lengthscales.tolist()),
            noise=self.noise * unit,
            residual=self.problem.residual,
            mean=self.problem.law.name,
            learned=self.learned,
        )


def fit(problem: FitProblem) -> Fit:
    """The hyperparameters of one window; see `fit_many`."""
    return fit_many([problem])[0]


def best_law(problems: Sequence[FitProblem]) -> Fit:
    """Of one window under several laws the fit with the largest evidence (`log_evidence`)."""
    fits = [fit(problem) for problem in problems]
    return fits[0] if len(fits) == 1 else max(fits, key=log_evidence)


def fit_many(problems: Sequence[FitProblem]) -> list[Fit]:
    """Fits windows: law, kernel and noise jointly, at the largest density under the priors.

    Several starts guard against local optima. Runs that do not fit are explained where that raises
    the evidence (`arbo_bo.numerics.anomalies`): stragglers are left out, a lasting change of speed
    brings the older runs to the newest level, and a run that was cut off counts as the time that it
    would have taken. Starts, hypotheses and windows are one batch.

    Args:
        problems: Any number, of any laws and residuals.

    Raises:
        NotEnoughObservationsError: A window has no run.
    """
    if any(not p.size for p in problems):
        raise NotEnoughObservationsError("a fit needs at least one completed run")

    found: dict[int, Fit] = {}
    for part in grouped(problems):
        fits = _fitted([problems[i] for i in part])
        found |= dict(zip(part, fits, strict=True))
    return [found[i] for i in range(len(problems))]


def grouped(problems: Sequence[FitProblem]) -> Iterator[list[int]]:
    """Positions of problems that are fitted as one batch: of one law and residual, and few."""

    def alike(i: int) -> tuple[tuple[str, ...], str, int, bool]:
        p = problems[i]
        return (p.law.name, *p.law.names), p.residual, p.size, p.start is None

    order = sorted(range(len(problems)), key=alike)
    for _, group in groupby(order, key=lambda i: alike(i)[:2]):
        members = list(group)
        for first in range(0, len(members), TOGETHER):
            yield members[first : first + TOGETHER]


def _fitted(problems: Sequence[FitProblem]) -> list[Fit]:
    """`fit_many` of problems of one law and residual, as one batch."""
    x = searched(problems)
    explained = explain(problems, x)
    size = max(p.size for p in problems)
    kept = padded([e.kept * 1.0 for e in explained], size)
    y = padded([e.y for e in explained], size)
    again = [i for i, e in enumerate(explained) if e.cost or problems[i].censored.any()]
    if again:
        chosen = [problems[i] for i in again]
        longest = max(p.size for p in chosen)
        evidence = stacked(chosen, kept=kept[again, :longest], y=y[again, :longest])
        x[again] = maximise(evidence, np.array([explained[i].x for i in again])).x
    evidence = stacked(problems, diffuse_noise=True, kept=kept, y=y)
    inflation = _noise_inflation(problems, evidence, x)
    return [Fit(p, x[i], float(inflation[i]), explained[i]) for i, p in enumerate(problems)]


def searched(problems: Sequence[FitProblem]) -> Vector:
    """The best of several local optima of each problem, no run explained away, ``B x P``.

    Args:
        problems: Of one law and residual.
    """
    starts = [p.starts() for p in problems]
    most = max(map(len, starts))
    every = [
        s if len(s) == most else np.concatenate((s, np.repeat(s[:1], most - len(s), 0)))
        for s in starts
    ]
    found = maximise(stacked(problems, repeat=most), np.concatenate(every), rivals=most)
    best = found.value.reshape(len(problems), most).argmax(1)
    every_x = found.x.reshape(len(problems), most, -1)
    return np.asarray(every_x[np.arange(len(problems)), best])


def noise_inflation_at(problems: Sequence[FitProblem], x: Vector) -> Vector:
    """What noise as in x is multiplied by to predict, no run explained away, shape (B,).

    Args:
        problems: Of one law and residual.
        x: Hyperparameters that were fitted, ``B x P``.
    """
    return _noise_inflation(problems, stacked(problems, diffuse_noise=True), x)


def _noise_inflation(problems: Sequence[FitProblem], evidence: Evidence, x: Vector) -> Vector:
    """What the fitted noise is multiplied by to predict runs that were seen and runs to come.

    The best noise under the best law is too small, as a variance that divides by n is, and its
    prior keeps it small besides: it is searched anew under a diffuse prior, with the kernel, and
    with the law integrated out (`Evidence.integrated`). Its own uncertainty, v being the variance
    of its logarithm, makes the next run's distribution heavy-tailed like Student's t with nu = 2 /
    v; a normal with exp(v) times the noise has about the same 90 % interval.
    """
    m = len(problems[0].law.parameters)
    location = np.array([p.law_location for p in problems])
    scale = np.array([p.law_scale for p in problems])
    integrated = evidence.integrated(x, location, scale)
    found = maximise(integrated, x[:, m:])
    curvature = found.curvature[:, -1, -1]
    if evidence.size > EXACT_UP_TO:
        # Average information found the place; one exact Hessian there says how sharp it is.
        curvature = integrated.evaluate(found.x, exact=True)[2][:, -1, -1]
    curvature = np.maximum(curvature, 1 / problems[0].priors.noise.largest_variance)
    return np.maximum(np.exp(found.x[:, -1] + 1 / curvature - x[:, -1]), 1.0)


def log_evidence(of: Fit) -> float:
    """The log evidence of a fit, its hyperparameters integrated out; see `laplace`."""
    explanation = of.explanation
    evidence = stacked([of.problem], kept=explanation.kept[None] * 1.0, y=explanation.y[None])
    return float(laplace(evidence, of.x[None], [of.problem])[0]) + explanation.cost


def laplace(evidence: Evidence, x: Vector, problems: Sequence[FitProblem]) -> Vector:
    """Laplace's approximation of the log evidence of several fits, shape (B,).

    log p(y, x) + P / 2 log 2 pi - log det(-H) / 2 at the best hyperparameters x, H being the
    Hessian of the log density there. It weighs laws with different numbers of parameters against
    each other.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, 5.2.

    Args:
        evidence: The densities of the runs that train.
        x: The best hyperparameters, ``B x P``.
        problems: What was fitted, B of them.
    """
    value, _, hessian = evidence.evaluate(x, exact=True)
    # A bound may end the search on a slope; a curvature below the prior's is not to be believed.
    least = np.array([1 / p.scale.max() ** 2 for p in problems])
    curvature = np.maximum(np.linalg.eigvalsh(hessian), least[:, None])
    width = 0.5 * x.shape[1] * LOG_2PI - 0.5 * np.log(curvature).sum(-1)
    # Each law has a time scale of its own: densities of T / u become densities of T.
    unit = [p.size * p.log_scale * (p.residual is Residual.ADDITIVE) for p in problems]
    return np.asarray(value + width - np.array(unit))
