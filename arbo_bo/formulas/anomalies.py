"""Runs that do not fit: stragglers are set aside, lasting changes of speed levelled out (numpy).

Each explanation is weighed as a hypothesis beside "nothing happened", by the log posterior density
of the hyperparameters refitted under it. Setting run i aside replaces its predictive density by
eps q(e_i), e_i being its distance from what the others predict; a change before run t adds delta to
the older runs' outcomes and costs eps' q(delta); q is a broad normal density. So a window of few
runs, where the hyperparameters can stretch to explain anything, sets nothing aside, while a repeat
at the same degree can. Outcomes are log times: a change of speed is a shift.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from arbo_bo.formulas.evidence import LOG_2PI, Evidence, Vector

LOG_ODDS_STRAGGLER = math.log(0.005)
"""How often a run is a straggler, before any is seen."""
LOG_ODDS_CHANGE = math.log(0.005)
"""How often the speed changes for good before a run."""
SPREAD = 1.5
"""Standard deviation of log time over what stragglers and changes do."""
FEWEST_KEPT = 4
"""Fewer runs than this cannot say which of them is the odd one."""
FEWEST_SINCE = 2
"""Runs that must stand on either side of a change; one alone may be a straggler."""
IMPUTATIONS = 2
UNINFORMATIVE = -1.0
"""A run cut off this many standard deviations below its prediction says nothing."""
HOPE = 6.0
"""A hypothesis that loses by less than this before a refit is refitted: odd runs hide behind the
noise that they cause."""
MOST = 8
"""Hypotheses that a window may hold."""

Refit = Callable[[Evidence, Vector], tuple[float, Vector]]
"""Evidence and a start -> the best log density nearby and where it is."""


@dataclass(frozen=True)
class Explanation:
    """What happened in a window, as far as its runs tell.

    Attributes:
        kept: Which runs train, shape (n,), bool.
        y: Outcomes of all runs: at the newest level, and of a censored run its expectation.
        x: Hyperparameters fitted to the kept runs' outcomes.
        log_density: Their log posterior density, and `cost`.
        cost: What the hypotheses add to it.
    """

    kept: NDArray[np.bool_]
    y: Vector
    x: Vector
    log_density: float
    cost: float = 0.0


def explain(
    evidence: Evidence,
    x: Vector,
    refit: Refit,
    censored: NDArray[np.bool_],
    unit: float = 1.0,
) -> Explanation:
    """Sets stragglers aside and levels changes out, greedily, while the evidence rises.

    Args:
        evidence: Of all runs, oldest first; of a censored run, the outcome that it exceeded.
        x: Hyperparameters fitted to them.
        refit: Maximises the evidence from a start.
        censored: Which runs were cut off, shape (n,), bool.
        unit: What a factor of e is in the outcome: 1 in log time, about a time in seconds.
    """
    value, _ = evidence.log_density(x)
    state = Explanation(np.ones(len(evidence.y), dtype=bool), evidence.y, x, value)
    if censored.any():
        state = _imputed(evidence, state, refit, censored)
    for _ in range(MOST):
        _, inverse, alpha = evidence.of(state.kept, state.y).left_out(state.x)
        window = _Window(evidence, state, refit, inverse, alpha, unit)
        found = [h for h in (_without_straggler(window), _before_change(window)) if h is not None]
        best = max(found, key=lambda e: e.log_density, default=state)
        if best.log_density <= state.log_density:
            break
        state = best
    return state


@dataclass(frozen=True)
class _Window:
    """What the hypotheses about a window are made from."""

    evidence: Evidence
    state: Explanation
    refit: Refit
    inverse: Vector
    alpha: Vector
    unit: float

    def log_broad(self, error: Vector) -> Vector:
        spread = SPREAD * self.unit
        return np.asarray(-0.5 * (error / spread) ** 2 - math.log(spread) - 0.5 * LOG_2PI)


def _imputed(
    evidence: Evidence, state: Explanation, refit: Refit, censored: NDArray[np.bool_]
) -> Explanation:
    """Each censored run at E[y | y > limit] under what the others predict of it.

    A limit that lies so far below the prediction that it says nothing leaves its run out.
    """
    limit = evidence.y
    for _ in range(IMPUTATIONS):
        now = evidence.of(state.kept, state.y)
        _, inverse, alpha = now.left_out(state.x)
        std = 1 / np.sqrt(np.diag(inverse))
        predicted, scale = np.full_like(limit, np.nan), np.full_like(limit, np.nan)
        predicted[state.kept] = now.y - alpha * std**2
        scale[state.kept] = std
        z = (limit - predicted) / scale
        kept = state.kept & ~(censored & (z < UNINFORMATIVE))
        hazard = np.exp(-0.5 * z**2 - 0.5 * LOG_2PI - log_ndtr(-z))
        y = np.where(censored & kept, predicted + scale * hazard, limit)
        value, x = refit(evidence.of(kept, y), state.x)
        state = Explanation(kept, y, x, value)
    return state


def _without_straggler(w: _Window) -> Explanation | None:
    """The window without the run that the others predict worst; None where that is hopeless."""
    if len(w.alpha) <= FEWEST_KEPT:
        return None
    precision = np.diag(w.inverse)
    error = w.alpha / precision
    log_predictive = 0.5 * (np.log(precision) - w.alpha * error - LOG_2PI)
    # A degree that was run once may just be a slow one.
    degree = w.evidence.features[w.state.kept, 0]
    repeated = (degree[:, None] == degree).sum(axis=1) > 1
    costs = np.where(repeated, LOG_ODDS_STRAGGLER, -np.inf) + w.log_broad(error)
    worst = int(np.argmax(costs - log_predictive))
    if (costs - log_predictive)[worst] < -HOPE:
        return None
    kept = w.state.kept.copy()
    kept[np.flatnonzero(kept)[worst]] = False
    value, x = w.refit(w.evidence.of(kept, w.state.y), w.state.x)
    cost = w.state.cost + float(costs[worst])
    return Explanation(kept, w.state.y, x, value + cost, cost)


def _before_change(w: _Window) -> Explanation | None:
    """The window with the runs before the likeliest change at the newest level; None as above."""
    n, m = len(w.alpha), len(w.state.x) - w.evidence.features.shape[1] - 2
    if n < FEWEST_KEPT:
        return None
    before = np.arange(FEWEST_SINCE, n - FEWEST_SINCE + 1)
    score = np.cumsum(w.alpha)[before - 1]
    information = np.diag(w.inverse.cumsum(0).cumsum(1))[before - 1]
    delta = score / information
    gains = LOG_ODDS_CHANGE + w.log_broad(delta) + 0.5 * score * delta
    best = int(np.argmax(gains))
    if gains[best] < -HOPE:
        return None
    step = (np.arange(n) < before[best]).astype(float)
    now = w.evidence.of(w.state.kept, w.state.y)
    stepped = now.with_step(step, SPREAD * w.unit)
    value, x = w.refit(stepped, np.insert(w.state.x, m, delta[best]))
    # The likelihood's width in the step's size makes of the largest density the integrated one.
    _, inverse, _ = stepped.left_out(x)
    cost = LOG_ODDS_CHANGE + 0.5 * (LOG_2PI - math.log(step @ inverse @ step))
    cost += w.state.cost + float(w.log_broad(x[m]))
    older = np.arange(len(w.state.y)) < np.flatnonzero(w.state.kept)[before[best]]
    total = value - float(w.log_broad(x[m])) + cost
    return Explanation(w.state.kept, w.state.y - x[m] * older, np.delete(x, m), total, cost)
