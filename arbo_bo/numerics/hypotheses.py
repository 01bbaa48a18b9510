"""Hypotheses about a task's times, weighed by what its runs say of each (numpy).

Beside Amdahl's law with a small residual there stand: a cliff, times several times as long at the
smallest degrees, for want of memory, say; the Universal Scalability Law; and a law that holds
roughly only. All of them are one law with more parameters, those that a hypothesis does not have
held at nothing, so that they are fitted as one batch, each from the fit of Amdahl's law, with the
same explanation of odd runs. Where in a gap between two degrees that were run a cliff begins makes
hypotheses of its own, which share one fit.

The weight of a hypothesis is its prior odds times its evidence (`fitting.laplace`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from arbo_bo.experiment.law import MeanFunction
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.batches import padded, stacked
from arbo_bo.numerics.fitting import Fit, grouped, laplace
from arbo_bo.numerics.inputs import capacity, is_typed
from arbo_bo.numerics.laws import Law, laws_of, with_cliff
from arbo_bo.numerics.newton import maximise
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.priors import Parameter, Priors
from arbo_bo.numerics.problem import FitProblem

CLIFF, USL, ROUGH = "cliff", "usl", "rough"
WORDS = {
    str(MeanFunction.AMDAHL): "Amdahl's law",
    USL: "the Universal Scalability Law",
    ROUGH: "Amdahl's law, roughly",
}
HELD = 1e-3
"""Standard deviation of a parameter that is held: next to nothing."""


class Hypothesis(NamedTuple):
    """One explanation of a task's times.

    Attributes:
        name: Which.
        above: Of a cliff, the smallest degree that obeys the law; else 0.
    """

    name: str
    above: float = 0.0

    def __str__(self) -> str:
        if self.name == CLIFF:
            return f"slower below {self.above:g} workers than Amdahl's law says"
        return WORDS.get(self.name, self.name)


@dataclass(frozen=True, eq=False)
class Mixture:
    """What is believed under each hypothesis that is alive, and how likely it is.

    Attributes:
        hypotheses: Amdahl's law first, where it is alive; one at least.
        weights: Above 0, of sum 1, shape (h,).
        posteriors: One a hypothesis.
    """

    hypotheses: tuple[Hypothesis, ...]
    weights: Vector
    posteriors: tuple[Posterior, ...]

    @classmethod
    def alone(cls, posterior: Posterior) -> "Mixture":
        """One hypothesis, that the posterior's law holds."""
        name = str(posterior.fit.problem.law.name)
        return cls((Hypothesis(name),), np.ones(1), (posterior,))


def weighed(fits: Sequence[Fit], degrees: Sequence[Vector]) -> list[Mixture]:
    """The hypotheses beside each fit of Amdahl's law.

    A window that does not identify the law has nothing to weigh.

    Args:
        fits: One a task.
        degrees: Its allowed degrees, ascending, each.
    """
    rivals = [_rivals(fit) for fit in fits]
    problems = [
        _problem(fit.problem, r) for fit, each in zip(fits, rivals, strict=True) for r in each
    ]
    owners = [fit for fit, each in zip(fits, rivals, strict=True) for _ in each]
    found = iter(_fitted(owners, problems))
    return [
        _mixture(fit, each, [next(found) for _ in each], s)
        for fit, each, s in zip(fits, rivals, degrees, strict=True)
    ]


class _Rival(NamedTuple):
    """A hypothesis that is fitted beside Amdahl's law; of a cliff, that it begins in one gap.

    Attributes:
        name: Which.
        odds: Against Amdahl's law, before any run.
        below: Of a cliff, the largest degree run that lies below it.
        above: Of a cliff, the smallest degree run that does not.
    """

    name: str
    odds: float
    below: float = 0.0
    above: float = 0.0


def _rivals(fit: Fit) -> list[_Rival]:
    prior = fit.problem.priors.hypotheses
    X = fit.problem.X[fit.kept]
    seen = np.unique(capacity(X))
    # The law that a window without two degrees to compare keeps is to be used, not doubted.
    if len(seen) < 2 or (fit.problem.start is not None and not fit.problem.identifies_law):
        return []
    found = [_Rival(USL, prior.usl), _Rival(ROUGH, prior.rough)]
    gaps = list(zip(seen[:-1].tolist(), seen[1:].tolist(), strict=True))[: prior.deepest]
    # With worker types a model learns what memory does, and a degree is no capacity.
    gaps = [] if is_typed(X) else gaps
    found += [_Rival(CLIFF, prior.cliff / len(gaps), *gap) for gap in gaps]
    return [r for r in found if r.odds > 0]


