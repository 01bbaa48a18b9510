"""What acquisition functions take of a model: a normal belief about log T, or about T."""

import numpy as np
import torch
from botorch.models.model import Model
from botorch.posteriors import Posterior
from botorch.posteriors.fully_bayesian import GaussianMixturePosterior
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.utils.transforms import is_ensemble
from gpytorch.distributions import MultitaskMultivariateNormal
from torch import Tensor

from arbo_bo.errors import ShapeError, UnsupportedModelError
from arbo_bo.experiment import Residual
from arbo_bo.models.outcome import LognormalPosterior
from arbo_bo.numerics.joint import Joint


def require_single_model(model: Model) -> None:
    """Raises where a model is an ensemble.

    The logarithm of what is expected of a score is not the mean of its logarithms over members.

    Raises:
        UnsupportedModelError: It is one, such as a fully Bayesian model.
    """
    if is_ensemble(model):
        raise UnsupportedModelError(
            f"a score needs one normal belief, got the ensemble {type(model).__name__}; take one "
            "of its members, or fit_amdahl_gp, which integrates the law's parameters out"
        )


def normal_belief(posterior: Posterior, residual: Residual) -> GPyTorchPosterior:
    """The posterior of log T, or of T for an additive residual, if it is a normal one.

    Args:
        posterior: Of a model of one output.
        residual: What the model's outcome is.

    Raises:
        UnsupportedModelError: It is not normal, as with an outcome transform such as BoTorch's Log.
        ShapeError: It is of several outputs.
    """
    if isinstance(posterior, LognormalPosterior) and residual is Residual.MULTIPLICATIVE:
        return posterior.log_time
    mixed = isinstance(posterior, GaussianMixturePosterior)
    if mixed or not isinstance(posterior, GPyTorchPosterior):
        raise UnsupportedModelError(
            f"a score needs a normal posterior of log T or of T, got {type(posterior).__name__}: "
            "train the model on log seconds, without an outcome transform such as Log"
        )
    if isinstance(posterior.distribution, MultitaskMultivariateNormal):
        raise ShapeError("a score belongs to one output; take model.subset_output([i])")
    return posterior


def belief_at(
    model: Model, X: Tensor, residual: Residual, others: Tensor | None = None, noise: bool = True
) -> Joint:
    """The joint belief at points and at others, which are its references.

    Args:
        model: A single-outcome model with a normal posterior.
        X: ``batch_shape x q x d``.
        residual: What the model's outcome is.
        others: ``r x d``; None: there are none.
        noise: Whether a run's noise is asked for, too.

    Returns:
        Over ``batch_shape x (q + r)`` points, in log seconds or seconds.
    """
    q = X.shape[-2]
    points = X if others is None else beside(X, others)
    posterior = normal_belief(model.posterior(points), residual)
    mean, variance = posterior.mean.squeeze(-1), posterior.variance.squeeze(-1)
    if others is None:
        covariance = variance.unsqueeze(-1)[..., :0]
    else:
        covariance = posterior.distribution.covariance_matrix[..., q:]
    added: Tensor | float = 0.0
    if noise:
        added = (next_run(model, points, residual).variance - variance).clamp_min(0)
    references = np.arange(q, points.shape[-2])
    return Joint(points, mean, variance, covariance, references, added, residual)


def next_run(model: Model, X: Tensor, residual: Residual) -> Joint:
    """The belief about the next run at ``batch_shape x q x d``, its noise part of the variance."""
    posterior = normal_belief(model.posterior(X, observation_noise=True), residual)
    variance = posterior.variance.squeeze(-1)
    none = np.arange(0)
    mean = posterior.mean.squeeze(-1)
    return Joint(X, mean, variance, variance.unsqueeze(-1)[..., :0], none, 0.0, residual)


def beside(X: Tensor, others: Tensor) -> Tensor:
    """``batch_shape x q x d`` with the same further points in every batch."""
    return torch.cat([X, others.to(X).expand(*X.shape[:-2], *others.shape[-2:])], dim=-2)
