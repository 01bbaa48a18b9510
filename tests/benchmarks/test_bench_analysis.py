"""Regret, deadlines and intervals, against what can be worked out by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from arbo_bo.benchmarks import analysis, report
from arbo_bo.benchmarks.analysis import EARLY_REGRET
from arbo_bo.benchmarks.bootstrap import paired_intervals
from arbo_bo.benchmarks.document import verdicts


def unit(policy: str, problem: str, regrets: list[float], seed: int = 0, **more: Any) -> Any:
    """The records of one unit, with these regrets."""
    count = len(regrets)
    base = {
        "suite": "s",
        "problem": problem,
        "urgency": 1.0,
        "cost_exponent": 0.5,
        "policy": policy,
        "seed": seed,
        "run": range(1, count + 1),
        "regret": regrets,
        "decision_s": 0.001,
        "deadline_s": np.nan,
        "missed": np.nan,
        "achievable": np.nan,
        "cost_ratio": np.nan,
        "failed": False,
        "error": "",
    }
    return pd.DataFrame(base | more)


def regrets(late: float, count: int = 12) -> list[float]:
    return [1.0, 1.0, *[late] * (count - 2)]


TWO = pd.concat(
    [
        unit("arbo", "a", regrets(0.1)),
        unit("arbo", "b", regrets(0.3)),
        unit("ernest", "a", regrets(0.2)),
        unit("ernest", "b", regrets(0.4)),
        unit("random", "a", regrets(1.0)),
        unit("random", "b", regrets(2.0)),
        unit("oracle", "a", regrets(0.0)),
        unit("oracle", "b", regrets(0.0)),
    ],
    ignore_index=True,
)


def test_early_regret_leaves_the_first_two_runs_out() -> None:
    summary = analysis.summarise(TWO).set_index("policy")
    assert summary[EARLY_REGRET].to_dict() == pytest.approx(
        {"arbo": 0.2, "ernest": 0.3, "random": 1.5, "oracle": 0.0}
    )
    assert summary.loc["arbo", "regret at 5"] == pytest.approx(0.2)
    assert summary.loc["arbo", "decision_ms"] == pytest.approx(1.0)


def test_means_over_runs_that_were_not_made_are_unknown() -> None:
    summary = analysis.summarise(TWO)
    assert summary["regret, runs 1-30"].isna().all()
    assert summary["regret at 20"].isna().all()


def test_long_regret_counts_every_run_when_there_are_thirty() -> None:
    summary = analysis.summarise(unit("arbo", "a", regrets(0.3, 30)))
    assert summary["regret, runs 1-30"].tolist() == pytest.approx([(2 + 28 * 0.3) / 30])


def test_failed_unit_counts_as_failed_and_in_no_mean() -> None:
    broken = unit("arbo", "c", [9.0, 9.0, 9.0], failed=[False, False, True], error="E: x")
    row = analysis.summarise(pd.concat([TWO, broken])).set_index("policy").loc["arbo"]
    assert (row["failed"], row["units"], row[EARLY_REGRET]) == pytest.approx((1, 2, 0.2))


def test_deadline_counts_misses_only_where_it_can_be_held() -> None:
    records = unit(
        "arbo",
        "a",
        regrets(0.0),
        deadline_s=10.0,
        achievable=[1.0] * 7 + [0.0] * 5,
        missed=[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        cost_ratio=[np.nan] * 3 + [1.2] * 4 + [np.nan] * 5,
    )
    row = analysis.deadline_measures(records)
    assert row["miss rate, runs 3-12"] == pytest.approx(1 / 5)
    assert row["cost over the cheapest"] == pytest.approx(0.2)
    assert np.isnan(row["miss rate, runs 8-40"])


def test_late_misses_are_counted_once_there_are_forty_runs() -> None:
    missed = [1.0] * 7 + [0.0] * 30 + [1.0] * 3
    records = unit("arbo", "a", regrets(0.0, 40), deadline_s=1.0, achievable=1.0, missed=missed)
    row = analysis.deadline_measures(records)
    assert row["miss rate, runs 8-40"] == pytest.approx(3 / 33)


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


@pytest.mark.parametrize(
    ("problem", "group"),
    [
        ("sort", "sort"),
        ("join_spark @ m4.2xlarge x3 from run 6", "join_spark"),
        ("kmeans_spark1.5 @ m4.xlarge, deadline at 25 %", "kmeans_spark1.5"),
        ("castep_DNA_10SCF(16threads) @ ARCHER2 128-core node,OFI", "castep_DNA_10SCF"),
        ("stereomatch(confidence=14,hypo_step=1) x1.5 from run 6", "stereomatch"),
        ("stereomatch(confidence=14,hypo_step=2), deadline at 50 %", "stereomatch"),
        ("usl-1 with more noise", "usl-1"),
        ("amdahl-0 under load, deadline at 75 %", "amdahl-0"),
        ("(1threads)", "(1threads)"),
    ],
)
def test_group_is_the_program(problem: str, group: str) -> None:
    assert analysis.group_of(problem) == group


def test_more_contexts_deadlines_and_seeds_of_a_program_are_not_more_programs() -> None:
    few = analysis.compare(TWO)[0]
    more = [TWO.assign(problem=TWO["problem"] + f" @ {i}", seed=i) for i in range(5)]
    many = analysis.compare(pd.concat([TWO, *more]))[0]
    assert (many.units, many.groups, few.units, few.groups) == (12, 2, 2, 2)
    assert (many.difference.low, many.difference.high) == pytest.approx(
        (few.difference.low, few.difference.high)
    )


def programs(policy: str, late: float, count: int = 6) -> Any:
    """One unit of each of so many programs."""
    units = [unit(policy, f"p{i}", regrets(late + i / 10)) for i in range(count)]
    return pd.concat(units, ignore_index=True)


@pytest.mark.parametrize(("count", "verdict"), [(5, "too few tasks to tell"), (6, "wins")])
def test_no_verdict_below_six_programs(count: int, verdict: str) -> None:
    records = pd.concat([programs("arbo", 0.1, count), programs("ernest", 0.3, count)])
    assert [c.verdict for c in analysis.compare(records)] == [verdict]


def test_ratio_of_miss_rates_is_that_of_the_columns() -> None:
    # Task b can be held in two runs only: a mean of rates would count it like task a's ten.
    def held(policy: str, problem: str, runs: int, missed: int) -> Any:
        flags = [0.0, 0.0, *[1.0] * missed, *[0.0] * (10 - missed)]
        possible = [0.0, 0.0, *[1.0] * runs, *[0.0] * (10 - runs)]
        return unit(
            policy, problem, regrets(0.0), deadline_s=1.0, achievable=possible, missed=flags
        )

    records = pd.concat(
        [
            held("arbo", "a", 10, 1),
            held("arbo", "b", 2, 2),
            held("ernest", "a", 10, 5),
            held("ernest", "b", 2, 1),
        ],
        ignore_index=True,
    )
    rates = analysis.summarise(records).set_index("policy")["miss rate, runs 3-12"]
    (found,) = analysis.compare(records)
    assert found.ratio.estimate == pytest.approx(rates["arbo"] / rates["ernest"])
    assert found.ratio.estimate == pytest.approx(3 / 6)


def test_policy_with_failed_units_is_marked_and_never_the_best_peer() -> None:
    failing = pd.concat(
        [
            programs("gp-ei", 0.0, 3),
            unit("gp-ei", "p5", [1.0, 1.0, 9.0], failed=[False, False, True], error="E: x"),
        ]
    )
    records = pd.concat([programs("arbo", 0.1), programs("ernest", 0.3), failing])
    found = analysis.compare(records)
    assert [(c.peer, c.is_best_peer, c.has_failed) for c in found] == [
        ("ernest", True, False),
        ("gp-ei", False, True),
    ]
    text = report.tables(records, {})
    assert "| gp-ei (not ranked: failed units) " in text
    assert " 3 (3) |" in text


def test_best_peer_is_ranked_by_the_units_that_all_share() -> None:
    # random was run on the easiest program alone.
    records = pd.concat(
        [programs("arbo", 0.1), programs("ernest", 0.3), programs("random", 0.4, 1)]
    )
    assert [c.peer for c in analysis.compare(records)] == ["ernest", "random"]


@pytest.mark.filterwarnings("error")
def test_peer_without_a_common_unit_is_left_out() -> None:
    records = pd.concat([programs("arbo", 0.1), unit("ernest", "elsewhere", regrets(0.1))])
    assert analysis.compare(records) == []
    assert "There is no peer" in verdicts(records)
    assert "nan" not in report.tables(records, {}).lower()


def test_regret_without_the_third_run_is_beside_the_early_one() -> None:
    values = [1.0, 1.0, 1.0, *[0.1] * 9]
    row = analysis.summarise(unit("arbo", "a", values)).loc[0]
    assert row[[EARLY_REGRET, "regret, runs 4-12"]].tolist() == pytest.approx([0.19, 0.1])


def test_comparison_marks_the_best_peer_and_leaves_the_oracle_out() -> None:
    found = analysis.compare(TWO)
    assert [(c.peer, c.is_best_peer) for c in found] == [("ernest", True), ("random", False)]
    assert found[0].difference.estimate == pytest.approx(-0.1)
    assert found[0].ratio.estimate == pytest.approx(0.2 / 0.3)


def test_variants_of_arbo_are_no_peers() -> None:
    names = ["arbo", "arbo-additive", "online", "oracle", "random"]
    assert analysis.peers_of(names) == ["online", "random"]


def test_worst_tasks_come_worst_first() -> None:
    worst = analysis.worst_tasks(TWO, "ernest")
    assert worst["problem"].tolist() == ["b", "a"]


def test_table_marks_policies_and_names_what_is_missing() -> None:
    broken = unit("gp-ei", "a", [1.0, 1.0, 1.0], failed=[False, False, True], error="ValueError: x")
    text = report.tables(pd.concat([TWO, broken]), {"skipped": {"ax": "ax-platform"}})
    assert "### s, minimising T x s^0.5" in text
    assert "| **arbo** " in text
    assert "| ernest (best peer) " in text
    assert "- gp-ei failed on 1 tasks x seeds, first with: ValueError: x" in text
    assert "- ax was skipped: the package ax-platform is not installed" in text
    assert "regret at 20" not in text


def test_losses_are_said_as_plainly_as_wins_and_each_suite_counts_once() -> None:
    records = pd.concat([programs("arbo", 0.3), programs("ernest", 0.1)])
    urgent = records.assign(urgency=2.0, cost_exponent=1.0)
    text = verdicts(pd.concat([records, urgent]))
    assert "Of 1 suites arbo wins 0 against the best peer, loses 1" in text
    assert "counted once (a = 1, c = 0.5)" in text
    assert "- s, T x s^0.5: against ernest" in text
    assert "- s, T^2 x s: against ernest" in text


def test_json_holds_null_for_what_was_not_measured() -> None:
    document = report.as_json(TWO, {})
    assert document["summary"][0]["regret at 20"] is None
    assert document["comparisons"][0]["peer"] == "ernest"
