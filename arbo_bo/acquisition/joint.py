"""What acquisition functions on the joint posterior of all allowed degrees share."""

from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.score import ExploringAcquisition
from arbo_bo.errors import ShapeError
from arbo_bo.experiment import Objective, Residual

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
