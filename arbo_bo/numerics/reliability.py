"""P(success | degree, size): what failed and successful runs say of runs to come (numpy).

Each explanation of a history of outcomes is weighed as a hypothesis:

- chance: every run fails with the same probability, whatever its degree;
- an outage: from one run to another nearly everything fails, whatever its degree;
- a limit: from some run on, nearly every run beyond a threshold fails, in s gamma (memory that
  grows with the workers, a quota, a licence) or in gamma / s (memory that each worker needs, a time
  limit), one way or the other.

The posterior probability of success is the mean over all of them: a run that fails at 16 where 4
succeed speaks for a limit between them, three nights on which everything fails speak for an outage,
and a success at a degree speaks against every limit below it, so that an outage bans nothing.

Source: Bayesian model averaging; the change points are those of R. P. Adams and D. J. C. MacKay,
"Bayesian online changepoint detection", 2007, with every run length enumerated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arbo_bo.numerics.evidence import Vector
from arbo_bo.numerics.priors import DEFAULT_PRIORS, FailurePrior

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Ended runs, oldest first.

    Attributes:
        parallelism: Shape (n,).
        gamma: Input scaling, shape (n,).
        failed: Whether each failed, or succeeded on a retry only, shape (n,).
    """

    parallelism: Vector
    gamma: Vector
    failed: Flags


@dataclass(frozen=True, eq=False)
class Reliability:
    """What is believed of the next run's success.

    Attributes:
        probability: P(success) at each degree, shape (m,).
        limit: The posterior probability that a limit, and no outage or chance, made runs fail.
    """

    probability: Vector
    limit: float

    @property
    def relative(self) -> Vector:
        """P(success) over that of the most reliable degree: what a choice of the degree decides."""
        return np.asarray(self.probability / self.probability.max())


def reliability(
    outcomes: Outcomes,
    degrees: Vector,
    gamma: float,
    prior: FailurePrior = DEFAULT_PRIORS.failures,
) -> Reliability:
    """P(success) of the next run at each degree.

    Args:
        outcomes: Ended runs, oldest first.
        degrees: Shape (m,).
        gamma: Input scaling of the next run.
        prior: How often what happens.
    """
    base = _chance(outcomes.failed, prior)
    parts = [
        (base.weight, np.broadcast_to(base.success, (1, len(degrees)))),
        _outages(outcomes.failed, len(degrees), base, prior),
    ]
    limits = []
    for sign in (1.0, -1.0):
        seen = np.log(outcomes.gamma) + sign * np.log(outcomes.parallelism)
        asked = np.log(gamma) + sign * np.log(degrees)
        limits.append(_limits(outcomes.failed, seen, asked, base, prior))
    weights = np.concatenate([w for w, _ in (*parts, *limits)])
    success = np.concatenate([p for _, p in (*parts, *limits)])
    weights = np.exp(weights - weights.max())
    weights /= weights.sum()
    share = sum(len(w) for w, _ in limits)
    return Reliability(weights @ success, float(weights[len(weights) - share :].sum()))


