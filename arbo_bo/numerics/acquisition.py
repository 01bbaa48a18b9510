"""Acquisition values as functions of a belief: numpy decides, BoTorch's classes call the same.

Higher is better everywhere. With U = -log Score = -(a log T + log Cost(s)), which is normal for a
multiplicative residual, and has the moments of log T on T > 0 for an additive one.
"""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from arbo_bo.experiment import Objective, Residual
from arbo_bo.numerics.arrays import (
    TINY,
    like,
    log_expected_excess,
    lower_root,
    namespace,
    ndtr,
)
from arbo_bo.numerics.inputs import TYPE, is_typed, paid
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.moments import (
    cut_draw,
    log_improvement,
    log_mean_time,
    log_time_moments,
)

SMALLEST_VARIANCE = 1e-12
"""Relative to the time squared; below, a degree's time is known for certain."""
NODES = 41
"""Of the Gauss-Hermite rule over the outcome of the next run: the choice among 600 random histories
was the same with 81."""
LARGEST_LOG_RATIO = 5.0
"""A score beyond exp(5) times the incumbent's counts as that: nothing is so bad as to hide all.
Beyond it the value is constant, and its gradient 0."""
MOST_REFERENCES = 128
"""The joint belief is about this many choices at most: of more, every second, third and so on."""


def log_cost(s: Any, objective: Objective) -> Any:
    """Log Cost(s) = c log s + log factor, of degrees s, or what `inputs.paid` says; any shape."""
    return objective.exponent * namespace(s).log(s) + math.log(objective.cost_factor)


def log_score(log_mean: Any, s: Any, objective: Objective) -> Any:
    """log(E[T]^a Cost(s)) from log E[T].

    Note E[T]^a, not E[T^a]: the method's score, whose argmin differs.
    """
    return objective.urgency * log_mean + log_cost(s, objective)


def expected_cost(belief: Joint, objective: Objective) -> Any:
    """-log(E[T]^a Cost(s)) of the next run, its noise included, ``... x m``."""
    return -log_score(log_expected_time(belief), paid(belief.X), objective)


def log_expected_time(belief: Joint) -> Any:
    """Log E[T] of the next run, ``... x m``."""
    return log_mean_time(belief.mean, belief.run_std, belief.residual) + belief.log_scale


def utility(belief: Joint, objective: Objective, run: bool = False) -> tuple[Any, Any]:
    """Mean and standard deviation of U, ``... x m`` each.

    Args:
        belief: What is believed.
        objective: Urgency a and cost.
        run: Whether of the next run, its noise included; else noise-free.
    """
    xp, a = namespace(belief.mean), objective.urgency
    if run:
        mean, std = belief.mean, belief.run_std
    else:
        unit = belief.mean**2 if belief.residual is Residual.ADDITIVE else belief.mean * 0 + 1
        mean, std = belief.mean, xp.sqrt(xp.maximum(belief.variance, SMALLEST_VARIANCE * unit))
    if belief.residual is Residual.ADDITIVE:
        mean, std = log_time_moments(mean, std)
    mean = mean + belief.log_scale
    return -(a * mean + log_cost(paid(belief.X), objective)), a * std


def expected_improvement(belief: Joint, best_f: Any, objective: Objective) -> Any:
    """Log E[max(U - best_f, 0)], noise-free, ``... x m``.

    log sigma + log(phi(z) + z Phi(z)), z = (mean - best_f) / sigma, sound where the improvement
    itself underflows; for an additive residual a quadrature over T > 0.

    Source: Ament et al., "Unexpected improvements to expected improvement", 2023.

    Args:
        belief: What is believed.
        best_f: U of the incumbent, broadcastable to ``... x m``.
        objective: Urgency a and cost.
    """
    xp = namespace(belief.mean)
    if belief.residual is Residual.ADDITIVE:
        floor = SMALLEST_VARIANCE * belief.mean**2
        std = xp.sqrt(xp.maximum(belief.variance, floor))
        log_t = -(best_f + log_cost(paid(belief.X), objective)) / objective.urgency
        gain = log_improvement(belief.mean, std, log_t - belief.log_scale)
        return math.log(objective.urgency) + gain
    mean, std = utility(belief, objective)
    return log_expected_excess((mean - best_f) / std) + xp.log(std)