def _widest(priors: Priors, above: float) -> Law:
    """The law that every hypothesis is a special case of."""
    return with_cliff(laws_of(priors.laws)[MeanFunction.USL], above, priors.laws.cliff)


def _problem(base: FitProblem, rival: _Rival) -> FitProblem:
    """The base's window under a rival."""
    priors, m = base.priors, len(base.law.parameters)
    kappa, cliff = priors.laws.coherency, priors.laws.cliff
    added = [_of(kappa, rival.name == USL), _of(cliff, rival.name == CLIFF)]
    values = (base.location, base.scale, base.low, base.high)
    location, scale, low, high = (
        np.insert(v, m, column) for v, column in zip(values, zip(*added, strict=True), strict=True)
    )
    if rival.name == ROUGH:
        location[m + len(added)] = 2 * math.log(priors.hypotheses.rough_std)
    law = _widest(priors, rival.above)
    return replace(base, law=law, location=location, scale=scale, low=low, high=high, start=None)


def _of(parameter: Parameter, free: bool) -> tuple[float, float, float, float]:
    """Location, scale, low and high of a parameter that is free, or held at its least value."""
    if free:
        prior = parameter.prior
        return prior.location, prior.scale, parameter.low, parameter.high
    return parameter.low, HELD, parameter.low, parameter.low


def _fitted(owners: Sequence[Fit], problems: Sequence[FitProblem]) -> list[tuple[Fit, float]]:
    """Each problem's fit, from its owner's and with its runs, and its log evidence."""
    found: dict[int, tuple[Fit, float]] = {}
    for part in grouped(problems):
        at, whose = [problems[i] for i in part], [owners[i] for i in part]
        size = max(p.size for p in at)
        evidence = stacked(
            at,
            kept=padded([fit.kept * 1.0 for fit in whose], size),
            y=padded([fit.explanation.y for fit in whose], size),
        )
        m = [len(fit.problem.law.parameters) for fit in whose]
        start = [
            np.insert(fit.x, k, p.location[k : k + 2])
            for fit, p, k in zip(whose, at, m, strict=True)
        ]
        best = maximise(evidence, np.array(start)).x
        logs = laplace(evidence, best, at)
        for row, (i, fit) in enumerate(zip(part, whose, strict=True)):
            x = best[row]
            # What predicts is the noise that was found under Amdahl's law.
            inflation = max(fit.noise_inflation * math.exp(fit.x[-1] - x[-1]), 1.0)
            one = Fit(at[row], x, inflation, fit.explanation)
            found[i] = one, float(logs[row]) + fit.explanation.cost
    return [found[i] for i in range(len(problems))]


def _mixture(
    base: Fit, rivals: Sequence[_Rival], fits: Sequence[tuple[Fit, float]], degrees: Vector
) -> Mixture:
    alone = Mixture.alone(Posterior(base))
    if not rivals:
        return alone
    prior = base.problem.priors.hypotheses
    evidence = stacked([base.problem], kept=base.kept[None] * 1.0, y=base.explanation.y[None])
    log = float(laplace(evidence, base.x[None], [base.problem])[0]) + base.explanation.cost
    found: list[tuple[float, Hypothesis, Fit]] = [(log, alone.hypotheses[0], base)]
    for rival, (fit, evidence_of) in zip(rivals, fits, strict=True):
        log = evidence_of + math.log(rival.odds)
        if rival.name != CLIFF:
            found.append((log, Hypothesis(rival.name), fit))
            continue
        for above, share in _beginnings(degrees, rival, prior.beginnings):
            law = _widest(base.problem.priors, above)
            moved = replace(fit, problem=replace(fit.problem, law=law))
            found.append((log + math.log(share), Hypothesis(CLIFF, above), moved))
    weights = np.exp(np.array([f[0] for f in found]) - max(f[0] for f in found))
    weights /= weights.sum()
    alive = [i for i, w in enumerate(weights) if w >= prior.least]
    kept = weights[alive]
    return Mixture(
        tuple(found[i][1] for i in alive),
        kept / kept.sum(),
        tuple(Posterior(found[i][2]) for i in alive),
    )


def _beginnings(degrees: Vector, rival: _Rival, most: int) -> list[tuple[float, float]]:
    """Where in its gap a cliff may end, and with which probability: uniform in log s.

    The smallest degree that obeys the law is one of the allowed ones in the gap, or its upper end.
    """
    inside = degrees[(degrees > rival.below) & (degrees < rival.above)]
    inside = np.append(inside, rival.above)
    shares = np.diff(np.log(np.insert(inside, 0, rival.below)))
    shares /= shares.sum()
    groups = np.array_split(np.arange(len(inside)), min(most, len(inside)))
    return [(float(inside[g[len(g) // 2]]), float(shares[g].sum())) for g in groups]
