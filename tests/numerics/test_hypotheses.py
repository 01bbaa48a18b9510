"""Hypotheses are weighed by what runs say of them; a mixture has the values of its parts."""

from dataclasses import replace

import numpy as np
import pytest

from arbo_bo.experiment import MaxExecutionTime, Objective
from arbo_bo.numerics import mixture
from arbo_bo.numerics.acquisition import ScoreBelief
from arbo_bo.numerics.choosers import CHOOSERS, Alternatives
from arbo_bo.numerics.fitting import fit, log_evidence
from arbo_bo.numerics.hypotheses import CLIFF, Mixture, weighed
from arbo_bo.numerics.laws import LAWS, laws_of, with_cliff
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.priors import DEFAULT_PRIORS, HypothesisPrior
from arbo_bo.numerics.problem import FitProblem

DEGREES = np.arange(1.0, 17.0)
CLIFFS = replace(DEFAULT_PRIORS, hypotheses=HypothesisPrior(cliff=0.3, usl=0.0, rough=0.0))


def problem(degrees, times, priors=DEFAULT_PRIORS):
    X = np.column_stack([degrees, np.ones(len(degrees)), np.zeros(len(degrees))])
    return FitProblem.of(X, np.array(times), priors=priors)


def law(s):
    return 10 + 1000 * (0.1 + 0.9 / np.asarray(s, float))


def weights_by_name(found):
    total = {}
    for hypothesis, weight in zip(found.hypotheses, found.weights.tolist(), strict=True):
        total[hypothesis.name] = total.get(hypothesis.name, 0.0) + weight
    return total


def alternatives(found, **options):
    X = np.column_stack([DEGREES, np.ones(16), np.zeros(16)])
    return Alternatives(
        posterior=found.posteriors[0],
        X=X,
        looked_at=np.arange(16),
        reference=4,
        pending=np.empty((0, 3)),
        objective=Objective(),
        mixture=found,
        **options,
    )


def of(degrees, factor=1.0, above=0.0, priors=CLIFFS):
    degrees = np.array(degrees, float)
    times = law(degrees) * np.where(degrees < above, factor, 1.0)
    return weighed([fit(problem(degrees, times, priors))], [DEGREES])[0]


def test_cliff_is_believed_when_the_smallest_degree_is_far_off_the_law():
    assert weights_by_name(of([1, 4, 8, 16], factor=6.0, above=2))[CLIFF] > 0.9


def test_cliff_is_hardly_believed_when_every_degree_obeys_the_law():
    assert weights_by_name(of([1, 2, 4, 8, 16])).get(CLIFF, 0.0) < 0.1


def test_cliff_may_end_at_every_degree_of_the_gap_that_holds_it():
    found = of([1, 5, 16], factor=8.0, above=2)
    ends = {h.above for h in found.hypotheses if h.name == CLIFF}
    assert ends >= {2.0, 3.0, 4.0, 5.0}


def test_a_run_in_the_gap_tells_where_the_cliff_ends():
    found = of([8, 1, 16, 2, 3], factor=8.0, above=3)
    ends = {h.above: w for h, w in zip(found.hypotheses, found.weights, strict=True)}
    assert ends[3.0] > 0.9


def test_a_window_of_one_degree_has_nothing_to_weigh():
    assert len(of([4, 4, 4]).hypotheses) == 1


def test_a_fit_of_several_tasks_weighs_each_as_it_would_alone():
    fits = [fit(problem(d, law(d) * f, CLIFFS)) for d, f in (([1, 4, 9], 1), ([2, 8], 3))]
    together = weighed(fits, [DEGREES, DEGREES])
    for one, found in zip(fits, together, strict=True):
        alone = weighed([one], [DEGREES])[0]
        assert found.hypotheses == alone.hypotheses
        assert found.weights == pytest.approx(alone.weights, rel=1e-6)


