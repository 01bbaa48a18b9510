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
SHARED = len(COLUMNS)
"""How many columns every task has."""
CPUS, MEMORY, RATE, TYPE = range(SHARED, SHARED + 4)
"""Further columns of a task with worker types: CPUs and memory [GB] of a worker, what it costs (its
price an hour; without prices its CPUs), and its number among the task's types. X has all of them or
none, and a task without types computes with the shared columns alone."""


def is_typed(x: Any) -> bool:
    """Whether rows of X, or of its features, say the worker type."""
    return bool(x.shape[-1] > SHARED)


def capacity(x: Any) -> Any:
    """What a law divides its work by: the CPUs of all workers; s where there are no types.

    Args:
        x: Shape ``... x d`` in physical units.

    Returns:
        Shape ``...``.
    """
    return x[..., S] * x[..., CPUS] if is_typed(x) else x[..., S]


def paid(x: Any) -> Any:
    """What a cost is a power of: s times the rate of a worker; s where there are no types.

    Args:
        x: Shape ``... x d`` in physical units.

    Returns:
        Shape ``...``.
    """
    return x[..., S] * x[..., RATE] if is_typed(x) else x[..., S]


def features(x: Any) -> Any:
    """Maps physical inputs to what the kernel measures distances in.

    log s, log gamma and L / (L + 8); with worker types log CPUs, log of the memory [GB] of a CPU,
    and the type's number.

    Args:
        x: Shape ``... x d`` with the columns of `COLUMNS`, each in its domain, and perhaps those of
            a worker type.

    Returns:
        Shape ``... x 3``, or ``... x 6`` with worker types; free of units.
    """
    xp = namespace(x)
    found = [c.feature(x[..., i]) for i, c in enumerate(COLUMNS)]
    if is_typed(x):
        cpus, memory = x[..., CPUS], x[..., MEMORY]
        found += [xp.log(cpus), xp.log(memory / cpus), x[..., TYPE]]
    return xp.stack(found, -1)
