"""Which points keep a deadline or a budget, by a belief."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from arbo_bo.experiment import SLO, Residual
from arbo_bo.numerics.arrays import TINY, like, log_ndtr, namespace
from arbo_bo.numerics.inputs import paid
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.moments import log_probability_within

WORST = -1e5
"""Below every value of a feasible degree: such a logarithm no score reaches."""


def log_probability(belief: Joint, slo: Sequence[SLO]) -> Any:
    """Log probability that the next run keeps each service level, ``... x m x len(slo)``."""
    xp, s = namespace(belief.mean), paid(belief.X)
    found = [
        log_probability_within(
            belief.mean,
            belief.run_std,
            xp.log(level.limit_s(s)) - belief.log_scale,
            belief.residual,
        )
        for level in slo
    ]
    return xp.stack(found, -1)


def log_feasibility(belief: Joint, slo: Sequence[SLO]) -> Any:
    """Log probability, by the noise-free belief, that each point is feasible, ``... x m``.

    With the noise sigma_r of a run the quantile of the outcome at confidence q is f + z_q sigma_r,
    and is within the limit where f is small enough; that T > 0 is neglected.
    """
    xp, s = namespace(belief.mean), paid(belief.X)
    noise = xp.sqrt(xp.clip(belief.noise + 0 * belief.mean, TINY, None))
    room = []
    for level in slo:
        limit = xp.log(level.limit_s(s)) - belief.log_scale
        if belief.residual is Residual.ADDITIVE:
            limit = xp.exp(limit)
        quantile = NormalDist().inv_cdf(level.confidence)
        room.append(limit - quantile * noise - belief.mean)
    least = xp.amin(xp.stack(room, -1), -1)
    return log_ndtr(least / xp.sqrt(xp.clip(belief.variance, TINY, None)))


def reaches(log_probabilities: Any, slo: Sequence[SLO], risk: float) -> Any:
    """Whether each level is broken with `risk` times the allowed probability at most, ``... x m``.

    Args:
        log_probabilities: As `log_probability` gives them.
        slo: The service levels.
        risk: 1 is what they allow.
    """
    least = [math.log(max(1 - risk * (1 - level.confidence), TINY)) for level in slo]
    return (log_probabilities >= like(np.array(least), log_probabilities)).all(-1)


def feasible(belief: Joint, slo: Sequence[SLO], trial_risk: float = 1.0) -> Any:
    """Whether each point keeps every service level, or may be tried, ``... x m``.

    Args:
        belief: What is believed.
        slo: The service levels.
        trial_risk: Above 1, a point may also be tried that is more likely than not to be feasible
            once it is known, if its next run breaks each level with at most this many times the
            probability that the level allows.
    """
    found = log_probability(belief, slo)
    kept = reaches(found, slo, 1.0)
    if trial_risk <= 1:
        return kept
    likely = is_likely(log_feasibility(belief, slo))
    return kept | (likely & reaches(found, slo, trial_risk))


def is_likely(log_feasibility: Any) -> Any:
    """Whether each point is more likely than not to be feasible once it is known, ``... x m``."""
    return log_feasibility >= math.log(0.5)


def constrained(value: Any, is_feasible: Any, log_probabilities: Any) -> Any:
    """A value where feasible; elsewhere below all of them, by the least of the probabilities.

    The levels are bounds on the same T, so the least is the probability that all are kept.
    """
    xp = namespace(value)
    floor = WORST + xp.amin(log_probabilities, -1)
    return xp.where(is_feasible, xp.clip(value, WORST, None), floor)
