"""The search for the best hyperparameters: a trust-region Newton method, in batches (numpy).

The exact Hessian with the absolute values of its eigenvalues, inside bounds by holding what presses
against them. It takes 5 to 15 evaluations where a quasi-Newton method takes 30 to 80.

Source: Y. Dauphin et al., "Identifying and attacking the saddle point problem in high-dimensional
non-convex optimization", 2014.
"""

from typing import NamedTuple

import numpy as np

from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.evidence import Evidence

TOLERANCE = 1e-6
"""Nats that the last step may still promise; it is taken, and with quadratic convergence leaves a
hundred-millionth of them or less."""
MOST_STEPS = 60
"""Windows of 2 to 500 runs take 20 steps at most; the rest is for what nobody has seen."""
FIRST_RADIUS = 1.0
"""Of the trust region, in the largest coordinate: a factor e in a hyperparameter."""
SMALLEST_RADIUS = 1e-9
LEAST_CURVATURE = 1e-3
"""Below it a direction is flat: the prior alone has a curvature of 0.1 and more."""
GIVE_UP = 6.0
"""A member is given up where this many times what a step promises does not reach its target. In
1,000 random windows none that was given up would have."""


class Maximum(NamedTuple):
    """Where the search of each member ended.

    Attributes:
        value: Log density, shape (B,).
        x: ``B x P``.
        curvature: The negative Hessian where it was last evaluated, ``B x P x P``.
    """

    value: Vector
    x: Vector
    curvature: Vector


def maximise(
    evidence: Evidence, start: Vector, target: Vector | None = None, rivals: int = 1
) -> Maximum:
    """Maximises the log density of each member of a batch from its start, inside its bounds.

    Args:
        evidence: The densities.
        start: ``B x P``; moved inside the bounds.
        target: A member that cannot reach its value any more is given up, shape (B,); None: none.
        rivals: So many members next to each other are starts of one search: one that cannot reach
            the best of them any more is given up.
    """
    size, count = start.shape
    x = np.clip(start, evidence.low, evidence.high)
    best = Maximum(np.full(size, -np.inf), x.copy(), np.zeros((size, count, count)))
    members, current = np.arange(size), evidence
    value, gradient, hessian = evidence.evaluate(x)
    radius, reached = np.full(size, FIRST_RADIUS), value.copy()
    for _ in range(MOST_STEPS):
        slope, curvature = _inside(current, x, gradient, hessian)
        step, gain = _newton_step(slope, curvature)
        stop = (gain < TOLERANCE) | (radius < SMALLEST_RADIUS)
        if target is not None:
            stop |= value + GIVE_UP * gain < target[members]
        if rivals > 1:
            reached[members] = value
            best_rival = np.repeat(reached.reshape(-1, rivals).max(1), rivals)
            stop |= value + GIVE_UP * gain < best_rival[members]
        if stop.any():
            done = members[stop]
            small = (gain[stop] < TOLERANCE)[:, None]
            last = np.clip(x[stop] + small * step[stop], current.low[stop], current.high[stop])
            best.value[done] = value[stop] + small[:, 0] * gain[stop]
            best.x[done], best.curvature[done] = last, hessian[stop]
            keep = ~stop
            if not keep.any():
                return best
            members, x, value, radius = members[keep], x[keep], value[keep], radius[keep]
            gradient, hessian, step = gradient[keep], hessian[keep], step[keep]
            slope, curvature, current = slope[keep], curvature[keep], current.take(keep)
        largest = np.abs(step).max(-1)
        step = step * np.minimum(1.0, radius / np.maximum(largest, SMALLEST_RADIUS))[:, None]
        trial = np.clip(x + step, current.low, current.high)
        new_value, new_gradient, new_hessian = current.evaluate(trial)
        taken = trial - x
        promised = (slope * taken).sum(-1)
        promised -= 0.5 * (taken * np.matmul(curvature, taken[..., None])[..., 0]).sum(-1)
        gained = new_value - value
        ratio = gained / np.maximum(np.abs(promised), 1e-14)
        rounding = np.abs(gained) <= 1e-11 * (1 + np.abs(value))
        better = (gained > 0) | rounding
        grown = np.where(largest >= radius, 2 * radius, radius)
        shrunk = 0.25 * np.minimum(radius, largest)
        kept = np.where(better & (ratio > 0.1), radius, shrunk)
        radius = np.where(better & ((ratio > 0.5) | rounding), grown, kept)
        x = np.where(better[:, None], trial, x)
        value = np.where(better, new_value, value)
        gradient = np.where(better[:, None], new_gradient, gradient)
        hessian = np.where(better[:, None, None], new_hessian, hessian)
    best.value[members], best.x[members], best.curvature[members] = value, x, hessian
    return best


def _inside(
    evidence: Evidence, x: Vector, gradient: Vector, hessian: Vector
) -> tuple[Vector, Vector]:
    """Gradient and Hessian with what presses against a bound held."""
    held = (x <= evidence.low) & (gradient < 0)
    held |= (x >= evidence.high) & (gradient > 0)
    if not held.any():
        return gradient, hessian
    either = held[:, :, None] | held[:, None, :]
    return np.where(held, 0.0, gradient), np.where(either, np.eye(x.shape[1]), hessian)


def _newton_step(gradient: Vector, hessian: Vector) -> tuple[Vector, Vector]:
    """The step by |eigenvalues|, and what it promises to gain."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    eigenvalues = np.maximum(np.abs(eigenvalues), LEAST_CURVATURE)
    along = np.matmul(gradient[:, None, :], vectors)[:, 0]
    step = along / eigenvalues
    gain = 0.5 * (along * step).sum(-1)
    return np.matmul(vectors, step[..., None])[..., 0], gain
