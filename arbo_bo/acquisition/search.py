"""The exact search: the allowed degrees are few, so each is evaluated."""

from collections.abc import Callable, Sequence

import torch
from botorch.acquisition import AcquisitionFunction
from botorch.models.model import Model
from torch import Tensor
from torch.special import ndtr

from arbo_bo.experiment import Objective, Residual

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

    def moments(X: Tensor) -> Tensor:
        posterior = model.posterior(X, observation_noise=True)
        return torch.cat([posterior.mean, posterior.variance.sqrt()], dim=-1)

    X = degree_inputs(degrees, gamma, cluster_load)
    return [(mean, std) for mean, std in in_parts(moments, X).tolist()]


def probability_not_worse(
    model: Model,
    degrees: Sequence[int],
    reference: int,
    gamma: float,
    cluster_load: float,
    objective: Objective,
    residual: Residual,
) -> list[float]:
    """P(score(s) <= score(reference)) for every degree s, by the joint noise-free posterior.

    For a multiplicative residual log score(s) - log score(reference) is normal. For an additive
    one score(s) <= score(reference) where T(s) - r T(reference) <= 0, r = (Cost(reference) /
    Cost(s))^(1/a), which is normal too; that times are above zero is neglected there.

    Args:
        model: A model over (s, gamma, L).
        degrees: As in `evaluate_degrees`.
        reference: The degree to compare with.
        gamma: As in `evaluate_degrees`.
        cluster_load: As in `evaluate_degrees`.
        objective: Urgency a and cost.
        residual: What the model's outcome is.
    """
    a, c = objective.urgency, objective.exponent
    other = degree_inputs([reference], gamma, cluster_load)

    def probability(choices: Tensor) -> Tensor:
        log_r = c / a * (other[0, 0] / choices[:, 0]).log()
        posterior = model.posterior(torch.cat([choices, other]))
        mean, joint = posterior.mean.squeeze(-1), posterior.distribution.covariance_matrix
        r, shift = torch.ones_like(log_r), log_r
        if residual is Residual.ADDITIVE:
            r, shift = log_r.exp(), torch.zeros_like(log_r)
        difference = mean[:-1] - r * mean[-1] - shift
        variance = joint.diagonal()[:-1] + r**2 * joint[-1, -1] - 2 * r * joint[:-1, -1]
        # The same degree twice differs by nothing, and is never worse than itself.
        same = choices[:, 0] == other[0, 0]
        z = -difference / variance.clamp_min(torch.finfo(mean.dtype).tiny).sqrt()
        return torch.where(same, torch.ones_like(z), ndtr(z))

    return in_parts(probability, degree_inputs(degrees, gamma, cluster_load)).tolist()
