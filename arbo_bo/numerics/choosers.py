"""What each acquisition function of arbo's own makes of the allowed degrees (numpy)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arbo_bo.experiment import SLO, Objective, Residual
from arbo_bo.experiment.slo import cost_objective
from arbo_bo.numerics import acquisition, mixture, service_levels
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.hypotheses import Mixture
from arbo_bo.numerics.inputs import paid
from arbo_bo.numerics.joint import Joint
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
        mixture: What is weighed; None: `posterior` alone. `belief`, `degrees`, `told` and `jointly`
            are under `posterior`'s hypothesis, every value is under all of them.
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
    mixture: Mixture | None = None

    @cached_property
    def weights(self) -> Vector:
        """How likely each hypothesis is, shape (h,)."""
        return np.ones(1) if self.mixture is None else self.mixture.weights

    @cached_property
    def each(self) -> "tuple[Alternatives, ...]":
        """The alternatives under each hypothesis that is alive; itself where there is one."""
        if self.mixture is None:
            return (self,)
        return tuple(replace(self, posterior=p, mixture=None) for p in self.mixture.posteriors)

    def log_mean(self, of: Callable[["Alternatives"], Any]) -> Vector:
        """The logarithm of an expectation, from its logarithm under each hypothesis."""
        return mixture.log_mean([np.asarray(of(a)) for a in self.each], self.weights)

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

    def jointly(
        self, choices: Positions, as_fitted: bool, most: int = acquisition.MOST_REFERENCES
    ) -> tuple[Joint, Positions, Positions]:
        """The joint belief with some choices; positions of choices and pending among references.

        Args:
            choices: Positions of degrees; of many, every second, third and so on stands for all.
            as_fitted: As in `Posterior.at`.
            most: How many choices there are at most.
        """
        chosen = choices[:: -(-len(choices) // most)]
        points = np.concatenate((self.X, self.pending))
        references = np.concatenate((chosen, np.arange(len(self.X), len(points))))
        belief = self.posterior.at(points, references, as_fitted)
        among = np.arange(len(references))
        return belief, among[: len(chosen)], among[len(chosen) :]

    @cached_property
    def expected_cost(self) -> Vector:
        """-log(E[T]^a Cost(s)) of each degree's next run, a failed one's repeat included, (m,)."""
        return self.reliably(self.expected_cost_of(self.objective))

    @cached_property
    def log_mean_time(self) -> Vector:
        """Log E[T] of each degree's next run, shape (m,)."""
        return self.log_mean(lambda a: acquisition.log_expected_time(a.degrees))

    def expected_cost_of(self, objective: Objective) -> Vector:
        """-log(E[T]^a Cost(s)) of each degree's next run, shape (m,)."""
        return -np.asarray(acquisition.log_score(self.log_mean_time, paid(self.X), objective))

    def utility(self, told: bool = False, run: bool = False) -> tuple[Vector, Vector]:
        """Mean and standard deviation of U, shape (m,) each.

        Args:
            told: Whether the runs under way are what is expected of them.
            run: As in `acquisition.utility`.
        """
        beliefs = [a.told if told else a.degrees for a in self.each]
        found = [acquisition.utility(b, self.objective, run) for b in beliefs]
        return mixture.moments([m for m, _ in found], [s for _, s in found], self.weights)

    def reliably(self, value: Vector) -> Vector:
        """A value in log units of the score, with the repeats of failed runs in it."""
        return value if self.log_repeat is None else value - self.log_repeat

    @cached_property
    def log_probability(self) -> Vector:
        """Log probability that each degree's next run succeeds and keeps each service level."""
        found = self.log_mean(lambda a: service_levels.log_probability(a.degrees, a.slo))
        return found if self.log_success is None else found + self.log_success[:, None]

    def under_slo(self, value: Vector) -> Vector:
        """A value among the degrees that keep the service levels; itself where there are none."""
        if not self.slo:
            return value
        kept = self.feasible()
        return np.asarray(service_levels.constrained(value, kept, self.log_probability))

    @cached_property
    def log_feasibility(self) -> Vector:
        """Log probability that each degree is feasible, shape (m,)."""
        return self.log_mean(lambda a: service_levels.log_feasibility(a.degrees, a.slo))

    def feasible(self, trial_risk: float = 1.0) -> Flags:
        """Which degrees keep every service level, or may be tried, shape (m,)."""
        kept = service_levels.reaches(self.log_probability, self.slo, 1.0)
        if trial_risk <= 1:
            return np.asarray(kept)
        risked = service_levels.reaches(self.log_probability, self.slo, trial_risk)
        return np.asarray(kept | (service_levels.is_likely(self.log_feasibility) & risked))

    def improvement_on(self, best: float) -> Vector:
        """Log expected improvement on an incumbent, the repeats of failed runs in both, (m,)."""
        threshold = best if self.log_repeat is None else best + self.log_repeat
        found = self.log_mean(
            lambda a: acquisition.expected_improvement(a.told, threshold, a.objective)
        )
        return np.asarray(found if self.log_success is None else found + self.log_success)

    def incumbent(self) -> float:
        """The best expected U of the degrees that are looked at and feasible, else -inf."""
        expected = self.reliably(self.utility()[0])
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
        expected = a.reliably(a.utility()[0])
        best = float(expected[a.looked_at].max())
    return a.under_slo(a.improvement_on(best))


