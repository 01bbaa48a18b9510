"""The method's own score: the expected cost of a run."""

from torch import Tensor

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.score import BeliefAcquisition
from arbo_bo.numerics import acquisition
from arbo_bo.numerics.moments import log_mean_time


@registered
class ExpectedCost(BeliefAcquisition):
    """Negative log of Score(x) = E[T(x)]^a Cost(s), in closed form.

    T is the next run's time, its noise included. For a multiplicative residual log T ~ N(mu,
    sigma^2) and log E[T] = mu + sigma^2 / 2; for an additive one T ~ N(mu, sigma^2) on T > 0, whose
    mean is closed form too. The score is E[T]^a, not E[T^a]. BoTorch maximises: the sign flips
    here, and ``exp(-value)`` is the score. It does not explore, so pending runs do not count.

    Args:
        model: A single-outcome model of log T, or of T, over (s, gamma, L); `AmdahlGP`, or any
            other whose first input column is s.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what the model itself says, or multiplicative.

    Source: ARBO.

    Example:
        >>> cost = ExpectedCost(model, Objective(urgency=2.0))
        >>> best, value = optimize_acqf_discrete(cost, q=1, choices=choices)
    """

    def _worth(self, X: Tensor) -> Tensor:
        return acquisition.expected_cost(self._next_run(X), self.objective)


@registered
class ExpectedTime(ExpectedCost):
    """Negative log of E[T(x)]: the fastest degree, whatever it costs.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        objective: Not used.
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
    """

    def _worth(self, X: Tensor) -> Tensor:
        belief = self._next_run(X)
        return -log_mean_time(belief.mean, belief.run_std, belief.residual)
