"""Several windows as one batch: what is shorter is padded with observations that do not count."""

import math
from collections.abc import Sequence

import numpy as np

from arbo_bo.experiment.prediction import Residual
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.evidence import Evidence
from arbo_bo.numerics.inputs import COLUMNS
from arbo_bo.numerics.problem import FitProblem


def padded(rows: Sequence[Vector], size: int) -> Vector:
    """Rows of several lengths as one array, zeros behind the shorter ones, ``B x size``."""
    result = np.zeros((len(rows), size))
    for i, row in enumerate(rows):
        result[i, : len(row)] = row
    return result


def stacked(
    problems: Sequence[FitProblem],
    *,
    repeat: int = 1,
    diffuse_noise: bool = False,
    kept: Vector | None = None,
    y: Vector | None = None,
    step: Vector | None = None,
) -> Evidence:
    """The evidence of several problems of one law and residual, each `repeat` times.

    Shorter windows are padded with observations that do not count.

    Args:
        problems: B of them.
        repeat: How many members each has, next to each other.
        diffuse_noise: Whether no size of noise surprises the prior.
        kept: 1 for the runs that count, else 0, ``B x n``; None: all do.
        y: Other outcomes, ``B x n``; None: the problems' own.
        step: A further column of the mean, ``B x n``.
    """
    first, n = problems[0], max(p.size for p in problems)
    prior, m, batch = first.priors, len(first.law.parameters), len(problems)
    squared = np.zeros((batch, len(COLUMNS), n, n))
    shape, basis = np.zeros((batch, n, n)), np.ones((batch, n, first.basis.shape[-1]))
    log_gamma, outcome, mask = (np.zeros((batch, n)) for _ in range(3))
    for i, p in enumerate(problems):
        k = p.size
        squared[i, :, :k, :k], shape[i, :k, :k] = p.squared, p.structure
        basis[i, :k], log_gamma[i, :k], outcome[i, :k] = p.basis, p.log_gamma, p.y
        mask[i, :k] = 1.0
    mask = mask if kept is None else mask * kept
    if not mask.all():
        shape *= mask[:, :, None] * mask[:, None, :]
    location, scale, low, high = (
        np.array([getattr(p, name) for p in problems])
        for name in ("location", "scale", "low", "high")
    )
    if diffuse_noise:
        location[:, -1], scale[:, -1] = 2 * math.log(prior.noise.std), prior.noise.scale
    if step is not None:
        limits = ((location, 0.0), (scale, prior.anomalies.spread), (low, -np.inf), (high, np.inf))
        location, scale, low, high = (np.insert(v, m, value, axis=-1) for v, value in limits)

    def again(values: Vector) -> Vector:
        return values if repeat == 1 else np.repeat(values, repeat, axis=0)

    return Evidence(
        law=first.law,
        log_outcome=first.residual is Residual.MULTIPLICATIVE,
        squared=again(squared.reshape(batch, len(COLUMNS), n * n)),
        structure=again(shape),
        basis=again(basis),
        log_gamma=again(log_gamma),
        y=again(outcome if y is None else y),
        location=again(location),
        scale=again(scale),
        low=again(low),
        high=again(high),
        mask=None if mask.all() else again(mask),
        step=None if step is None else again(step),
        fixed=None,
        centre=None,
        active=np.flatnonzero(squared.any(axis=(0, 2, 3))),
    )
