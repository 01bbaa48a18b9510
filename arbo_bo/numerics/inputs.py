"""The inputs of a model: each column of X is declared here, and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arbo_bo.numerics.arrays import namespace

LOAD_HALF = 8.0
"""The cluster load [workers] at which its feature reaches half of its largest value: about the
cores of one machine, so that load counts where it is a fraction of the cluster's size."""


@dataclass(frozen=True)
class Column:
    """One input of a model.

    Attributes:
        name: What it is, with its symbol.
        low: Its least value.
        attained: Whether that value itself is allowed.
        feature: What the kernel measures distances in, free of units.
        fine_lengthscale: Of the residual's fine structure along the feature
            (`arbo_bo.numerics.kernel.structure`).
    """

    name: str
    low: float
    attained: bool
    feature: Callable[[Any], Any]
    fine_lengthscale: float


def _log(values: Any) -> Any:
    return namespace(values).log(values)


def _saturating(load: Any) -> Any:
    return load / (load + LOAD_HALF)


COLUMNS = (
    Column("parallelism s", 1.0, True, _log, 0.05),
    Column("input scaling gamma", 0.0, False, _log, 0.5),
    Column("cluster load L", 0.0, True, _saturating, 0.3),
)
"""Degrees and sizes act by ratios, and load saturates: a cluster far busier than any seen before is
no extrapolation to infinity."""
S, GAMMA, LOAD = 0, 1, 2
"""Where the columns stand that the laws and the rules are about."""


def features(x: Any) -> Any:
    """Maps physical inputs to what the kernel measures distances in.

    log s, log gamma and L / (L + 8).

    Args:
        x: Shape ``... x d`` with the columns of `COLUMNS`, each in its domain.

    Returns:
        An array of the same shape, free of units.
    """
    xp = namespace(x)
    return xp.stack([c.feature(x[..., i]) for i, c in enumerate(COLUMNS)], -1)