def confidence_bound(belief: Joint, kappa: float, objective: Objective, run: bool = False) -> Any:
    """E[U] + kappa sd(U), ``... x m``.

    Args:
        belief: What is believed.
        kappa: Above 0 what could be good counts; below 0, what could be bad.
        objective: Urgency a and cost.
        run: As in `utility`.
    """
    mean, std = utility(belief, objective, run)
    return mean + kappa * std


@dataclass(frozen=True, eq=False)
class ScoreBelief:
    """What is believed of the score at q points and at n choices.

    Attributes:
        cost: log(E[T]^a Cost(s)) at the points, ``... x q``.
        costs: The same at the choices, ``... x n``.
        variance: Of U at the points once pending runs are told, ``... x q``.
        noise: What a run's noise adds to the variance, as it.
        means: Of U at the choices, ``... x n``.
        covariance: Between points and choices, pending runs told, ``... x q x n``.
        at_points: Means of U at the points, the repeats of failed runs left out, ``... x q``.
        success: P(success) of a run of each point, ``... x q``; 1: nothing has failed.
    """

    cost: Any
    costs: Any
    variance: Any
    noise: Any
    means: Any
    covariance: Any
    at_points: Any
    success: Any = 1.0

    def reliably(self, repeat: Any, repeat_of_choices: Any, success: Any) -> "ScoreBelief":
        """The belief where runs may fail: a failed run is paid for, repeated, and tells no time.

        Args:
            repeat: What repeats add to the logarithm of the score at the points, ``... x q``.
            repeat_of_choices: The same at the choices, ``... x n``.
            success: P(success) at the points, ``... x q``.
        """
        return replace(
            self,
            cost=self.cost + repeat,
            costs=self.costs + repeat_of_choices,
            means=self.means - repeat_of_choices,
            success=success,
        )

    @classmethod
    def of(cls, belief: Joint, choices: Any, pending: Any, objective: Objective) -> "ScoreBelief":
        """Reads it off a joint belief.

        E[T]^a, not E[T^a]: half of a variance of log T, a times. Runs under way do not change it.

        Args:
            belief: Of the outcome.
            choices: Positions of the choices among the references.
            pending: Positions of the runs under way among the references.
            objective: Urgency a and cost.
        """
        xp, a = namespace(belief.mean), objective.urgency
        log_time = belief.of_log_time()
        means = -(a * log_time.mean + log_cost(paid(belief.X), objective))
        cost = a * log_time.variance / 2 - means
        told = log_time.given(pending)
        at = log_time.references[choices]
        return cls(
            cost=cost,
            costs=cost[..., at],
            variance=a**2 * told.variance,
            noise=a**2 * xp.clip(log_time.noise + 0 * log_time.mean, 0, None),
            means=means[..., at],
            covariance=a**2 * told.covariance[..., :, choices],
            at_points=means,
        )


def knowledge_gradient(belief: ScoreBelief, horizon: float) -> Any:
    """What a run saves the H runs after it, less what it costs more than the best, ``... x q``.

    H E[exp(U(c*) - U'(c*)) - exp(U(c*) - max_c U'(c))] - (Score(x) / min_c Score(c) - 1), where
    U'(c) = E[U(c)] + Cov(U(c), U(x)) / sd(y) z, z ~ N(0, 1), is what will be expected of c once a
    run of x is seen, and c* = argmax E[U].

    Source: Frazier, Powell and Dayanik, "The knowledge-gradient policy for correlated normal
    beliefs", 2009; Ryzhov, Powell and Frazier, "The knowledge gradient algorithm for a general
    class of online learning problems", 2012.
    """
    xp = namespace(belief.cost)
    cheapest = xp.amin(belief.costs, -1)[..., None]
    regret = xp.expm1(_capped(belief.cost - cheapest))
    return horizon * belief.success * _saved(belief) - regret


_AT_ONCE = 40_000
"""Numbers in one piece of the quadrature: what the second-level cache holds."""


