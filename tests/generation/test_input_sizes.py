"""Input sizes over six orders of magnitude: k is learned, and nothing leaves a float's range."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import SPACE, completed, configured, noisy

from arbo_bo.experiment import AmdahlLaw, Arm, Context
from arbo_bo.generation import generate, predict

GAMMAS = (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3)
DEGREES = (1, 5, 8, 12, 3, 16, 8, 8, 10, 6)
BASE = 50.0


def history(law, noise, low, high, seed=0):
    """Runs of sizes between two scalings, spread evenly in their logarithm; the first is 1."""
    rng, time_of = np.random.default_rng(seed), noisy(noise, seed, law)
    gammas = [1.0, *np.exp(rng.uniform(math.log(low), math.log(high), len(DEGREES) - 1))]
    return [
        completed(i, s, time_of(s, float(g)), BASE * float(g))
        for i, (s, g) in enumerate(zip(DEGREES, gammas, strict=True))
    ]


def at(gamma):
    return Context(BASE * gamma, 0.0)


def predicted(trials, gamma, s=8, **options):
    return predict(configured(BASE, **options), trials, [Arm(s)], at(gamma))[0]


@pytest.mark.parametrize("k", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_k_is_learned_from_runs_of_different_sizes(k, noise):
    law = AmdahlLaw(300.0, 0.93, 5.0, k)
    trials = history(law, noise, 1e-3, 1e3)
    found = generate(configured(BASE), trials, at(1.0)).learned.law
    assert found.k == pytest.approx(k, abs=0.05)
    assert [predicted(trials, g).mean_s for g in GAMMAS] == pytest.approx(
        [law.runtime_s(8, g) for g in GAMMAS], rel=0.1 + noise
    )


@pytest.mark.parametrize("k", [0.5, 1.0, 1.5])
def test_small_inputs_are_predicted_when_nothing_takes_a_start(k):
    law = AmdahlLaw(300.0, 0.93, 0.0, k)
    trials = history(law, 0.0, 1e-3, 1e3)
    smallest = min(t.context.input_size for t in trials) / BASE
    sizes = [g for g in GAMMAS if g >= smallest]
    assert [predicted(trials, g).mean_s for g in sizes] == pytest.approx(
        [law.runtime_s(8, g) for g in sizes], rel=0.15
    )


@pytest.mark.parametrize("seen", [(1e-3, 1e3), (1.0, 1e3), (1e-3, 1.0), (0.8, 1.25)])
def test_larger_inputs_are_predicted_slower_over_six_orders_of_magnitude(seen):
    trials = history(AmdahlLaw(300.0, 0.93, 5.0, 1.0), 0.05, *seen)
    means = [predicted(trials, g).mean_s for g in GAMMAS]
    assert means == sorted(means)
    assert len(set(means)) == len(means)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(GAMMAS), min_size=1, max_size=6),
    st.sampled_from(GAMMAS),
    st.floats(0.0, 2.0),
    st.sampled_from(["multiplicative", "additive"]),
    st.sampled_from(["amdahl", "usl", "ernest"]),
)
def test_everything_is_finite_whatever_the_sizes(sizes, gamma, k, residual, mean):
    law = AmdahlLaw(300.0, 0.9, 1.0, k)
    trials = [
        completed(i, s, law.runtime_s(s, g), BASE * g)
        for i, (s, g) in enumerate(zip(DEGREES, [1.0, *sizes], strict=False))
    ]
    decision = generate(configured(BASE, residual=residual, mean=mean), trials, at(gamma)).decision
    assert decision.parallelism in SPACE
    for candidate in decision.candidates:
        prediction = candidate.prediction
        values = prediction.mean_s, prediction.std_s, *map(prediction.quantile_s, (0.05, 0.95))
        assert all(math.isfinite(v) and v >= 0 for v in values)
        assert math.isfinite(candidate.score)


@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize("seen", [(1e-3, 1e3), (1.0, 1e3), (0.1, 10.0)])
def test_time_is_predicted_alike_across_sizes_when_it_does_not_depend_on_them(seen, noise):
    law = AmdahlLaw(300.0, 0.93, 5.0, 0.0)
    trials = history(law, noise, *seen)
    found = generate(configured(BASE), trials, at(1.0)).learned.law
    assert found.k == pytest.approx(0.0, abs=0.02)
    across = [g for g in GAMMAS if seen[0] <= g <= seen[1]]
    assert [predicted(trials, g).mean_s for g in across] == pytest.approx(
        [law.runtime_s(8)] * len(across), rel=0.1
    )


def test_large_start_up_is_found_at_once_when_few_small_inputs_are_attached():
    law, gammas = AmdahlLaw(300.0, 0.95, 30.0, 1.0), [1.0] * 8 + [1e-3, 0.3, 0.1]
    time_of = noisy(0.03, 0, law)
    trials = [
        completed(i, s, time_of(s, g), BASE * g)
        for i, (s, g) in enumerate(zip((1, 5, 8, 12, 3, 16, 8, 8, 10, 6, 8), gammas, strict=True))
    ]
    assert predicted(trials, 1e-3).mean_s == pytest.approx(law.runtime_s(8, 1e-3), rel=0.2)


def test_size_that_came_first_changes_no_interval_when_all_runs_have_one_size():
    law = AmdahlLaw(300.0, 0.93, 5.0, 1.0)
    first, other = (
        [completed(i, s, law.runtime_s(s, 1.0), BASE * g) for i, s in enumerate((1, 5))]
        for g in (1.0, 1e-3)
    )
    base, small = predicted(first, 1.0, 16).scale, predicted(other, 1e-3, 16).scale
    assert small == pytest.approx(base, rel=0.02)
