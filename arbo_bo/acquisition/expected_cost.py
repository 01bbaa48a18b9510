"""The method's own score: the expected cost of a run."""

from botorch.acquisition.analytic import AnalyticAcquisitionFunction
from botorch.models.model import Model
from botorch.utils.transforms import t_batch_mode_transform
from torch import Tensor
from torch.special import log_ndtr

from arbo_bo.experiment import Objective, Residual
from arbo_bo.formulas.scores import log_score, lognormal_log_mean, positive_normal_log_mean


class ExpectedCost(AnalyticAcquisitionFunction):
    """Negative log of Score(x) = E[T(x)]^a Cost(s), in closed form.

    T is the next run's time, its noise included. For a multiplicative residual log T ~ N(mu,
    sigma^2) and log E[T] = mu + sigma^2 / 2; for an additive one T ~ N(mu, sigma^2) on T > 0. The
    score is E[T]^a, not E[T^a]. BoTorch maximises: the sign flips here, and ``exp(-value)`` is the
    score.

    Args:
        model: A single-outcome model of log T, or of T, over (s, gamma, L); `AmdahlGP`, or any
            other whose first input column is s.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what the model itself says, or multiplicative.

    Source: ARBO.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective | None = None,
        residual: Residual | None = None,
    ) -> None:
        super().__init__(model=model)
        self.objective = objective or Objective()
        self.residual = residual or getattr(model, "residual", Residual.MULTIPLICATIVE)

    @t_batch_mode_transform(expected_q=1)
    def forward(self, X: Tensor) -> Tensor:
        """Evaluates -log Score.

        Args:
            X: ``batch_shape x 1 x d`` in physical units, column 0 being s, at least 1.

        Returns:
            ``batch_shape``: higher is better, in log units of the score.
        """
        posterior = self.model.posterior(X, observation_noise=True)
        mu = posterior.mean.squeeze(-1).squeeze(-1)
        variance = posterior.variance.squeeze(-1).squeeze(-1)
        if self.residual is Residual.MULTIPLICATIVE:
            log_mean = lognormal_log_mean(mu, variance)
        else:
            log_mean = positive_normal_log_mean(mu, variance.sqrt(), log_ndtr)
        o = self.objective
        return -log_score(log_mean, X[..., 0, 0], o.urgency, o.exponent, o.cost_factor)
