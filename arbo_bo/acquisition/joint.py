"""What acquisition functions on the joint posterior of all allowed degrees share."""

from collections.abc import Callable

import torch
from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.score import ExploringAcquisition
from arbo_bo.errors import ShapeError
from arbo_bo.experiment import Objective, Residual

TOGETHER = 512
"""Points whose joint posterior with the choices is taken at once."""
MOST_CHOICES = 128
"""The joint posterior is of this many choices at most."""


class JointAcquisition(ExploringAcquisition):
    """An acquisition function on what is believed of all allowed degrees together.

    Args:
        model: As in `ScoreAcquisition`.
        choices: ``n x d``: every allowed degree at this context. Of more than 128 every second,
            third and so on stands for all.
        objective: As in `ScoreAcquisition`.
        residual: As in `ScoreAcquisition`.
        X_pending: As in `ExploringAcquisition`.

    Raises:
        ShapeError: `choices` has another shape, or is empty.
    """

    def __init__(
        self,
        model: Model,
        choices: Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        if choices.ndim != 2 or not len(choices):
            raise ShapeError(f"choices needs shape (n, d), got {tuple(choices.shape)}")
        super().__init__(model, objective, residual, X_pending)
        self.register_buffer("choices", choices[:: -(-len(choices) // MOST_CHOICES)])

    def _jointly(self, value: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
        """A value at each point of ``batch_shape x 1 x d``, ``batch_shape``.

        One joint posterior of many points is far cheaper than one for each of them.

        Args:
            value: From ``batch_shape x q x d`` to ``batch_shape x q``.
            X: The points.
        """
        if self.model.batch_shape:
            return value(X).squeeze(-1)
        parts = X.reshape(-1, X.shape[-1]).split(TOGETHER)
        return torch.cat([value(part) for part in parts]).reshape(X.shape[:-2])