@dataclass(frozen=True, eq=False)
class _Chance:
    """Failures by chance alone.

    Attributes:
        before: Log probability of the first i outcomes under each rate, ``(n + 1) x r``.
        log_prior: Log prior of each rate, shape (r,).
        rates: Shape (r,).
        weight: Log probability of all outcomes, shape (1,).
        success: P(the next run succeeds).
    """

    before: Vector
    log_prior: Vector
    rates: Vector
    weight: Vector
    success: float

    def outside(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> Vector:
        """Log probability of the outcomes before `first` and from `last` on, by rate."""
        total = self.before[-1]
        return np.asarray(self.before[first] + total - self.before[last] + self.log_prior)


def _chance(failed: Flags, prior: FailurePrior) -> _Chance:
    rates = np.array(prior.rates)
    each = np.where(failed[:, None], np.log(rates), np.log1p(-rates))
    before = np.concatenate((np.zeros((1, len(rates))), np.cumsum(each, axis=0)))
    log_prior = np.log(prior.rate_odds) - np.log(np.sum(prior.rate_odds))
    joint = before[-1] + log_prior
    weights = np.exp(joint - joint.max())
    weight = joint.max() + np.log(weights.sum())
    return _Chance(before, log_prior, rates, np.array([weight]), float(
        1 - weights @ rates / weights.sum()
    ))  # fmt: skip


def _outages(failed: Flags, m: int, base: _Chance, prior: FailurePrior) -> tuple[Vector, Vector]:
    """Every interval of runs as an outage: log weights (h,) and P(success), ``h x m``."""
    n = len(failed)
    first, last = (i.astype(np.intp) for i in np.triu_indices(n + 1, 1))  # first .. last - 1
    down = np.concatenate(([0.0], np.cumsum(_broken(failed, prior))))
    length = last - first
    log_stay = np.log(prior.outage_stays)
    weight = np.log(prior.outage) + (length - 1) * log_stay
    weight = weight + np.where(last < n, np.log1p(-prior.outage_stays), 0.0)
    by_rate = base.outside(first, last) + (weight + down[last] - down[first])[:, None]
    total = np.logaddexp.reduce(by_rate, axis=1)
    fails = np.exp(by_rate - total[:, None]) @ base.rates
    still = np.where(last == n, prior.outage_stays, 0.0)
    success = (1 - still) * (1 - fails) + still * (1 - prior.certain)
    return total, np.broadcast_to(success[:, None], (len(success), m))


def _limits(
    failed: Flags, seen: Vector, asked: Vector, base: _Chance, prior: FailurePrior
) -> tuple[Vector, Vector]:
    """Every threshold from every run on: log weights (h,) and P(success), ``h x m``."""
    n = len(failed)
    places = np.unique(np.concatenate((seen, asked)))
    gaps = np.diff(places)
    if not len(gaps):
        return np.zeros(0), np.zeros((0, len(asked)))
    cuts = (places[1:] + places[:-1]) / 2
    beyond = seen > cuts[:, None]  # c x n
    # Outcomes beyond the cut, from each run on: suffix sums over time, c x n.
    change = np.where(beyond, _broken(failed, prior), 0.0)
    inside = np.cumsum(change[:, ::-1], axis=1)[:, ::-1]
    log_rate = np.log(base.rates)[:, None, None]
    normal = np.where(failed, log_rate, np.log1p(-base.rates)[:, None, None])  # r x 1 x n
    taken = np.where(beyond, normal, 0.0)
    excess = np.cumsum(taken[..., ::-1], axis=-1)[..., ::-1]  # r x c x n, replaced by `inside`
    total = base.before[-1][:, None, None] + base.log_prior[:, None, None] - excess + inside
    since = np.where(np.arange(n) == 0, np.log(prior.limit), np.log(prior.change))
    # Where a job meets its limit is open: uniform over the range of what is asked, in logarithms.
    place = np.log(gaps / gaps.sum())[:, None]
    total = total + (since + place) - np.log(2)
    weight = np.logaddexp.reduce(total, axis=0)  # c x n
    fails = np.einsum("rcn,r->cn", np.exp(total - weight), base.rates)
    # A limit may be lifted unseen: with every run since the last failure beyond it, a little.
    last = np.where(beyond & failed, np.arange(n), -1).max(axis=1)
    holds = (1 - prior.lifted) ** np.maximum(n - 1 - last, 0)
    broken = holds * prior.certain + (1 - holds) * prior.rates[0]
    across = asked > cuts[:, None]  # c x m
    success = np.where(across[:, None, :], (1 - broken)[:, None, None], (1 - fails)[..., None])
    return weight.reshape(-1), success.reshape(-1, len(asked))


def _broken(failed: Flags, prior: FailurePrior) -> Vector:
    """Log probability of each outcome where nearly everything fails."""
    return np.asarray(np.where(failed, np.log(prior.certain), np.log1p(-prior.certain)))
