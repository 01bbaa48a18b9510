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


def test_interval_of_a_constant_difference_is_that_difference() -> None:
    ours, theirs = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 3.0], [4.0, 5.0]])
    difference, _ = paired_intervals(ours, theirs)
    assert (difference.estimate, difference.low, difference.high) == (-1.0, -1.0, -1.0)


def test_interval_of_a_constant_ratio_is_that_ratio() -> None:
    theirs = np.array([[1.0], [2.0], [7.0]])
    _, ratio = paired_intervals(theirs / 4, theirs)
    assert (ratio.estimate, ratio.low, ratio.high) == (0.25, 0.25, 0.25)


def test_interval_of_two_tasks_is_the_enumerated_one() -> None:
    # Two tasks with differences 0 and 1: a resample's mean is 0, 0.5 or 1 with 1/4, 1/2 and 1/4,
    # so that the 2.5 % and 97.5 % quantiles are 0 and 1.
    difference, _ = paired_intervals(np.array([[1.0], [2.0]]), np.ones((2, 1)))
    assert (difference.estimate, difference.low, difference.high) == (0.5, 0.0, 1.0)


def test_more_seeds_of_one_task_are_not_more_tasks() -> None:
    # Ten seeds that agree say no more than one does: the interval is that of two tasks.
    ours = np.repeat([[1.0], [2.0]], 10, axis=1)
    difference, _ = paired_intervals(ours, np.ones((2, 10)))
    assert (difference.low, difference.high) == (0.0, 1.0)


def test_missing_seed_is_left_out_of_both() -> None:
    ours = np.array([[1.0, np.nan], [1.0, 1.0]])
    difference, _ = paired_intervals(ours, np.zeros((2, 2)))
    assert (difference.estimate, difference.low, difference.high) == (1.0, 1.0, 1.0)


def test_interval_is_the_same_for_the_same_seed() -> None:
    ours, theirs = np.random.default_rng(0).random((2, 20, 2))
    assert paired_intervals(ours, theirs, 1) == paired_intervals(ours, theirs, 1)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0.3, 1.0, (300, 40, 1))
    intervals = [paired_intervals(s, np.zeros((40, 1)), resamples=400)[0] for s in samples]
    assert 0.90 <= np.mean([i.low <= 0.3 <= i.high for i in intervals]) <= 0.98


def test_comparison_marks_the_best_peer_and_leaves_the_oracle_out() -> None:
    found = analysis.compare(TWO)
    assert [(c.peer, c.is_best_peer) for c in found] == [("ernest", True), ("random", False)]
    assert found[0].difference.estimate == pytest.approx(-0.1)
    assert found[0].ratio.estimate == pytest.approx(0.2 / 0.3)
    assert found[0].verdict == "wins"


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


def test_losses_are_said_as_plainly_as_wins() -> None:
    swapped = TWO.replace({"policy": {"arbo": "ernest", "ernest": "arbo"}})
    text = verdicts(swapped)
    assert "arbo wins 0 against the best peer, loses 1" in text
    assert "- s, T x s^0.5: against ernest" in text


def test_json_holds_null_for_what_was_not_measured() -> None:
    document = report.as_json(TWO, {})
    assert document["summary"][0]["regret at 20"] is None
    assert document["comparisons"][0]["peer"] == "ernest"
