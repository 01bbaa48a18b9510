"""What acquisition functions on the joint posterior of all allowed degrees share."""

import numpy as np
import torch
from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.belief import belief_at
from arbo_bo.acquisition.score import ExploringAcquisition
from arbo_bo.errors import ShapeError
from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics.acquisition import MOST_REFERENCES
from arbo_bo.numerics.choosers import Positions
from arbo_bo.numerics.joint import Joint


class JointAcquisition(ExploringAcquisition):
    """An acquisition function on what is believed of all allowed degrees together.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        choices: ``n x d``: every allowed degree at this context. Of more than 128 every second,
            third and so on stands for all.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        X_pending: ``n x d``: runs under way; None: there are none.

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
        self.register_buffer("choices", choices[:: -(-len(choices) // MOST_REFERENCES)])

    def _jointly(self, X: Tensor, noise: bool = True) -> tuple[Joint, Positions, Positions]:
        """The belief at ``... x q x d``, at the choices and at pending runs, and where these are.

        Args:
            X: The points.
            noise: Whether a run's noise is asked for, too.
        """
        others = self.choices
        if self.X_pending is not None:
            others = torch.cat([others, self.X_pending.to(others)])
        belief = belief_at(self.model, X, self.residual, others, noise)
        among, n = np.arange(len(others)), len(self.choices)
        return belief, among[:n], among[n:]
