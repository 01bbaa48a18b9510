"""Expected improvement of the score over the best degree at one context."""

import torch
from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.bounds import LowerConfidenceBound
from arbo_bo.acquisition.construction import register
from arbo_bo.acquisition.score import ExploringAcquisition
from arbo_bo.acquisition.search import at_choices
from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics import acquisition


class LogScoreExpectedImprovement(ExploringAcquisition):
    """Logarithm of the expected improvement of -log Score over an incumbent, noise-free.

    log E[max(U(x) - best_f, 0)] with U = -log Score = -(a log T + log Cost(s)), which is normal for
    a multiplicative residual (`NegativeLogScore`); there it is log sigma + log(phi(z) + z Phi(z)),
    z = (mean - best_f) / sigma, sound where the improvement itself underflows. For an additive
    residual it is a quadrature over T > 0. exp(value) is the improvement in log units of the score,
    0.01 being about a hundredth of it.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        best_f: The incumbent's -log Score at *this* context (see `incumbent`), a number or of the
            model's batch shape. One from other contexts makes every improvement vanish.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        X_pending: ``n x d``: runs under way; None: there are none.

    Source: Ament et al., "Unexpected improvements to expected improvement", 2023.

    Example:
        >>> improvement = LogScoreExpectedImprovement(model, incumbent(model, choices))
        >>> best, value = optimize_acqf_discrete(improvement, q=2, choices=choices)
    """

    def __init__(
        self,
        model: Model,
        best_f: float | Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, objective, residual, X_pending)
        self.register_buffer("best_f", torch.as_tensor(best_f, dtype=torch.float64))

    def _worth(self, X: Tensor) -> Tensor:
        best_f = self.best_f.to(X)
        if self.model.batch_shape:
            best_f = best_f.unsqueeze(-1)
        return acquisition.expected_improvement(self._told(X), best_f, self.objective)


def incumbent(
    model: Model,
    choices: Tensor,
    objective: Objective | None = None,
    residual: Residual | str | None = None,
) -> Tensor:
    """The best expected -log Score, noise-free, over the allowed degrees at one context.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        choices: ``n x d``: every allowed degree at this context.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.

    Returns:
        The model's batch shape.
    """
    return expected_utility(model, choices, objective, residual).amax(0)


def expected_utility(
    model: Model,
    choices: Tensor,
    objective: Objective | None = None,
    residual: Residual | str | None = None,
) -> Tensor:
    """E[-log Score], noise-free, at each of some choices: ``n`` x the model's batch shape."""
    mean = LowerConfidenceBound(model, 0.0, objective, residual)
    return at_choices(mean, choices, model.batch_shape)


register(LogScoreExpectedImprovement, incumbent)