def _saved(belief: ScoreBelief) -> Any:
    """What one of the later runs saves."""
    xp = namespace(belief.cost)
    nodes, weights = (like(v, belief.cost) for v in hermite())
    told = xp.sqrt(xp.clip(belief.variance + belief.noise, TINY, None))
    moved = belief.covariance / told[..., None]
    incumbent = belief.means.argmax(-1)
    lead = belief.means - xp.amax(belief.means, -1)[..., None]
    if xp is np and moved.ndim == 2:
        after = np.empty((len(moved), len(nodes)))
        rows = max(1, _AT_ONCE // (moved.shape[1] * len(nodes)))
        for i in range(0, len(moved), rows):
            lines = moved[i : i + rows, :, None] * nodes
            lines += lead[:, None]
            after[i : i + rows] = lines.max(1)
        stay = moved[:, incumbent, None] * nodes
    else:
        lines = lead[..., None, :, None] + moved[..., None] * nodes
        after = xp.amax(lines, -2)
        chosen = incumbent[..., None, None] + 0 * moved[..., :1].argmax(-1)[..., None]
        take = np.take_along_axis if xp is np else xp.take_along_dim
        stay = take(moved, chosen, -1) * nodes
    saved = xp.exp(-_capped(stay)) - xp.exp(-_capped(after))
    return saved @ weights


def _capped(log_ratio: Any) -> Any:
    return namespace(log_ratio).clip(log_ratio, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)


@cache
def hermite() -> tuple[Any, Any]:
    """Nodes and weights of E[f(Z)], Z ~ N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def thompson(belief: Joint, choices: Any, pending: Any, normal: Any, objective: Objective) -> Any:
    """U of one joint draw over the choices, and what it implies elsewhere, ``... x m``.

    The draw f at the choices C is mean + L normal; at x it implies mean(x) + Cov(x, C) Cov(C, C)^-1
    (f - mean(C)), which at the choices is f itself. Pending runs meet their expectations. Of a time
    cut to T > 0 the draw keeps its quantile.

    Source: Thompson, "On the likelihood that one unknown probability exceeds another", 1933.

    Args:
        belief: What is believed.
        choices: Positions of the choices among the references.
        pending: Positions of the runs under way among the references.
        normal: Standard normal numbers, one a choice, ``... x n``.
        objective: Urgency a and cost.
    """
    xp = namespace(belief.mean)
    known = np.concatenate((np.asarray(pending, dtype=int), np.asarray(choices, dtype=int)))
    at = belief.references[known]
    root = lower_root(belief.covariance[..., at, :][..., :, known])
    zeros = normal[..., :1] * 0 + like(np.zeros(len(pending)), normal)
    given = xp.concatenate((zeros, normal), -1)
    weights = xp.linalg.solve(xp.swapaxes(root, -1, -2), given[..., None])
    outcome = belief.mean + (belief.covariance[..., :, known] @ weights)[..., 0]
    if belief.residual is Residual.ADDITIVE:
        told = belief.given(pending)
        floor = SMALLEST_VARIANCE * belief.mean**2
        std = xp.sqrt(xp.maximum(told.variance, floor))
        outcome = xp.log(cut_draw(belief.mean, std, outcome))
    outcome = outcome + belief.log_scale
    return -(objective.urgency * outcome + log_cost(paid(belief.X), objective))


def probability_not_worse(belief: Joint, reference: Any, objective: Objective) -> Any:
    """P(Score(x) <= Score(reference)) by the joint noise-free belief, ``... x m``.

    For a multiplicative residual log Score(x) - log Score(reference) is normal. For an additive one
    Score(x) <= Score(reference) where T(x) - r T(reference) <= 0, r = (Cost(reference) /
    Cost(x))^(1/a), which is normal too; that times are above zero is neglected there.

    Args:
        belief: What is believed.
        reference: The reference's position among the references.
        objective: Urgency a and cost.
    """
    xp = namespace(belief.mean)
    at = belief.references[reference]
    s = paid(belief.X)
    log_r = objective.exponent / objective.urgency * xp.log(s[..., at, None] / s)
    if belief.residual is Residual.ADDITIVE:
        r, shift = xp.exp(log_r), 0 * log_r
    else:
        r, shift = 0 * log_r + 1, log_r
    difference = belief.mean - r * belief.mean[..., at, None] - shift
    variance = belief.variance + r**2 * belief.variance[..., at, None]
    variance = variance - 2 * r * belief.covariance[..., :, reference]
    z = -difference / xp.sqrt(xp.clip(variance, TINY, None))
    # The same degree twice differs by nothing, and is never worse than itself.
    same = s == s[..., at, None]
    if is_typed(belief.X):
        same = same & (belief.X[..., TYPE] == belief.X[..., at, TYPE, None])
    return xp.where(same, 0 * z + 1, ndtr(z))
