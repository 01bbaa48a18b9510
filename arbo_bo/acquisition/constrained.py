"""Acquisition functions under a service level: a deadline, a budget, or both."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.models.model import Model
from torch import Tensor

from arbo_bo.acquisition.belief import belief_at
from arbo_bo.acquisition.construction import register, registered
from arbo_bo.acquisition.expected_cost import ExpectedCost, ExpectedTime
from arbo_bo.acquisition.improvement import LogScoreExpectedImprovement, expected_utility
from arbo_bo.acquisition.score import ScoreAcquisition
from arbo_bo.acquisition.search import at_choices
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import SLO, Objective, Residual, validation
from arbo_bo.experiment.slo import cost_objective, service_levels
from arbo_bo.numerics import service_levels as levels
from arbo_bo.numerics.joint import Joint

SLOs = SLO | Sequence[SLO]


@registered
class SLOConstrained(ScoreAcquisition):
    """Another acquisition function, among the degrees that keep the service levels.

    A degree is feasible where P(T <= limit(s)) >= confidence for each level, the noise of a run
    included; limit(s) is the deadline, or the time that the budget buys. There the value is that
    of `base`. Infeasible degrees rank below all feasible ones, by the probability that all levels
    are kept: since each is a bound on the same T, that is the least of the probabilities. The value
    is -1e5 and more where feasible, -1e5 + log P elsewhere.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        slo: A `MaxExecutionTime`, a `MaxCost`, or both.
        base: What chooses among the feasible, a BoTorch acquisition function with q = 1.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        trial_risk: Above 1, a degree may also be tried that is more likely than not to be feasible
            once it is known, if its next run breaks each level with at most this many times the
            probability that the level allows.

    Raises:
        InvalidValueError: There is no service level, or two of a kind.

    Example:
        >>> base = LowerConfidenceBound(model)
        >>> within = SLOConstrained(model, MaxExecutionTime(60, confidence=0.9), base)
        >>> best, value = optimize_acqf_discrete(within, q=1, choices=choices)
    """

    def __init__(
        self,
        model: Model,
        slo: SLOs,
        base: AcquisitionFunction,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        trial_risk: float = 1.0,
    ) -> None:
        super().__init__(model, objective, residual)
        self.trial_risk = validation.positive("trial_risk", trial_risk)
        self.slo = service_levels(slo)
        if not self.slo:
            raise InvalidValueError("give a MaxExecutionTime, a MaxCost, or both; got none")
        self.base, self.X_pending = base, getattr(base, "X_pending", None)

    def set_X_pending(self, X_pending: Tensor | None = None) -> None:  # noqa: N802  BoTorch
        """Says which runs are under way, to `base`, whose value may depend on them."""
        self.base.set_X_pending(X_pending)
        self.X_pending = self.base.X_pending

    def _value(self, X: Tensor) -> Tensor:
        return levels.constrained(self.base(X), self.feasible(X), self.log_probability(X))

    def feasible(self, X: Tensor) -> Tensor:
        """Whether each point keeps every service level, or may be tried, ``batch_shape``."""

        def kept(part: Tensor) -> tuple[Tensor]:
            belief = belief_at(self.model, part, self.residual)
            return (levels.feasible(belief, self.slo, trial_risk=self.trial_risk),)

        return self._at_each(kept, X)[0]

    def log_probability(self, X: Tensor) -> Tensor:
        """Log probability that the next run keeps each service level.

        Args:
            X: ``batch_shape x 1 x d``.

        Returns:
            ``batch_shape x len(slo)``.
        """

        def each(part: Tensor) -> tuple[Tensor, ...]:
            found: Tensor = levels.log_probability(self._next_run(part), self.slo)
            return found.unbind(-1)

        return torch.stack(self._at_each(each, X), dim=-1)

    def log_belief(self, X: Tensor) -> Tensor:
        """Log probability, by the noise-free posterior, that each point is feasible.

        With the noise sigma_r of a run the quantile of the outcome at confidence q is f + z_q
        sigma_r, and is within the limit where f is small enough; that T > 0 is neglected.

        Args:
            X: ``batch_shape x 1 x d``.

        Returns:
            ``batch_shape``.
        """
        return self._at_each(
            lambda part: (levels.log_feasibility(self._noisy(part), self.slo),), X
        )[0]

    def _noisy(self, X: Tensor) -> Joint:
        return belief_at(self.model, X, self.residual)


class _ByDefault(SLOConstrained):
    """`SLOConstrained` with a base of its own, unless another is given."""

    BASE: ClassVar[type[ExpectedCost]]

    def __init__(
        self,
        model: Model,
        slo: SLOs,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        base: AcquisitionFunction | None = None,
        trial_risk: float = 1.0,
    ) -> None:
        cost = cost_objective(objective or Objective(), service_levels(slo))
        base = base or self.BASE(model, cost, residual)
        super().__init__(model, slo, base, objective, residual, trial_risk)


@registered
class DeadlineConstrainedCost(_ByDefault):
    """The least expected cost among the degrees that keep the deadline; see `SLOConstrained`.

    The cost is money where the objective or a budget names a price, else the objective's score.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        slo: A `MaxExecutionTime`, and perhaps a `MaxCost`.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        base: Another acquisition function to choose among the feasible.
        trial_risk: Times the misses that a level allows, at which a degree may yet be tried.
    """

    BASE = ExpectedCost


@registered
class BudgetConstrainedTime(_ByDefault):
    """The least expected time among the degrees that keep the budget; see `SLOConstrained`.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        slo: A `MaxCost`, and perhaps a `MaxExecutionTime`.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        base: Another acquisition function to choose among the feasible.
        trial_risk: Times the misses that a level allows, at which a degree may yet be tried.
    """

    BASE = ExpectedTime


class ConstrainedLogScoreExpectedImprovement(SLOConstrained):
    """log(EI(x) P(x)): improvement on the best feasible degree, times the belief in x's being one.

    It explores near the boundary, where `DeadlineConstrainedCost` would not go: a degree that is
    not yet known to be feasible may be run. P(x) is the probability that x is feasible at all, that
    is, that its run-to-run quantile at the confidence is within the limit, of all levels at once;
    as runs tell, it goes to 0 or to 1. EI is noise-free, and of `LogScoreExpectedImprovement`.
    While nothing is feasible the value is the log probability that the next run keeps the levels.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        slo: A `MaxExecutionTime`, a `MaxCost`, or both.
        best_f: The -log Score of the best feasible degree (see `feasible_incumbent`), -inf where
            none is.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.
        X_pending: ``n x d``: runs under way; None: there are none.

    Source: Schonlau, Welch and Jones, "Global versus local search in constrained optimization",
    1998.
    """

    def __init__(
        self,
        model: Model,
        slo: SLOs,
        best_f: float | Tensor,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        best = torch.as_tensor(best_f, dtype=torch.float64)
        none = best.isneginf()
        improvement = LogScoreExpectedImprovement(
            model, best.masked_fill(none, 0.0), objective, residual, X_pending
        )
        super().__init__(model, slo, improvement, objective, residual)
        self.register_buffer("none_feasible", none)

    def _value(self, X: Tensor) -> Tensor:
        explored = self.base(X) + self.log_belief(X)
        return torch.where(self.none_feasible, self.log_probability(X).amin(-1), explored)


def feasible_incumbent(
    model: Model,
    choices: Tensor,
    slo: SLOs,
    objective: Objective | None = None,
    residual: Residual | str | None = None,
) -> Tensor:
    """The best expected -log Score over the degrees that keep the service levels, else -inf.

    Args:
        model: Of one output, with a normal posterior of log T, or of T, over (s, gamma, L).
        choices: ``n x d``: every allowed degree at this context.
        slo: A `MaxExecutionTime`, a `MaxCost`, or both.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: What the model's outcome is; None: what it says itself, or multiplicative.

    Returns:
        The model's batch shape.
    """
    cheapest = DeadlineConstrainedCost(model, slo, objective, residual)
    kept = at_choices(cheapest.feasible, choices, model.batch_shape)
    utility = expected_utility(model, choices, objective, residual)
    return utility.masked_fill(~kept, -math.inf).amax(0)


register(ConstrainedLogScoreExpectedImprovement, feasible_incumbent)
