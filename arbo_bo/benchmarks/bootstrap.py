"""Paired bootstrap intervals over tasks x seeds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000
CHUNK = 2_000_000
"""Numbers held at once while resampling."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float


def paired_intervals(
    ours: Matrix, theirs: Matrix, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Interval, Interval]:
    """The difference and the ratio of two policies' means, with percentile intervals.

    Each resample draws as many tasks as there are, with replacement, and for each drawn task as
    many seeds as it has: the seeds of one task are alike, so that more of them must not pass for
    more tasks. Both policies are taken at the same tasks and seeds. B. Efron and R. Tibshirani, "An
    Introduction to the Bootstrap", 1993, section 8.

    Args:
        ours: ``tasks x seeds``; NaN where a task lacks a seed, the same in both.
        theirs: ``tasks x seeds``.
        seed: Of the resampling.
        resamples: How many.

    Returns:
        mean(ours) - mean(theirs), and mean(ours) / mean(theirs) (infinite or NaN where theirs is
        0).
    """
    rng = np.random.default_rng(seed)
    present = np.isfinite(ours) & np.isfinite(theirs)
    tasks = np.flatnonzero(present.any(axis=1))
    # Each task's own values in front: a drawn seed is then a number below its count.
    order = np.argsort(~present[tasks], axis=1, kind="stable")
    a = np.take_along_axis(ours[tasks], order, axis=1)
    b = np.take_along_axis(theirs[tasks], order, axis=1)
    counts = present[tasks].sum(axis=1)
    mean_a, mean_b = _mean(ours[present]), _mean(theirs[present])
    sums = [_resample(a, b, counts, n, rng) for n in _chunks(resamples, a.size)]
    sum_a, sum_b, drawn = (np.concatenate(part) for part in zip(*sums, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.float64(mean_a) / np.float64(mean_b)
        ratios = sum_a / sum_b
    return (
        _interval(mean_a - mean_b, (sum_a - sum_b) / drawn),
        _interval(float(ratio), ratios[np.isfinite(ratios)]),
    )


def _resample(
    a: Matrix, b: Matrix, counts: NDArray[np.int64], resamples: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix, Matrix]:
    """Sums over both policies, and how many values each resample drew."""
    tasks, seeds = a.shape
    drawn = rng.integers(tasks, size=(resamples, tasks, 1))
    position = np.floor(rng.random((resamples, tasks, seeds)) * counts[drawn]).astype(np.int64)
    used = np.arange(seeds) < counts[drawn]
    sum_a = np.where(used, a[drawn, position], 0.0).sum(axis=(1, 2))
    sum_b = np.where(used, b[drawn, position], 0.0).sum(axis=(1, 2))
    return sum_a, sum_b, used.sum(axis=(1, 2)).astype(np.float64)


def _chunks(resamples: int, size: int) -> list[int]:
    step = max(1, CHUNK // max(1, size))
    return [min(step, resamples - start) for start in range(0, resamples, step)]


def _mean(values: Matrix) -> float:
    return float(values.mean()) if values.size else float("nan")


def _interval(estimate: float, values: Matrix) -> Interval:
    if not values.size:
        return Interval(estimate, float("nan"), float("nan"))
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(estimate, float(low), float(high))
