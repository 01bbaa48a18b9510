"""One joint draw of what the times could be."""

import torch
from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.joint import JointAcquisition
from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics import acquisition


@registered
class ThompsonSampling(JointAcquisition):
    """-log Score of one joint draw of the noise-free posterior over the allowed degrees.

    The draw f at the choices C is made once, here; elsewhere the value is what f implies, mean(x) +
    Cov(x, C) Cov(C, C)^-1 (f - mean(C)), which at the choices is f itself. Of more than 128 choices
    the draw is made at 128, evenly spaced in their order. Of a time cut to T > 0 the draw keeps its
    quantile.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        choices: ``n x d``: every allowed degree at this context; at most 128 count.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        X_pending: Runs under way; the draw is given their expected times.
        seed: The same seed makes the same draw; None: one of torch's own random numbers, so that
            each instance draws anew.

    Source: Thompson, "On the likelihood that one unknown probability exceeds another", 1933.

    Example:
        >>> draw = ThompsonSampling(model, choices, seed=7)
        >>> best, value = optimize_acqf_discrete(draw, q=1, choices=choices)
    """

    def __init__(
        self,
        model: Model,
        choices: Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(model, choices, objective, residual, X_pending)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        shape = (*model.batch_shape, len(self.choices))
        normal = torch.randn(shape, generator=generator, dtype=torch.float64)
        self.register_buffer("normal", normal.to(choices))

    def _worth(self, X: Tensor) -> Tensor:
        belief, choices, pending = self._jointly(X, noise=False)
        return acquisition.thompson(belief, choices, pending, self.normal, self.objective)
