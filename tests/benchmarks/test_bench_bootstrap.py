"""Bootstrap intervals, against what can be worked out by hand or simulated."""

import numpy as np

from arbo_bo.benchmarks import report
from arbo_bo.benchmarks.bootstrap import paired_intervals

ONES = np.ones(2)


def test_interval_of_a_constant_difference_is_that_difference() -> None:
    difference, _ = paired_intervals(np.array([1.0, 6.0]), np.array([2.0, 8.0]), np.array([1, 2]))
    assert (difference.estimate, difference.low, difference.high) == (-1.0, -1.0, -1.0)


def test_interval_of_a_constant_ratio_is_that_ratio() -> None:
    theirs = np.array([1.0, 2.0, 7.0])
    _, ratio = paired_intervals(theirs / 4, theirs, np.ones(3))
    assert (ratio.estimate, ratio.low, ratio.high) == (0.25, 0.25, 0.25)


def test_interval_of_two_groups_is_the_enumerated_one() -> None:
    # Two groups with differences 0 and 1: a resample's mean is 0, 0.5 or 1 with 1/4, 1/2 and 1/4,
    # so that the outer quantiles are 0 and 1.
    difference, _ = paired_intervals(np.array([1.0, 2.0]), ONES, ONES)
    assert (difference.estimate, difference.low, difference.high) == (0.5, 0.0, 1.0)


def test_group_without_values_is_left_out() -> None:
    groups = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    difference, _ = paired_intervals(*groups)
    assert (difference.estimate, difference.low, difference.high) == (1.0, 1.0, 1.0)


def test_one_group_has_no_interval() -> None:
    difference, ratio = paired_intervals(ONES[:1], 2 * ONES[:1], ONES[:1])
    assert (difference.estimate, ratio.estimate) == (-1.0, 0.5)
    assert np.isnan([difference.low, difference.high, ratio.low, ratio.high]).all()
    assert report.interval(ratio) == "0.50"


def test_ratio_keeps_infinite_resamples_and_drops_those_of_nothing() -> None:
    # Of theirs only the first group is above 0: without it the ratio is infinite.
    _, ratio = paired_intervals(np.array([1.0, 1.0]), np.array([1.0, 0.0]), ONES)
    assert (ratio.low, ratio.high) == (1.0, np.inf)
    assert report.interval(ratio) == "2.00 [1.00, inf]"
    _, ratio = paired_intervals(np.array([1.0, 0.0]), np.array([1.0, 0.0]), ONES)
    assert (ratio.low, ratio.high) == (1.0, 1.0)


def test_interval_is_the_same_for_the_same_seed() -> None:
    ours, theirs = np.random.default_rng(0).random((2, 20))
    assert paired_intervals(ours, theirs, np.ones(20), 1) == paired_intervals(
        ours, theirs, np.ones(20), 1
    )


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0.3, 1.0, (300, 40))
    none, one = np.zeros(40), np.ones(40)
    intervals = [paired_intervals(s, none, one, resamples=1000)[0] for s in samples]
    assert 0.90 <= np.mean([i.low <= 0.3 <= i.high for i in intervals]) <= 0.98


def test_interval_of_seven_skewed_groups_covers_the_truth_nine_times_in_ten() -> None:
    samples = np.random.default_rng(0).exponential(1.0, (600, 7))
    none, one = np.zeros(7), np.ones(7)
    intervals = [paired_intervals(s, none, one, resamples=4000)[0] for s in samples]
    assert np.mean([i.low <= 1.0 <= i.high for i in intervals]) >= 0.88
