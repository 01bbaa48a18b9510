"""What each acquisition function of arbo's own makes of the allowed degrees (numpy)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from arbo_bo.experiment import SLO, Objective, Residual
from arbo_bo.experiment.slo import cost_objective
from arbo_bo.numerics import acquisition, service_levels
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.moments import log_mean_time
from arbo_bo.numerics.posterior import Posterior

Positions = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The allowed degrees at one context, and what is believed of them.

    Attributes:
        posterior: Of the task's time.
        X: ``m x d``: every allowed degree at this context.
        looked_at: Positions of those that the search rule leaves.
        reference: The default degree's position.
        pending: ``p x d``: runs of the task under way.
        objective: What is minimised.
        slo: Service levels, none to two.
        seed: For what is drawn.
        log_success: Log probability of each degree's success over that of the most reliable one,
            shape (m,); None: nothing has failed.
        log_repeat: What the repeats of failed runs add to the logarithm of a degree's score, (m,).
    """

    posterior: Posterior
    X: Vector
    looked_at: Positions
    reference: int
    pending: Vector
    objective: Objective
    slo: tuple[SLO, ...] = ()
    seed: int = 0
    log_success: Vector | None = None
    log_repeat: Vector | None = None

    @cached_property
    def belief(self) -> Joint:
        """What is believed of every degree; the references are the default and the pending runs."""
        points = np.concatenate((self.X, self.pending))
        pending = np.arange(len(self.X), len(points))
        return self.posterior.at(points, np.concatenate(([self.reference], pending)))

    @cached_property
    def degrees(self) -> Joint:
        """`belief` of the degrees alone."""
        return self._alone(self.belief)

    @cached_property
    def told(self) -> Joint:
        """`degrees` once the runs under way are what is expected of them."""
        return self._alone(self.belief.given(1 + np.arange(len(self.pending))))

    def _alone(self, belief: Joint) -> Joint:
        return belief.at(np.arange(len(self.X)), np.zeros(1, dtype=int))

    def jointly(self, choices: Positions, as_fitted: bool) -> tuple[Joint, Positions, Positions]:
        """The joint belief with some choices; positions of choices and pending among references.

        Args:
            choices: Positions of degrees; of many, every second, third and so on stands for all.
            as_fitted: As in `Posterior.at`.
        """
        chosen = choices[:: -(-len(choices) // acquisition.MOST_REFERENCES)]
        points = np.concatenate((self.X, self.pending))
        references = np.concatenate((chosen, np.arange(len(self.X), len(points))))
        belief = self.posterior.at(points, references, as_fitted)
        among = np.arange(len(references))
        return belief, among[: len(chosen)], among[len(chosen) :]

    @cached_property
    def expected_cost(self) -> Vector:
        """-log(E[T]^a Cost(s)) of each degree's next run, a failed one's repeat included, (m,)."""
        return self.reliably(np.asarray(acquisition.expected_cost(self.degrees, self.objective)))

    def reliably(self, value: Vector) -> Vector:
        """A value in log units of the score, with the repeats of failed runs in it."""
        return value if self.log_repeat is None else value - self.log_repeat

    @cached_property
    def log_probability(self) -> Vector:
        """Log probability that each degree's next run succeeds and keeps each service level."""
        found = np.asarray(service_levels.log_probability(self.degrees, self.slo))
        return found if self.log_success is None else found + self.log_success[:, None]

    def under_slo(self, value: Vector) -> Vector:
        """A value among the degrees that keep the service levels; itself where there are none."""
        if not self.slo:
            return value
        kept = self.feasible()
        return np.asarray(service_levels.constrained(value, kept, self.log_probability))

    def feasible(self, trial_risk: float = 1.0) -> Flags:
        """Which degrees keep every service level, or may be tried, shape (m,)."""
        found = service_levels.feasible(self.degrees, self.slo, self.log_probability, trial_risk)
        return np.asarray(found)

    def improvement_on(self, best: float) -> Vector:
        """Log expected improvement on an incumbent, the repeats of failed runs in both, (m,)."""
        threshold = best if self.log_repeat is None else best + self.log_repeat
        found = acquisition.expected_improvement(self.told, threshold, self.objective)
        return np.asarray(found if self.log_success is None else found + self.log_success)

    def incumbent(self) -> float:
        """The best expected U of the degrees that are looked at and feasible, else -inf."""
        expected = self.reliably(acquisition.utility(self.degrees, self.objective)[0])
        if self.slo:
            kept = self.feasible()
            expected = np.where(kept, expected, -np.inf)
        return float(expected[self.looked_at].max())


def expected_cost(a: Alternatives) -> Vector:
    """The least expected cost."""
    return a.under_slo(a.expected_cost)


def expected_improvement(a: Alternatives) -> Vector:
    """The largest expected improvement on the best feasible degree."""
    best = a.incumbent()
    if best == -np.inf:  # nothing is feasible, and no degree's improvement counts
        expected = a.reliably(acquisition.utility(a.degrees, a.objective)[0])
        best = float(expected[a.looked_at].max())
    return a.under_slo(a.improvement_on(best))


def lcb(a: Alternatives) -> Vector:
    """The lowest optimistic score."""
    value = acquisition.confidence_bound(a.told, 1.0, a.objective)
    return a.under_slo(a.reliably(np.asarray(value)))


def risk_averse(a: Alternatives) -> Vector:
    """The lowest score when things go badly."""
    value = acquisition.confidence_bound(a.degrees, -1.0, a.objective, run=True)
    return a.under_slo(a.reliably(np.asarray(value)))


def knowledge_gradient(a: Alternatives) -> Vector:
    """What the runs to come gain, less what this one costs; see `acquisition.knowledge_gradient`.

    It asks the belief with the noise as fitted, which looks again sooner. Under service levels it
    chooses among the feasible degrees, and may try one that is likely to be feasible once known.
    """
    prior = a.posterior.fit.problem.priors.choice
    if not a.slo:
        return _knowledge_gradient(a, a.looked_at, a.objective, prior.horizon)
    objective = cost_objective(a.objective, a.slo)
    kept = a.feasible(prior.trial_risk)
    choices = a.looked_at[kept[a.looked_at]]
    if len(choices):
        value = _knowledge_gradient(a, choices, objective, prior.horizon)
    else:
        value = a.reliably(np.asarray(acquisition.expected_cost(a.degrees, objective)))
    return np.asarray(service_levels.constrained(value, kept, a.log_probability))


def _knowledge_gradient(
    a: Alternatives, choices: Positions, objective: Objective, horizon: float
) -> Vector:
    belief, among, pending = a.jointly(choices, as_fitted=True)
    score = acquisition.ScoreBelief.of(belief, among, pending, objective)
    if a.log_success is not None and a.log_repeat is not None:
        none = np.zeros(len(a.pending))
        repeat, success = (np.concatenate((v, none)) for v in (a.log_repeat, a.log_success))
        score = score.reliably(repeat, repeat[belief.references[among]], np.exp(success))
    return np.asarray(acquisition.knowledge_gradient(score, horizon))[: len(a.X)]


def thompson(a: Alternatives) -> Vector:
    """The best in one joint draw of what is believed."""
    belief, among, pending = a.jointly(a.looked_at, as_fitted=False)
    normal = np.random.default_rng(a.seed).standard_normal(len(among))
    value = acquisition.thompson(belief, among, pending, normal, a.objective)
    return a.under_slo(a.reliably(np.asarray(value)[: len(a.X)]))


def deadline(a: Alternatives) -> Vector:
    """The least cost of the degrees that keep the service levels: money where a price is known."""
    objective = cost_objective(a.objective, a.slo)
    return a.under_slo(a.reliably(np.asarray(acquisition.expected_cost(a.degrees, objective))))


def budget(a: Alternatives) -> Vector:
    """The least expected time of the degrees that keep the service levels."""
    belief = a.degrees
    expected = log_mean_time(belief.mean, belief.run_std, belief.residual) + belief.log_scale
    return a.under_slo(a.reliably(np.asarray(-expected)))


def constrained_improvement(a: Alternatives) -> Vector:
    """log(EI P): improvement on the best feasible degree, times the belief in being feasible.

    It explores near the boundary: a degree that is not yet known to be feasible may be run. While
    nothing is feasible the value is the log probability that the next run keeps the levels.

    Source: Schonlau, Welch and Jones, "Global versus local search in constrained optimization",
    1998.
    """
    best = a.incumbent()
    if best == -np.inf:
        return np.asarray(a.log_probability.min(-1))
    belief = service_levels.log_feasibility(a.degrees, a.slo)
    return np.asarray(a.improvement_on(best) + belief)


CHOOSERS: Mapping[str, Callable[[Alternatives], Vector]] = MappingProxyType(
    {
        f.__name__: f
        for f in (
            expected_cost,
            expected_improvement,
            lcb,
            knowledge_gradient,
            risk_averse,
            thompson,
            deadline,
            budget,
            constrained_improvement,
        )
    }
)


def probability_not_worse(a: Alternatives) -> Vector:
    """P(a degree's score is not worse than the default degree's), noise-free, shape (m,)."""
    found = acquisition.probability_not_worse(a.belief, 0, a.objective)
    return np.asarray(found)[: len(a.X)]


def predictions(belief: Joint) -> Sequence[tuple[float, float]]:
    """Location and scale of the next run's time at each point, in physical units."""
    mean, std = belief.mean, belief.run_std
    if belief.residual is Residual.MULTIPLICATIVE:
        mean = mean + belief.log_scale
    else:
        unit = np.exp(belief.log_scale)
        mean, std = mean * unit, std * unit
    return list(zip(mean.tolist(), std.tolist(), strict=True))