def test_law_without_a_degree_below_its_cliff_has_the_evidence_of_the_law_itself():
    base = fit(problem([1, 4, 16], law([1, 4, 16])))
    plain, slow = base.problem, laws_of(DEFAULT_PRIORS.laws)
    widened = with_cliff(slow[plain.law.name], 1.0, DEFAULT_PRIORS.laws.cliff)
    cliff, m = DEFAULT_PRIORS.laws.cliff, len(plain.law.parameters)
    pairs = (
        (plain.location, cliff.prior.location),
        (plain.scale, cliff.prior.scale),
        (plain.low, cliff.low),
        (plain.high, cliff.high),
    )
    location, scale, low, high = (np.insert(v, m, x) for v, x in pairs)
    other = replace(plain, law=widened, location=location, scale=scale, low=low, high=high)
    x = np.insert(base.x, m, cliff.prior.location)
    assert log_evidence(replace(base, problem=other, x=x)) == pytest.approx(log_evidence(base))


def test_cliff_multiplies_the_law_below_its_end_alone():
    cliff = with_cliff(LAWS["amdahl"], 4.0, DEFAULT_PRIORS.laws.cliff)
    s, theta = np.array([2.0, 4.0]), np.array([0.0, 2.0, -3.0, 1.0])
    plain = LAWS["amdahl"].runtime(s, np.ones(2), theta)
    found = cliff.runtime(s, np.ones(2), np.append(theta, np.log(5.0)))
    assert found == pytest.approx(plain * [5, 1])


@pytest.mark.parametrize("name", CHOOSERS)
def test_mixture_of_one_hypothesis_twice_gives_the_values_of_one(name):
    posterior = Posterior(fit(problem([1, 2, 4, 8, 16], law([1, 2, 4, 8, 16]) * 1.01)))
    alone = Mixture.alone(posterior)
    twice = Mixture(alone.hypotheses * 2, np.array([0.3, 0.7]), (posterior, posterior))
    slo = (MaxExecutionTime(400.0, confidence=0.8),)
    wanted = CHOOSERS[name](alternatives(alone, slo=slo))
    found = CHOOSERS[name](alternatives(twice, slo=slo))
    if name == "thompson":  # the hypothesis is drawn before the joint draw
        assert found.shape == wanted.shape
    else:
        assert found == pytest.approx(wanted, rel=1e-2, abs=1e-2)  # two rules


def test_knowledge_gradient_of_a_mixture_is_the_one_of_simulated_outcomes():
    found = of([2, 16], factor=4.0, above=4)
    assert len(found.hypotheses) > 2
    a = alternatives(found)
    value = CHOOSERS["knowledge_gradient"](a)
    beliefs = []
    for one in a.each:
        belief, among, pending = one.jointly(np.arange(16), as_fitted=True)
        beliefs.append(ScoreBelief.of(belief, among, pending, a.objective))
    rng, at = np.random.default_rng(0), 5
    which = rng.choice(len(beliefs), p=a.weights, size=100_000)
    mean = np.array([b.at_points[at] for b in beliefs])
    std = np.array([np.sqrt(b.variance[at] + b.noise[at]) for b in beliefs])
    y = mean[which] + std[which] * rng.standard_normal(len(which))
    density = np.stack([w * np.exp(-0.5 * ((y - m) / s) ** 2) / s
                        for w, m, s in zip(a.weights, mean, std, strict=True)])  # fmt: skip
    density /= density.sum(0)
    now = sum(w * np.exp(-b.means) for w, b in zip(a.weights, beliefs, strict=True))
    best = int(now.argmin())
    then = sum(
        d[:, None] * np.exp(np.clip(
            -(b.means + np.log(now[best]))[None]
            - ((y - m) / s)[:, None] * b.covariance[at] / s, -5, 5))
        for d, b, m, s in zip(density, beliefs, mean, std, strict=True)
    )  # fmt: skip
    saved = (then[:, best] - then.min(1)).mean()
    cost = sum(w * np.exp(b.cost) for w, b in zip(a.weights, beliefs, strict=True))
    regret = cost[at] / cost.min() - 1
    assert value[at] == pytest.approx(8 * saved - regret, rel=0.05, abs=0.02)


def test_moments_of_a_mixture_are_those_of_its_draws():
    mean, std = mixture.moments(
        [np.array([0.0]), np.array([2.0])], [np.ones(1), np.ones(1)], np.array([0.5, 0.5])
    )
    assert (mean[0], std[0]) == pytest.approx((1.0, 2**0.5))