def lcb(a: Alternatives) -> Vector:
    """The lowest optimistic score."""
    mean, std = a.utility(told=True)
    return a.under_slo(a.reliably(mean + std))


def risk_averse(a: Alternatives) -> Vector:
    """The lowest score when things go badly."""
    mean, std = a.utility(run=True)
    return a.under_slo(a.reliably(mean - std))


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
        value = a.reliably(a.expected_cost_of(objective))
    return np.asarray(service_levels.constrained(value, kept, a.log_probability))


def _knowledge_gradient(
    a: Alternatives, choices: Positions, objective: Objective, horizon: float
) -> Vector:
    most = acquisition.MOST_REFERENCES if len(a.each) == 1 else mixture.MOST_CHOICES
    scores = []
    for one in a.each:
        belief, among, pending = one.jointly(choices, as_fitted=True, most=most)
        score = acquisition.ScoreBelief.of(belief, among, pending, objective)
        if a.log_success is not None and a.log_repeat is not None:
            none = np.zeros(len(a.pending))
            repeat, success = (np.concatenate((v, none)) for v in (a.log_repeat, a.log_success))
            score = score.reliably(repeat, repeat[belief.references[among]], np.exp(success))
        scores.append(score)
    return mixture.knowledge_gradient(scores, a.weights, horizon)[: len(a.X)]


def thompson(a: Alternatives) -> Vector:
    """The best in one joint draw of what is believed, under a hypothesis that is drawn first."""
    draw = np.random.default_rng(a.seed)
    one = a.each[0] if len(a.each) == 1 else a.each[int(draw.choice(len(a.each), p=a.weights))]
    belief, among, pending = one.jointly(a.looked_at, as_fitted=False)
    normal = draw.standard_normal(len(among))
    value = acquisition.thompson(belief, among, pending, normal, a.objective)
    return a.under_slo(a.reliably(np.asarray(value)[: len(a.X)]))


def deadline(a: Alternatives) -> Vector:
    """The least cost of the degrees that keep the service levels: money where a price is known."""
    objective = cost_objective(a.objective, a.slo)
    return a.under_slo(a.reliably(a.expected_cost_of(objective)))


def budget(a: Alternatives) -> Vector:
    """The least expected time of the degrees that keep the service levels."""
    return a.under_slo(a.reliably(-a.log_mean_time))


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
    return a.improvement_on(best) + a.log_feasibility


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
    found = [acquisition.probability_not_worse(one.belief, 0, a.objective) for one in a.each]
    return np.asarray(a.weights @ np.stack(found))[: len(a.X)]


def predictions(belief: Joint) -> Sequence[tuple[float, float]]:
    """Location and scale of the next run's time at each point, in physical units."""
    mean, std = belief.mean, belief.run_std
    if belief.residual is Residual.MULTIPLICATIVE:
        mean = mean + belief.log_scale
    else:
        unit = np.exp(belief.log_scale)
        mean, std = mean * unit, std * unit
    return list(zip(mean.tolist(), std.tolist(), strict=True))
