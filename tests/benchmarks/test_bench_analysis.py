"""Who wins, by what measure, and how it is said."""

from typing import Any

import pandas as pd
import pytest
from bench_samples import TWO, programs, regrets, unit

from arbo_bo.benchmarks import analysis, measures, plots, report
from arbo_bo.benchmarks.document import verdicts
from arbo_bo.benchmarks.trial import agreement
from arbo_bo.experiment import Objective


def test_more_contexts_deadlines_and_seeds_of_a_program_are_not_more_programs() -> None:
    few = analysis.compare(TWO)[0]
    more = [TWO.assign(problem=TWO["problem"] + f" @ {i}", seed=i) for i in range(5)]
    many = analysis.compare(pd.concat([TWO, *more]))[0]
    assert (many.units, many.groups, few.units, few.groups) == (12, 2, 2, 2)
    assert (many.difference.low, many.difference.high) == pytest.approx(
        (few.difference.low, few.difference.high)
    )


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
    rates = measures.summarise(records).set_index("policy")["early_miss_rate"]
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


def test_comparison_marks_the_best_peer_and_leaves_the_oracle_out() -> None:
    found = analysis.compare(TWO)
    assert [(c.peer, c.is_best_peer) for c in found] == [("ernest", True), ("random", False)]
    assert found[0].difference.estimate == pytest.approx(-0.1)
    assert found[0].ratio.estimate == pytest.approx(0.2 / 0.3)


def test_variants_of_arbo_are_no_peers() -> None:
    names = ["arbo", "arbo:additive", "online", "oracle", "random"]
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
    assert (
        "- ax was skipped: the package ax-platform is not installed; pip install 'arbo-bo[ax]'"
        in text
    )
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
    assert document["summary"][0]["regret_at_20"] is None
    assert document["comparisons"][0]["peer"] == "ernest"


def held(policy: str, problem: str, missed: list[float], cost: float) -> Any:
    """A unit with a deadline that can always be held; each run that holds it costs the same."""
    costs = [float("nan") if m else 1 + cost for m in missed]
    more = {"deadline_s": 1.0, "achievable": 1.0, "missed": missed, "cost_ratio": costs}
    return unit(policy, problem, regrets(0.0), **more)


def test_cost_of_a_deadline_has_an_interval_of_its_own() -> None:
    names = [f"p{i}" for i in range(6)]
    ours = [held("arbo", n, [0.0] * 12, 0.1 + i / 100) for i, n in enumerate(names)]
    theirs = [held("online", n, [0.0] * 6 + [1.0] * 6, 0.4) for n in names]
    misses, cost = analysis.compare_all(pd.concat([*ours, *theirs]))
    assert (misses.measure, cost.measure) == ("early_miss_rate", "cost_over_cheapest")
    assert cost.ratio.estimate == pytest.approx(0.125 / 0.4)
    assert cost.ratio.low < 0.125 / 0.4 < cost.ratio.high
    assert (misses.verdict, cost.verdict) == ("wins", "wins")
    table = report.tables(pd.concat([*ours, *theirs]), {})
    assert "cost, arbo / it" in table
    assert report.interval(cost.ratio) in table


def test_worst_tasks_are_those_that_missed_most_when_there_is_a_deadline() -> None:
    cheap_misses = held("arbo", "late", [0.0, 0.0, *[1.0] * 5, *[0.0] * 5], 0.0)
    dear = held("arbo", "dear", [0.0] * 12, 5.0)
    dearer = held("arbo", "dearer", [0.0] * 12, 6.0)
    worst = analysis.worst_tasks(pd.concat([cheap_misses, dear, dearer]))
    assert worst["problem"].tolist() == ["late", "dearer", "dear"]


def test_peers_are_set_beside_the_earlier_trial() -> None:
    records = pd.concat([programs("ernest", 0.1), programs("arbo", 0.1)]).assign(
        suite="trial-scout"
    )
    table = agreement(records).splitlines()
    assert len(table) == 3
    assert table[2].split() == [
        "|",
        "scout",
        "|",
        "ernest",
        "|",
        "0.35",
        "|",
        "0.06",
        "|",
        "5.83",
        "|",
    ]
    assert agreement(TWO) == ""


@pytest.mark.parametrize("suites", [1, 2, 3])
def test_title_of_a_picture_is_not_cut_off(suites: int) -> None:
    parts = [(f"s{i}", TWO) for i in range(suites)]
    figure = plots._figure(parts, Objective(2.0, 1.0), plots.PICTURES[1])
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
