"""Regret, misses and cost over spans of runs, against what can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from bench_samples import TWO, regrets, unit

from arbo_bo.benchmarks import measures
from arbo_bo.benchmarks.measures import EARLY_REGRET
from arbo_bo.benchmarks.problems import program_of


def test_early_regret_leaves_the_first_two_runs_out() -> None:
    summary = measures.summarise(TWO).set_index("policy")
    assert summary[EARLY_REGRET].to_dict() == pytest.approx(
        {"arbo": 0.2, "ernest": 0.3, "random": 1.5, "oracle": 0.0}
    )
    assert summary.loc["arbo", "regret_at_5"] == pytest.approx(0.2)
    assert summary.loc["arbo", "decision_ms"] == pytest.approx(1.0)


def test_means_over_runs_that_were_not_made_are_unknown() -> None:
    summary = measures.summarise(TWO)
    assert summary["long_regret"].isna().all()
    assert summary["regret_at_20"].isna().all()


def test_long_regret_counts_every_run_when_there_are_thirty() -> None:
    summary = measures.summarise(unit("arbo", "a", regrets(0.3, 30)))
    assert summary["long_regret"].tolist() == pytest.approx([(2 + 28 * 0.3) / 30])


def test_failed_unit_counts_as_failed_and_in_no_mean() -> None:
    broken = unit("arbo", "c", [9.0, 9.0, 9.0], failed=[False, False, True], error="E: x")
    row = measures.summarise(pd.concat([TWO, broken])).set_index("policy").loc["arbo"]
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
    row = measures.deadline_measures(records)
    assert row["early_miss_rate"] == pytest.approx(1 / 5)
    assert row["cost_over_cheapest"] == pytest.approx(0.2)
    assert np.isnan(row["late_miss_rate"])
    assert np.isnan(row["late_cost_over_cheapest"])


def test_late_misses_are_counted_once_there_are_forty_runs() -> None:
    missed = [1.0] * 7 + [0.0] * 30 + [1.0] * 3
    ratios = [2.0] * 7 + [1.1] * 30 + [np.nan] * 3
    records = unit(
        "arbo",
        "a",
        regrets(0.0, 40),
        deadline_s=1.0,
        achievable=1.0,
        missed=missed,
        cost_ratio=ratios,
    )
    row = measures.deadline_measures(records)
    assert row["late_miss_rate"] == pytest.approx(3 / 33)
    assert row["late_cost_over_cheapest"] == pytest.approx(0.1)


def test_regret_without_the_third_run_is_beside_the_early_one() -> None:
    values = [1.0, 1.0, 1.0, *[0.1] * 9]
    row = measures.summarise(unit("arbo", "a", values)).loc[0]
    assert row[[EARLY_REGRET, "later_regret"]].tolist() == pytest.approx([0.19, 0.1])


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
        ("stereomatch(confidence=14,hypo_step=2), size 5e+06", "stereomatch"),
        ("amdahl-0 under load, deadline at 75 %", "amdahl-0"),
        ("(1threads)", "(1threads)"),
    ],
)
def test_group_is_the_program(problem: str, group: str) -> None:
    assert program_of(problem) == group


def test_early_means_end_with_the_last_run_when_there_are_fewer_than_twelve() -> None:
    row = measures.summarise(unit("arbo", "a", regrets(0.3, 8))).loc[0]
    assert row[[EARLY_REGRET, "later_regret"]].tolist() == pytest.approx([0.3, 0.3])
    assert measures.title(EARLY_REGRET, 8) == "regret, runs 3-8"
    assert measures.title("early_miss_rate", 40) == "miss rate, runs 3-12"
