"""The exact search: the allowed degrees are few, so each is evaluated."""

from collections.abc import Sequence

import torch
from botorch.acquisition import AcquisitionFunction
from botorch.models.model import Model
from torch import Tensor

BATCH = 1024


def degree_inputs(degrees: Sequence[int], gamma: float, cluster_load: float) -> Tensor:
    """The model's inputs for every degree at one context, ``len(degrees) x 3`` in float64."""
    rows = [(float(s), gamma, cluster_load) for s in degrees]
    return torch.tensor(rows, dtype=torch.float64)


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
    X = degree_inputs(degrees, gamma, cluster_load).unsqueeze(-2)
    with torch.no_grad():
        return torch.cat([acquisition(part) for part in X.split(BATCH)])


def predict_degrees(
    model: Model, degrees: Sequence[int], gamma: float, cluster_load: float
) -> list[tuple[float, float]]:
    """Mean and standard deviation of the model's outcome at every degree, a run's noise included.

    Args:
        model: A model over (s, gamma, L).
        degrees: As in `evaluate_degrees`.
        gamma: As in `evaluate_degrees`.
        cluster_load: As in `evaluate_degrees`.
    """
    X = degree_inputs(degrees, gamma, cluster_load).unsqueeze(-2)
    moments = []
    with torch.no_grad():
        for part in X.split(BATCH):
            posterior = model.posterior(part, observation_noise=True)
            mean, std = posterior.mean.flatten(), posterior.variance.sqrt().flatten()
            moments += list(zip(mean.tolist(), std.tolist(), strict=True))
    return moments
