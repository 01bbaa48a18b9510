"""What an `AmdahlGP` may be given: inputs in physical units, and outcomes that are run times."""

import math

import torch
from torch import Tensor

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import Residual
from arbo_bo.models.scalability import LawPrior, ScalabilityMean
from arbo_bo.numerics.inputs import COLUMNS, GAMMA, S

ROUNDING = 1e-6
"""How far outside its domain an input may be by rounding, as after a transform and its inverse."""
LONGEST_S = 100 * 365 * 86400.0
"""No run takes a century: a larger logarithm of seconds is seconds themselves."""


def check_inputs(X: Tensor, name: str) -> None:
    """Raises unless X holds the columns of `COLUMNS`, each in its domain.

    Args:
        X: ``... x d``.
        name: What the caller calls it.

    Raises:
        ShapeError: It has another number of columns.
        InvalidValueError: A value is outside its column's domain, or not finite.
    """
    if X.shape[-1] != len(COLUMNS):
        columns = ", ".join(column.name for column in COLUMNS)
        raise ShapeError(
            f"{name} needs shape (..., n, {len(COLUMNS)}) with columns {columns}, "
            f"got {tuple(X.shape)}"
        )
    values = X.detach()
    valid = values.isfinite()
    for i, column in enumerate(COLUMNS):
        x = values[..., i]
        valid[..., i] &= x >= column.low - ROUNDING if column.attained else x > column.low
    if not bool(valid.all()):
        domain = ", ".join(
            f"{column.name.split()[-1]} {'>=' if column.attained else '>'} {column.low:g}"
            for column in COLUMNS
        )
        least = ", ".join(f"{x.min().item():g}" for x in values.unbind(-1))
        raise InvalidValueError(
            f"{name} needs finite {domain}, in physical units; got minima {least}"
        )


def check_log_seconds(Y: Tensor, name: str) -> None:
    """Raises where what should be log seconds can only be seconds.

    Args:
        Y: Of any shape.
        name: What the caller calls it.

    Raises:
        InvalidValueError: It is the logarithm of more than a century.
    """
    if bool((Y.detach() > math.log(LONGEST_S)).any()):
        raise InvalidValueError(
            f"{name} needs log seconds, got {Y.max().item():g}, the logarithm of more than a "
            "century: give AmdahlGP.outcome_of_time(seconds), or outcome_transform=LogTime()"
        )


def check_time(execution_time_s: Tensor, name: str) -> None:
    """Raises unless every time is above 0 and finite.

    Args:
        execution_time_s: Of any shape [s].
        name: What the caller calls it.

    Raises:
        InvalidValueError: One is not.
    """
    valid = (execution_time_s > 0) & execution_time_s.isfinite()
    if not bool(valid.all()):
        wrong = execution_time_s[~valid][0].item()
        raise InvalidValueError(f"{name} needs finite times above 0 s, got {wrong:g}")


def checked_residual(residual: Residual | str, takes_seconds: bool) -> Residual:
    """The residual, which is additive only where the process is of seconds anyway.

    Raises:
        InvalidValueError: It is unknown, or additive beside an outcome transform.
    """
    residual = Residual(residual)
    if takes_seconds and residual is Residual.ADDITIVE:
        raise InvalidValueError(
            "an additive residual is one of seconds, got outcome_transform=LogTime(); leave it out"
        )
    return residual


def window_scale(
    train_X: Tensor, time_s: Tensor, mean: type[ScalabilityMean], prior: LawPrior | None
) -> Tensor:
    """The window's own time scale, ``aug_batch_shape x 1``."""
    s, gamma = train_X[..., S].unsqueeze(-2), train_X[..., GAMMA].unsqueeze(-2)
    time = time_s.transpose(-1, -2).clamp_min(torch.finfo(torch.float64).tiny)
    return mean.scale_of(s, gamma, time, prior)
