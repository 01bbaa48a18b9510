"""The score as an affine map of the posterior of log time."""

from botorch.acquisition.objective import PosteriorTransform
from botorch.posteriors import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from torch import Tensor

from arbo_bo.acquisition.belief import normal_belief
from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics.acquisition import log_cost


class NegativeLogScore(PosteriorTransform):
    """-log Score(x) = -(a log T(x) + log Cost(s)), to be maximised.

    For log T ~ N(mu, Sigma) it is N(-(a mu + log Cost(s)), a^2 Sigma): exact, whatever the number
    of points. BoTorch's own acquisition functions take it as their ``posterior_transform``, on any
    single-output model with a normal posterior of log time whose first input column is s.

    Args:
        objective: Urgency a and cost; None: T sqrt(s).

    Source: ARBO.

    Example:
        >>> transform = NegativeLogScore(Objective(urgency=2.0))
        >>> improvement = LogExpectedImprovement(model, best_f, posterior_transform=transform)
        >>> values = improvement(choices.unsqueeze(-2))
    """

    scalarize = True

    def __init__(self, objective: Objective | None = None) -> None:
        super().__init__()
        self.objective = objective or Objective()

    def offset(self, X: Tensor) -> Tensor:
        """Log Cost(s) = c log s + log factor.

        Args:
            X: ``batch_shape x q x d``, column 0 being s, at least 1.

        Returns:
            ``batch_shape x q``.
        """
        s = X[..., 0]
        if not bool((s.detach() > 0).all()):
            raise InvalidValueError(f"column 0 is the degree s, at least 1; got {s.min().item():g}")
        cost: Tensor = log_cost(s, self.objective)
        return cost

    def evaluate(self, Y: Tensor, X: Tensor | None = None) -> Tensor:
        """-log Score of outcomes.

        Args:
            Y: ``batch_shape x q x 1``, log T [log s].
            X: ``batch_shape x q x d``, the inputs that they belong to.

        Returns:
            ``batch_shape x q``.
        """
        return -(self.objective.urgency * Y.squeeze(-1) + self.offset(_given(X)))

    def forward(self, posterior: GPyTorchPosterior, X: Tensor | None = None) -> GPyTorchPosterior:
        """The posterior of -log Score.

        Args:
            posterior: Normal posterior of log T at X, of one output.
            X: ``batch_shape x q x d``.

        Raises:
            ShapeError: X is missing, or there are several outputs.
            UnsupportedModelError: The posterior is not normal.
        """
        log_time = normal_belief(posterior, Residual.MULTIPLICATIVE).distribution
        mean = -(self.objective.urgency * log_time.mean + self.offset(_given(X)))
        covariance = log_time.lazy_covariance_matrix * self.objective.urgency**2
        return GPyTorchPosterior(MultivariateNormal(mean, covariance))


def _given(X: Tensor | None) -> Tensor:
    if X is None:
        raise ShapeError("the score depends on s: give X of shape (..., q, d) beside the posterior")
    return X
