"""What the stages of one workflow run share: a day that is slow for all of them."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from arbo_bo.planning.stage_model import Asked, TaskModel

USUAL_SHARE, PAIRS = 0.1, 10.0
"""The share of the noise's variance that stages of a run have in common before any run was seen,
and how many pairs of stages weigh as much: a run of five stages."""
LARGEST_SHARE = 0.9


def shared_variance(models: Sequence[TaskModel], asked: Sequence[Asked]) -> float:
    """The share of the run noise's variance that all stages of one run have in common.

    The mean product of two stages' residuals in one run, in units of each task's own spread, with
    `PAIRS` pairs of the usual share added.

    Args:
        models: A task's each.
        asked: The runs that each was learned from.
    """
    by_run: dict[str, list[float]] = {}
    for model, own in zip(models, asked, strict=True):
        if not any(t.run_key for t in own.history.trained):
            continue
        residuals = model.residuals(own)
        spread = float(np.sqrt(np.mean(residuals**2)))
        if spread == 0:
            continue
        for trial, residual in zip(own.history.trained, residuals / spread, strict=True):
            if trial.run_key is not None:
                by_run.setdefault(trial.run_key, []).append(float(residual))
    products = [a * b for of_run in by_run.values() for a, b in combinations(of_run, 2)]
    share = (sum(products) + PAIRS * USUAL_SHARE) / (len(products) + PAIRS)
    return min(max(share, 0.0), LARGEST_SHARE)
