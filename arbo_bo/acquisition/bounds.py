"""Bounds on the score: a degree that could be good is tried, or one that could be bad waits."""

from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.score import BeliefAcquisition, ExploringAcquisition
from arbo_bo.experiment import Objective, Residual, validation
from arbo_bo.numerics import acquisition


@registered
class LowerConfidenceBound(ExploringAcquisition):
    """-(mean - kappa std) of log Score, noise-free: a degree that could be good is tried.

    In log units of the score.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        kappa: 0 or more.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        X_pending: ``n x d``: runs under way; None: there are none.

    Source: Srinivas et al., "Gaussian process optimization in the bandit setting", 2010.

    Example:
        >>> bound = LowerConfidenceBound(model, kappa=2.0, X_pending=choices[3:4])
        >>> values = bound(choices.unsqueeze(-2))
    """

    def __init__(
        self,
        model: Model,
        kappa: float = 1.0,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, objective, residual, X_pending)
        self.kappa = validation.non_negative("kappa", kappa)

    def _worth(self, X: Tensor) -> Tensor:
        return acquisition.confidence_bound(self._told(X), self.kappa, self.objective)


@registered
class RiskAverseScore(BeliefAcquisition):
    """-(mean + kappa std) of the next run's log Score, its noise included: what could be bad waits.

    In log units of the score.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        kappa: 0 or more.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
    """

    def __init__(
        self,
        model: Model,
        kappa: float = 1.0,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
    ) -> None:
        super().__init__(model, objective, residual)
        self.kappa = validation.non_negative("kappa", kappa)

    def _worth(self, X: Tensor) -> Tensor:
        belief = self._next_run(X)
        return acquisition.confidence_bound(belief, -self.kappa, self.objective, run=True)
