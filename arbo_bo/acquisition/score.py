"""What every acquisition function on the score shares: the belief it is about, pending trials."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from botorch.acquisition.analytic import AnalyticAcquisitionFunction
from botorch.models.model import Model
from botorch.utils.transforms import t_batch_mode_transform
from torch import Tensor

from arbo_bo.acquisition.belief import belief_at, next_run, require_single_model
from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics.joint import Joint

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

    def _at_each(self, values: Callable[[Tensor], tuple[Tensor, ...]], X: Tensor) -> list[Tensor]:
        """Several values at each point of ``batch_shape x 1 x d``, each ``batch_shape``.

        One joint posterior of many points is far cheaper than one for each, which repeats the
        training data every time.

        Args:
            values: From ``... x q x d`` to ``... x q`` (and more behind them) each.
            X: The points.
        """
        if self.model.batch_shape:
            return [value[..., 0] for value in values(X)]
        parts = X.reshape(-1, X.shape[-1]).split(TOGETHER)
        found = [[value[: len(part)] for value in values(part)] for part in parts]
        return [torch.cat(value).reshape(X.shape[:-2]) for value in zip(*found, strict=True)]

    def _next_run(self, X: Tensor) -> Joint:
        """What is believed of the next run at ``... x q x d``, its noise included."""
        return next_run(self.model, X, self.residual)


class BeliefAcquisition(ScoreAcquisition):
    """An acquisition function that is a function of the belief about each point.

    Args:
        model: As in `ScoreAcquisition`.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
    """

    def _value(self, X: Tensor) -> Tensor:
        return self._at_each(lambda part: (self._worth(part),), X)[0]

    @abstractmethod
    def _worth(self, X: Tensor) -> Tensor:
        """The value at ``batch_shape x q x d``, ``batch_shape x q`` (and more behind them)."""


class ExploringAcquisition(BeliefAcquisition):
    """An acquisition function that seeks knowledge, so that runs under way count.

    A pending run is taken to tell its degree's noise-free time, which is what is expected of it:
    the posterior mean stays and the uncertainty goes, at that degree and, less so, around it.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
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

    def _told(self, X: Tensor) -> Joint:
        """The noise-free belief at ``... x q x d`` and at pending runs, which are as expected."""
        belief = belief_at(self.model, X, self.residual, self.X_pending, noise=False)
        return belief.given(np.arange(len(belief.references)))
