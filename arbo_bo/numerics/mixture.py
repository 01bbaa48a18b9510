"""Acquisition values and moments under several hypotheses, from those under each (numpy).

A value that is an expectation, or its logarithm, is the weighted mean of what it is under each.
"""

from collections.abc import Sequence

import numpy as np

from arbo_bo.numerics import acquisition
from arbo_bo.numerics.acquisition import LARGEST_LOG_RATIO, ScoreBelief
from arbo_bo.numerics.arrays import TINY, Vector

NODES = 21
"""Of the rule over the outcome of the next run under each hypothesis."""
MOST_CHOICES = 32
"""Choices that a mixture's knowledge gradient is about at most."""
_AT_ONCE = 200_000
"""Numbers in one piece of the quadrature."""


def log_mean(logs: Sequence[Vector], weights: Vector) -> Vector:
    """Log of the weighted mean of exponentials, elementwise."""
    if len(logs) == 1:
        return np.asarray(logs[0])
    values = np.stack(logs)
    shape = (-1, *[1] * (values.ndim - 1))
    return np.asarray(np.logaddexp.reduce(values + np.log(weights).reshape(shape), axis=0))


def moments(
    means: Sequence[Vector], stds: Sequence[Vector], weights: Vector
) -> tuple[Vector, Vector]:
    """Mean and standard deviation of a mixture of normals, elementwise."""
    if len(means) == 1:
        return np.asarray(means[0]), np.asarray(stds[0])
    mean, std = np.stack(means), np.stack(stds)
    centre = weights @ mean
    return centre, np.sqrt(weights @ (std**2 + (mean - centre) ** 2))


def knowledge_gradient(beliefs: Sequence[ScoreBelief], weights: Vector, horizon: float) -> Vector:
    """`acquisition.knowledge_gradient` where a run also tells which hypothesis holds, shape (q,).

    Under hypothesis h the outcome y of a run at x is N(m_h, v_h), and the score that is expected of
    choice c once y is seen is exp(-U'_h(c; y)). The weights become w_h N(y; m_h, v_h) / p(y), so
    that the score of c is then S(c; y) = sum_h w_h(y) exp(-U'_h(c; y)), and a later run saves
    E[S(c*; y) - min_c S(c; y)] / S(c*), c* being the best choice now. The expectation is a
    Gauss-Hermite rule under each hypothesis.

    Args:
        beliefs: One a hypothesis, at the same q points and n choices.
        weights: Of sum 1.
        horizon: How many later runs a run's knowledge is for.
    """
    if len(beliefs) == 1:
        return np.asarray(acquisition.knowledge_gradient(beliefs[0], horizon))
    cost = log_mean([b.cost for b in beliefs], weights)
    cheapest = log_mean([b.costs for b in beliefs], weights).min()
    regret = np.expm1(np.clip(cost - cheapest, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO))
    q, n = beliefs[0].covariance.shape
    rows = max(1, _AT_ONCE // (n * NODES))
    saved = [_saved(beliefs, weights, slice(i, i + rows)) for i in range(0, q, rows)]
    return np.asarray(horizon * beliefs[0].success * np.concatenate(saved) - regret)


def _saved(beliefs: Sequence[ScoreBelief], weights: Vector, at: slice) -> Vector:
    """What one of the later runs saves, of some of the points."""
    now = log_mean([-b.means for b in beliefs], weights)
    best = int(now.argmin())
    nodes, node_weights = _rule()
    std = np.stack([np.sqrt(np.clip(b.variance + b.noise, TINY, None))[at] for b in beliefs])
    mean = np.stack([b.at_points[at] for b in beliefs])
    log_scale = np.log(weights)[:, None, None] - np.log(std)[..., None]
    moved = [b.covariance[at] / s[:, None] for b, s in zip(beliefs, std, strict=True)]
    total = np.zeros(std.shape[1])
    for h, weight in enumerate(weights):
        y = mean[h][:, None] + std[h][:, None] * nodes
        z = (y - mean[..., None]) / std[..., None]  # h x q x z
        odds = log_scale - 0.5 * z**2
        odds = np.exp(odds - odds.max(0))
        odds /= odds.sum(0)
        then: Vector = np.zeros(())
        for k, b in enumerate(beliefs):
            log_ratio = -(b.means + now[best])[:, None] - moved[k][..., None] * z[k][:, None]
            np.clip(log_ratio, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO, out=log_ratio)
            then = then + odds[k][:, None] * np.exp(log_ratio, out=log_ratio)
        total += weight * ((then[:, best] - then.min(1)) @ node_weights)
    return total


def _rule() -> tuple[Vector, Vector]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()
