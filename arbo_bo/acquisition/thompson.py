"""One joint draw of what the times could be."""

import torch
from botorch.models.model import Model
from torch import Tensor
from torch.linalg import solve_triangular

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.joint import JointAcquisition
from arbo_bo.acquisition.positive_normal import cut_draw
from arbo_bo.acquisition.score import beside, safe_root
from arbo_bo.experiment import Objective, Residual


@registered
class ThompsonSampling(JointAcquisition):
    """-log Score of one joint draw of the noise-free posterior over the allowed degrees.

    The draw f at the choices C is made once, here; elsewhere the value is what f implies, mean(x) +
    Cov(x, C) Cov(C, C)^-1 (f - mean(C)), which at the choices is f itself. Of more than 128 choices
    the draw is made at 128, evenly spaced in their order. Of a time cut to T > 0 the draw keeps its
    quantile.

    Args:
        model: As in `ScoreAcquisition`.
        choices: As in `JointAcquisition`.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
        X_pending: Runs under way; the draw is given their expected times.
        seed: The same seed makes the same draw; None: one of torch's own random numbers, so that
            each instance draws anew.

    Source: Thompson, "On the likelihood that one unknown probability exceeds another", 1933.
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

    def _value(self, X: Tensor) -> Tensor:
        known, weights = self._draw()
        outcome = self._at_each(lambda part: (self._implied(part, known, weights),), X)[0]
        if self.residual is Residual.ADDITIVE:
            outcome = cut_draw(*self._outcome(X), outcome).log()
        return -(self.objective.urgency * outcome + self.utility.offset(X).squeeze(-1))

    def _implied(self, X: Tensor, known: Tensor, weights: Tensor) -> Tensor:
        """What the draw at `known` implies at ``batch_shape x q x d``, ``batch_shape x q``."""
        q, posterior = X.shape[-2], self._posterior(beside(X, known))
        covariance = posterior.distribution.covariance_matrix[..., :q, q:]
        return posterior.mean[..., :q, 0] + (covariance @ weights.unsqueeze(-1)).squeeze(-1)

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Where the draw is known, and Cov^-1 (f - mean) there; pending runs meet expectations."""
        known, normal = self.choices, self.normal
        if self.X_pending is not None:
            known = torch.cat([self.X_pending.to(known), known])
            told = normal.new_zeros(*normal.shape[:-1], len(self.X_pending))
            normal = torch.cat([told, normal], dim=-1)
        with torch.no_grad():
            root = safe_root(self._posterior(known).distribution.covariance_matrix)
            return known, solve_triangular(root.mT, normal.unsqueeze(-1), upper=True).squeeze(-1)
