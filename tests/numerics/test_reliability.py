"""What outcomes say of the next run's success."""

import tracemalloc

import numpy as np
import pytest

from arbo_bo.numerics.reliability import Outcomes, success_probability

DEGREES = np.array([1.0, 2, 4, 8, 16])


def believed(*runs, gamma=1.0, sizes=None):
    """P(success) by degree after runs as (degree, "S" or "F")."""
    sizes = np.ones(len(runs)) if sizes is None else np.array(sizes)
    outcomes = Outcomes(
        np.array([float(s) for s, _ in runs]),
        sizes,
        np.array([end == "F" for _, end in runs]),
        np.arange(len(runs)),
        len(runs),
    )
    found = success_probability(outcomes, DEGREES, gamma).tolist()
    return dict(zip(DEGREES.tolist(), found, strict=True))


def test_failure_above_what_succeeds_speaks_for_a_limit_between_them():
    found = believed((1, "S"), (4, "S"), (16, "F"), (4, "S"))
    assert found[16] < 0.4 < found[8] < 0.8
    assert min(found[1], found[2], found[4]) > 0.9


def test_failure_below_what_succeeds_speaks_for_a_limit_between_them():
    found = believed((1, "F"), (8, "S"), (8, "S"))
    assert found[1] < 0.4 < found[4] < found[8]


def test_second_failure_makes_the_limit_surer():
    once = believed((4, "S"), (16, "F"), (4, "S"))
    twice = believed((4, "S"), (16, "F"), (4, "S"), (16, "F"), (4, "S"))
    assert twice[16] < once[16] / 2


def test_outage_bans_nothing_when_a_run_has_succeeded_since():
    before = [(1, "S"), (4, "S"), *[(16, "S")] * 8]
    found = believed(*before, (16, "F"), (8, "F"), (4, "F"), (4, "S"))
    assert min(found.values()) > 0.85


def test_success_clears_what_fails_when_the_failures_were_an_outage():
    found = believed(*[(16, "S")] * 5, *[(16, "F")] * 4, (16, "S"))
    assert found[16] > 0.85


def test_flaky_job_fails_alike_at_every_degree():
    found = believed(*[(4, "S"), (8, "S"), (16, "F"), (16, "S"), (8, "F"), (4, "S"), (4, "F")] * 2)
    assert max(found.values()) - min(found.values()) < 0.15
    assert found[4] < 0.9


def test_everything_is_likely_to_fail_when_everything_has():
    found = believed(*[(s, "F") for s in (1, 16, 4, 8, 2, 16, 1)])
    assert max(found.values()) < 0.5


def test_larger_input_fails_at_a_degree_that_a_smaller_one_is_safe_at():
    runs = [(4, "S"), (4, "S"), (4, "F"), (8, "S"), (4, "S"), (4, "F")]
    sizes = [1.0, 1.2, 6.0, 6.0, 1.1, 6.5]
    small, large = (believed(*runs, sizes=sizes, gamma=g) for g in (1.0, 6.0))
    assert small[4] > 0.8
    assert large[4] < 0.5
    assert large[16] > 0.7


def test_order_of_degrees_asked_changes_nothing():
    failed = np.array([False, True, False])
    outcomes = Outcomes(np.array([4.0, 16, 4]), np.ones(3), failed, np.arange(3), 3)
    forward = success_probability(outcomes, DEGREES, 1.0)
    backward = success_probability(outcomes, DEGREES[::-1].copy(), 1.0)
    assert forward == pytest.approx(backward[::-1], abs=1e-12)


def test_belief_in_a_limit_fades_with_the_runs_since_whether_or_not_they_are_at_hand():
    failed = np.array([False, True, False, False])
    runs = np.array([4.0, 16, 4, 4]), np.ones(4), failed
    soon = success_probability(Outcomes(*runs, np.arange(4), 4), DEGREES, 1.0)
    late = success_probability(Outcomes(*runs, np.array([0, 1, 98, 99]), 100), DEGREES, 1.0)
    assert late[-1] > soon[-1] + 0.1


def test_many_runs_and_degrees_take_little_memory():
    rng = np.random.default_rng(0)
    degrees, n = np.arange(1.0, 2001.0), 500
    sizes, failed = np.exp(rng.normal(size=n)), rng.random(n) < 0.1
    outcomes = Outcomes(rng.choice(degrees, n), sizes, failed, np.arange(n), n)
    tracemalloc.start()
    found = success_probability(outcomes, degrees, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == degrees.shape
    assert peak < 500e6
