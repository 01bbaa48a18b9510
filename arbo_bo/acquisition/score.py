"""What every acquisition function on the score shares: moments, a run's noise, pending trials."""

from abc import abstractmethod

import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.analytic import AnalyticAcquisitionFunction
from botorch.models.model import Model
from botorch.posteriors import Posterior
from botorch.utils.transforms import t_batch_mode_transform
from torch import Tensor
from torch.linalg import solve_triangular

from arbo_bo.acquisition.positive_normal import log_time_moments
from arbo_bo.acquisition.transform import NegativeLogScore
from arbo_bo.experiment import Objective, Residual

SMALLEST_VARIANCE = 1e-12
"""Relative to the time squared; below, a degree's time is known for certain."""
JITTERS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
TINY = 1e-200


class ScoreAcquisition(AnalyticAcquisitionFunction):
    """An acquisition function on the score of one degree at one context.

    Args:
        model: A single-outcome model of log T, or of T, over (s, gamma, L); `AmdahlGP`, or any
            other whose first input column is s.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what the model itself says, or multiplicative.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
    ) -> None:
        super().__init__(model=model)
        self.objective = objective or Objective()
        self.residual = Residual(
            residual or getattr(model, "residual", None) or Residual.MULTIPLICATIVE
        )
        self.utility = NegativeLogScore(self.objective)

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates the acquisition function.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better, in the unit that the class names.
        """
        return self._value(X)

    @abstractmethod
    def _value(self, X: Tensor) -> Tensor:
        """The value at ``batch_shape x 1 x d``, ``batch_shape``."""

    def _next_run(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the model's outcome for the next run, noise included."""
        posterior = self.model.posterior(X, observation_noise=True)
        return _first(posterior.mean), _first(posterior.variance).clamp_min(0).sqrt()

    def _utility_of(self, X: Tensor, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
        """Moments of -log Score from those of the outcome; for T > 0 by quadrature."""
        if self.residual is Residual.ADDITIVE:
            mean, std = log_time_moments(mean, std)
        a = self.objective.urgency
        return -(a * mean + self.utility.offset(X).squeeze(-1)), a * std


class ExploringAcquisition(ScoreAcquisition):
    """An acquisition function that seeks knowledge, so that runs under way count.

    A pending run is taken to tell its degree's noise-free time, which is what is expected of it:
    the posterior mean stays and the uncertainty goes, at that degree and, less so, around it.

    Args:
        model: As in `ScoreAcquisition`; its posterior must be normal where runs are pending.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
        X_pending: ``n x d``: s, gamma and L of the runs under way; None: there are none.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, objective, residual)
        self.set_X_pending(X_pending)

    def set_X_pending(self, X_pending: Tensor | None = None) -> None:  # noqa: N802  BoTorch
        """Says which runs are under way.

        Args:
            X_pending: ``n x d``; None or n = 0: none.
        """
        none = X_pending is None or not X_pending.numel()
        AcquisitionFunction.set_X_pending(self, None if none else X_pending)

    def _outcome(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Noise-free mean and standard deviation of the model's outcome, given pending runs."""
        mean, variance = given_pending(self.model.posterior(beside(X, self.X_pending)))
        unit = mean**2 if self.residual is Residual.ADDITIVE else torch.ones_like(mean)
        return mean, torch.maximum(variance, SMALLEST_VARIANCE * unit).sqrt()

    def _utility(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Noise-free mean and standard deviation of -log Score, given pending runs."""
        if self.residual is Residual.ADDITIVE:
            return self._utility_of(X, *self._outcome(X))
        both = beside(X, self.X_pending)
        posterior = self.model.posterior(both, posterior_transform=self.utility)
        mean, variance = given_pending(posterior)
        smallest = SMALLEST_VARIANCE * self.objective.urgency**2
        return mean, variance.clamp_min(smallest).sqrt()


def beside(X: Tensor, others: Tensor | None) -> Tensor:
    """``batch_shape x 1 x d`` with the same further points in every batch."""
    if others is None:
        return X
    return torch.cat([X, others.to(X).expand(*X.shape[:-2], *others.shape[-2:])], dim=-2)


def given_pending(posterior: Posterior) -> tuple[Tensor, Tensor]:
    """Mean and variance at the first point, once the others are what is expected.

    With the joint covariance [[v, c'], [c, P]] of the point and the others the variance falls to
    v - c' P^-1 c, and the mean stays.

    Args:
        posterior: Over ``batch_shape x q x 1``.

    Returns:
        Two tensors of ``batch_shape``.
    """
    mean, variance = _first(posterior.mean), _first(posterior.variance)
    if posterior.mean.shape[-2] > 1:
        joint = posterior.distribution.covariance_matrix
        root = safe_root(joint[..., 1:, 1:])
        told = solve_triangular(root, joint[..., 1:, :1], upper=False)
        variance = variance - told.square().sum((-2, -1))
    return mean, variance.clamp_min(0)


def safe_root(covariance: Tensor) -> Tensor:
    """The lower Cholesky factor, with as much relative jitter as it takes.

    Args:
        covariance: ``batch_shape x n x n``, positive semidefinite to rounding.
    """
    scale = covariance.diagonal(dim1=-2, dim2=-1).amax(-1)[..., None, None].clamp_min(TINY)
    identity = torch.eye(covariance.shape[-1], dtype=covariance.dtype, device=covariance.device)
    for jitter in JITTERS:
        root, failed = torch.linalg.cholesky_ex(covariance / scale + jitter * identity)
        if not failed.any():
            break
    return root * scale.sqrt()


def _first(values: Tensor) -> Tensor:
    """``batch_shape x q x 1`` at the first point, ``batch_shape``."""
    return values[..., 0, 0]
