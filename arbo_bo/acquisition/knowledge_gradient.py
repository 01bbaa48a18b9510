"""What a run costs now, against what it tells the runs after it."""

from dataclasses import dataclass

import numpy as np
import torch
from botorch.models.model import Model
from torch import Tensor
from torch.linalg import solve_triangular

from arbo_bo.acquisition.construction import registered
from arbo_bo.acquisition.joint import JointAcquisition
from arbo_bo.acquisition.positive_normal import log_time_moments
from arbo_bo.acquisition.score import TINY, beside, safe_root
from arbo_bo.experiment import Objective, Residual, validation

HORIZON = 8.0
"""How many later runs a run's knowledge is for, unless the user says otherwise."""
NODES = 41
"""Of the Gauss-Hermite rule over the outcome of the next run."""
LARGEST_LOG_RATIO = 5.0
"""A score beyond exp(5) times the incumbent's counts as that: nothing is so bad as to hide all."""


@registered
class OnlineKnowledgeGradient(JointAcquisition):
    """What a degree's next run saves the runs after it, minus what it costs more than the best.

    With U = -log Score, jointly normal over the allowed degrees C, the incumbent c* = argmax E[U]
    and the score in units of the incumbent's:

        value(x) = H E[exp(U(c*) - U'(c*)) - exp(U(c*) - max_c U'(c))]
                   - (Score(x) / min_c Score(c) - 1)

    U'(c) = E[U(c)] + Cov(U(c), U(x)) / sd(y) z, z ~ N(0, 1), is what will be expected of c once a
    run of x is seen, and Score(c) = E[T]^a Cost(s). The first term is the knowledge gradient times
    the H runs that it is for: knowledge that cannot change a choice is worth nothing, and a degree
    whose run costs more than it can ever save is not tried. Where all is known it is -(the regret):
    greedy.

    Args:
        model: As in `ScoreAcquisition`.
        choices: As in `JointAcquisition`.
        horizon: H, 0 or more; 0 is the greedy choice by expected score.
        objective: Urgency a and cost; None: T sqrt(s).
        residual: As in `ScoreAcquisition`. For an additive one U has the moments that log T has on
            T > 0.
        X_pending: As in `ExploringAcquisition`.

    Source: Frazier, Powell and Dayanik, "The knowledge-gradient policy for correlated normal
    beliefs", 2009; Ryzhov, Powell and Frazier, "The knowledge gradient algorithm for a general
    class of online learning problems", 2012.
    """

    def __init__(
        self,
        model: Model,
        choices: Tensor,
        horizon: float = HORIZON,
        objective: Objective | None = None,
        residual: Residual | str | None = None,
        X_pending: Tensor | None = None,
    ) -> None:
        super().__init__(model, choices, objective, residual, X_pending)
        self.horizon = validation.non_negative("horizon", horizon)
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        self.register_buffer("nodes", torch.from_numpy(nodes).to(choices))
        self.register_buffer("weights", torch.from_numpy(weights / weights.sum()).to(choices))

    def _value(self, X: Tensor) -> Tensor:
        return self._at_each(lambda part: (self._worth(part),), X)[0]

    def _worth(self, X: Tensor) -> Tensor:
        """The value at each of ``batch_shape x q x d``, ``batch_shape x q``."""
        belief = self._belief(X)
        regret = _capped(belief.cost - belief.costs.amin(-1, keepdim=True)).expm1()
        return self.horizon * self._gain(belief) - regret

    def _gain(self, belief: "_Belief") -> Tensor:
        """What one of the later runs saves."""
        told = (belief.variance + belief.noise).clamp_min(TINY).sqrt()
        moved = belief.covariance / told[..., None]
        expected, incumbent = belief.means.max(-1, keepdim=True)
        lead = (belief.means - expected)[..., None, :]
        after = lead[..., None] + moved[..., None] * self.nodes
        chosen = incumbent[..., None, :, None].expand(*after.shape[:-2], 1, 1)
        stay = after.take_along_dim(chosen, -2).squeeze(-2)
        saved = _capped(stay).neg().exp() - _capped(after.amax(-2)).neg().exp()
        return (saved * self.weights).sum(-1)

    def _belief(self, X: Tensor) -> "_Belief":
        """What is believed of U at X and at the choices, given pending runs."""
        known = self.choices
        if self.X_pending is not None:
            known = torch.cat([known, self.X_pending.to(known)])
        points, q = beside(X, known), X.shape[-2]
        posterior = self._posterior(points)
        mean, covariance = posterior.mean.squeeze(-1), posterior.distribution.covariance_matrix
        run = self._posterior(X, observation_noise=True).variance.squeeze(-1)
        noise = run - covariance.diagonal(dim1=-2, dim2=-1)[..., :q]
        if self.residual is Residual.ADDITIVE:
            std = covariance.diagonal(dim1=-2, dim2=-1).clamp_min(TINY).sqrt()
            mean, log_std = log_time_moments(mean, std)
            ratio = log_std / std
            covariance = ratio[..., None] * covariance * ratio[..., None, :]
            noise = noise * ratio[..., :q].square()
        a, end = self.objective.urgency, q + len(self.choices)
        mean, covariance = -(a * mean + self.utility.offset(points)), a**2 * covariance
        # E[T]^a, not E[T^a]: half of a variance of log T, a times. Runs under way do not change it.
        marginal = covariance.diagonal(dim1=-2, dim2=-1)
        costs = marginal * (0.5 / a) - mean
        if self.X_pending is not None:
            root = safe_root(covariance[..., end:, end:])
            told = solve_triangular(root, covariance[..., end:, :end], upper=False)
            covariance = covariance[..., :end, :end] - told.mT @ told
        variance = covariance.diagonal(dim1=-2, dim2=-1)
        return _Belief(
            cost=costs[..., :q],
            costs=costs[..., q:end],
            variance=variance[..., :q],
            noise=a**2 * noise.clamp_min(0),
            means=mean[..., q:end],
            covariance=covariance[..., :q, q:end],
        )


@dataclass(frozen=True)
class _Belief:
    """What is believed of the score.

    Attributes:
        cost: log(E[T]^a Cost(s)) at X, ``batch_shape x q``.
        costs: The same at the choices, ``batch_shape x n``.
        variance: Of U at X once pending runs are told, ``batch_shape x q``.
        noise: What a run's noise adds to the variance, as it.
        means: Of U at the choices, ``batch_shape x n``.
        covariance: Between X and the choices, pending runs told, ``batch_shape x q x n``.
    """

    cost: Tensor
    costs: Tensor
    variance: Tensor
    noise: Tensor
    means: Tensor
    covariance: Tensor


def _capped(log_ratio: Tensor) -> Tensor:
    return log_ratio.clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
