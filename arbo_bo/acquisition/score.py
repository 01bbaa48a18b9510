"""What every acquisition function on the score shares: moments, a run's noise, pending trials."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from botorch.acquisition.analytic import AnalyticAcquisitionFunction
from botorch.models.model import Model
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.utils.transforms import t_batch_mode_transform
from torch import Tensor
from torch.linalg import solve_triangular

from arbo_bo.acquisition.belief import normal_belief, require_single_model
from arbo_bo.acquisition.positive_normal import log_time_moments
from arbo_bo.acquisition.transform import NegativeLogScore
from arbo_bo.experiment import Objective, Residual

SMALLEST_VARIANCE = 1e-12
"""Relative to the time squared; below, a degree's time is known for certain."""
JITTERS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
TINY = 1e-200
TOGETHER = 512
"""Points whose joint posterior is taken at once."""


class ScoreAcquisition(AnalyticAcquisitionFunction):
    """An acquisition function on the score of one degree at one context.

    It takes pending runs, as BoTorch's optimizers for q > 1 do, but makes nothing of them: what
    does not explore has no reason to avoid a degree that is being run.

    Args:
        model: A single-outcome model with a normal posterior of log T, or of T, over (s, gamma, L);
            `AmdahlGP`, or any other whose first input column is s.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what the model itself says, or multiplicative.

    Raises:
        UnsupportedModelError: The model is an ensemble or, when it is asked, its posterior is not
            normal.
    """

    X_pending: Tensor | None

    def __init__(
        self,
        model: Model,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
    ) -> None:
        require_single_model(model)
        super().__init__(model=model)
        self.X_pending = None
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

    def set_X_pending(self, X_pending: Tensor | None = None) -> None:  # noqa: N802  BoTorch
        """Says which runs are under way.

        Args:
            X_pending: ``n x d``; None or n = 0: none.
        """
        if X_pending is not None:
            X_pending = X_pending.detach().clone() if X_pending.numel() else None
        self.X_pending = X_pending

    def _posterior(self, X: Tensor, observation_noise: bool = False) -> GPyTorchPosterior:
        """The model's normal posterior of its outcome at ``batch_shape x q x d``."""
        posterior = self.model.posterior(X, observation_noise=observation_noise)
        return normal_belief(posterior, self.residual)

    def _at_each(self, values: Callable[[Tensor], tuple[Tensor, ...]], X: Tensor) -> list[Tensor]:
        """Several values at each point of ``batch_shape x 1 x d``, each ``batch_shape``.

        One joint posterior of many points is far cheaper than one for each, which repeats the
        training data every time.

        Args:
            values: From ``... x q x d`` to ``... x q`` each.
            X: The points.
        """
        if self.model.batch_shape:
            return [value.squeeze(-1) for value in values(X)]
        parts = [values(part) for part in X.reshape(-1, X.shape[-1]).split(TOGETHER)]
        return [torch.cat(value).reshape(X.shape[:-2]) for value in zip(*parts, strict=True)]

    def _next_run(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the model's outcome for the next run, noise included."""

        def moments(part: Tensor) -> tuple[Tensor, Tensor]:
            posterior = self._posterior(part, observation_noise=True)
            return posterior.mean.squeeze(-1), posterior.variance.squeeze(-1).clamp_min(0).sqrt()

        mean, std = self._at_each(moments, X)
        return mean, std

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

    def _outcome(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Noise-free mean and standard deviation of the model's outcome, given pending runs."""

        def moments(part: Tensor) -> tuple[Tensor, Tensor]:
            posterior = self._posterior(beside(part, self.X_pending))
            mean, variance = given_pending(posterior, part.shape[-2])
            unit = mean**2 if self.residual is Residual.ADDITIVE else torch.ones_like(mean)
            return mean, torch.maximum(variance, SMALLEST_VARIANCE * unit).sqrt()

        mean, std = self._at_each(moments, X)
        return mean, std

    def _utility(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Noise-free mean and standard deviation of -log Score, given pending runs."""
        return self._utility_of(X, *self._outcome(X))


def beside(X: Tensor, others: Tensor | None) -> Tensor:
    """``batch_shape x 1 x d`` with the same further points in every batch."""
    if others is None:
        return X
    return torch.cat([X, others.to(X).expand(*X.shape[:-2], *others.shape[-2:])], dim=-2)


def given_pending(posterior: GPyTorchPosterior, q: int) -> tuple[Tensor, Tensor]:
    """Mean and variance at the first q points, once the others are what is expected.

    With the joint covariance [[v, c'], [c, P]] of a point and the others the variance falls to
    v - c' P^-1 c, and the mean stays.

    Args:
        posterior: Over ``batch_shape x (q + others) x 1``.
        q: How many points.

    Returns:
        Two tensors of ``batch_shape x q``.
    """
    mean, variance = posterior.mean[..., :q, 0], posterior.variance[..., :q, 0]
    if posterior.mean.shape[-2] > q:
        joint = posterior.distribution.covariance_matrix
        root = safe_root(joint[..., q:, q:])
        told = solve_triangular(root, joint[..., q:, :q], upper=False)
        variance = variance - told.square().sum(-2)
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
