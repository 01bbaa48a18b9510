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

from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.priors import DEFAULT_PRIORS, FailurePrior

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Ended runs, oldest first.

    Attributes:
        parallelism: Shape (n,).
        gamma: Input scaling, shape (n,).
        failed: Whether each failed, or succeeded on a retry only, shape (n,).
        index: The number of each among all of the task's runs, ascending, shape (n,).
        next_index: The number of the next run.
    """

    parallelism: Vector
    gamma: Vector
    failed: Flags
    index: NDArray[np.int_]
    next_index: int


@dataclass(frozen=True, eq=False)
class _Part:
    """Some hypotheses together.

    Attributes:
        largest: The largest log weight among them.
        weight: Their weights' sum, over exp(largest).
        success: Their weighted P(success) at each degree, over exp(largest), shape (m,).
    """

    largest: float
    weight: float
    success: Vector


def success_probability(
    outcomes: Outcomes,
    degrees: Vector,
    gamma: float,
    prior: FailurePrior = DEFAULT_PRIORS.failures,
) -> Vector:
    """P(success) of the next run at each degree, shape (m,).

    Args:
        outcomes: Ended runs, oldest first.
        degrees: Shape (m,).
        gamma: Input scaling of the next run.
        prior: How often what happens.
    """
    base = _chance(outcomes.failed, prior)
    parts = [
        _Part(float(base.weight), 1.0, np.full(len(degrees), base.success)),
        _outages(outcomes.failed, len(degrees), base, prior),
    ]
    for sign in (1.0, -1.0):
        seen = np.log(outcomes.gamma) + sign * np.log(outcomes.parallelism)
        asked = np.log(gamma) + sign * np.log(degrees)
        if len(np.unique(np.concatenate((seen, asked)))) > 1:
            parts.append(_limits(outcomes, seen, asked, base, prior))
    largest = max(part.largest for part in parts)
    scales = [np.exp(part.largest - largest) for part in parts]
    total = sum(scale * part.weight for scale, part in zip(scales, parts, strict=True))
    success = sum(scale * part.success for scale, part in zip(scales, parts, strict=True))
    return np.asarray(success / total)


@dataclass(frozen=True, eq=False)
class _Chance:
    """Failures by chance alone.

    Attributes:
        before: Log probability of the first i outcomes under each rate, ``(n + 1) x r``.
        log_prior: Log prior of each rate, shape (r,).
        rates: Shape (r,).
        weight: Log probability of all outcomes.
        success: P(the next run succeeds).
    """

    before: Vector
    log_prior: Vector
    rates: Vector
    weight: float
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
    return _Chance(before, log_prior, rates, float(weight), float(
        1 - weights @ rates / weights.sum()
    ))  # fmt: skip


def _outages(failed: Flags, m: int, base: _Chance, prior: FailurePrior) -> _Part:
    """Every interval of runs as an outage."""
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
    largest = float(total.max())
    weights = np.exp(total - largest)
    return _Part(largest, float(weights.sum()), np.full(m, weights @ success))


def _limits(
    outcomes: Outcomes, seen: Vector, asked: Vector, base: _Chance, prior: FailurePrior
) -> _Part:
    """Every threshold from every run on."""
    failed, n = outcomes.failed, len(outcomes.failed)
    places = np.unique(np.concatenate((seen, asked)))
    gaps = np.diff(places)
    cuts = (places[1:] + places[:-1]) / 2
    beyond = seen > cuts[:, None]  # c x n
    # Outcomes beyond the cut, from each run on: suffix sums over time, c x n.
    inside = _suffix_sums(np.where(beyond, _broken(failed, prior), 0.0))
    # Where a job meets its limit is open: uniform over the range of what is asked, in logarithms.
    since = np.where(np.arange(n) == 0, np.log(prior.limit), np.log(prior.change))
    place = np.log(gaps / gaps.sum())[:, None] - np.log(2)
    by_rate = []
    for rate, known, odds in zip(base.rates, base.before[-1], base.log_prior, strict=True):
        normal = np.where(failed, np.log(rate), np.log1p(-rate))
        replaced = _suffix_sums(np.where(beyond, normal, 0.0))
        by_rate.append(known + odds - replaced + inside + since + place)
    largest = float(max(each.max() for each in by_rate))
    each_weight = [np.exp(each - largest).sum(axis=1) for each in by_rate]  # c, each
    weight = np.sum(each_weight, axis=0)
    within = np.sum([w * (1 - r) for w, r in zip(each_weight, base.rates, strict=True)], axis=0)
    # A limit may be lifted unseen: with every run since the last failure beyond it, a little.
    last = np.where(beyond & failed, outcomes.index, -1).max(axis=1)
    runs_since = np.where(last >= 0, outcomes.next_index - 1 - last, 0)
    holds = (1 - prior.lifted) ** np.maximum(runs_since, 0)
    broken = holds * prior.certain + (1 - holds) * prior.rates[0]
    across = asked > cuts[:, None]  # c x m
    success = within @ ~across + (weight * (1 - broken)) @ across
    return _Part(largest, float(weight.sum()), success)


def _suffix_sums(values: Vector) -> Vector:
    return np.asarray(np.cumsum(values[:, ::-1], axis=1)[:, ::-1])


def _broken(failed: Flags, prior: FailurePrior) -> Vector:
    """Log probability of each outcome where nearly everything fails."""
    return np.asarray(np.where(failed, np.log(prior.certain), np.log1p(-prior.certain)))
