"""The exact search: the allowed degrees are few, so each is evaluated."""

from collections.abc import Callable, Sequence

import torch
from botorch.acquisition import AcquisitionFunction
from torch import Tensor

BATCH = 512
"""Points that are evaluated at once."""


def degree_inputs(degrees: Sequence[int], gamma: float, cluster_load: float) -> Tensor:
    """The model's inputs for every degree at one context, ``len(degrees) x 3`` in float64."""
    rows = [(float(s), gamma, cluster_load) for s in degrees]
    return torch.tensor(rows, dtype=torch.float64)


def in_parts(function: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
    """A function of many inputs, some at a time, without gradient."""
    with torch.no_grad():
        return torch.cat([function(part) for part in X.split(BATCH)])


def at_choices(
    function: Callable[[Tensor], Tensor], choices: Tensor, batch_shape: torch.Size
) -> Tensor:
    """Evaluates a function of single points at each of some choices, without gradient.

    Args:
        function: From ``... x 1 x d`` to ``...``, such as an acquisition function with q = 1.
        choices: ``n x d``.
        batch_shape: Of the model that the function is on.

    Returns:
        ``n x batch_shape``.
    """
    ones = (1 for _ in batch_shape)
    return in_parts(function, choices.reshape(len(choices), *ones, 1, choices.shape[-1]))


def evaluate_degrees(
    acquisition: AcquisitionFunction, degrees: Sequence[int], gamma: float, cluster_load: float
) -> Tensor:
    """Evaluates an acquisition function at every degree, the context being fixed.

    The argmax of the result is what `optimize_acqf_discrete` finds over the same choices; ties go
    to the smaller degree there as here.

    Args:
        acquisition: A BoTorch acquisition function with q = 1.
        degrees: Allowed degrees, at least 1 each, ascending.
        gamma: Input scaling, above 0.
        cluster_load: L [workers], 0 or more.

    Returns:
        Values of shape ``len(degrees)``, without gradient.
    """
    return evaluate_choices(acquisition, degree_inputs(degrees, gamma, cluster_load))


def evaluate_choices(acquisition: AcquisitionFunction, choices: Tensor) -> Tensor:
    """Evaluates an acquisition function with q = 1 at each of ``n x d`` choices, ``n``."""
    return in_parts(acquisition, choices.unsqueeze(-2))
