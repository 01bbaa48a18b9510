"""What is chosen on all suites but one, and how it does on that one."""

import math
from pathlib import Path

import pandas as pd
import pytest
from bench_samples import programs, unit

from arbo_bo.benchmarks import choice
from arbo_bo.benchmarks.document import Part, write_document
from arbo_bo.errors import InvalidValueError


def suite(name: str, **late: float) -> pd.DataFrame:
    """Six programs; each policy's mean regret is its number plus 0.25."""
    parts = [programs(policy.replace("_", ":"), value) for policy, value in late.items()]
    return pd.concat(parts).assign(suite=name)


# arbo is better on a and b, arbo:usl on c, and by more.
RECORDS = pd.concat(
    [
        suite("a", arbo=0.1, arbo_usl=0.2, online=0.2, random=0.9),
        suite("b", arbo=0.1, arbo_usl=0.2, online=0.1, random=0.9),
        suite("c", arbo=0.9, arbo_usl=0.1, online=0.3, random=0.9),
    ],
    ignore_index=True,
)


def test_score_is_the_log_ratio_to_the_best_peer_of_the_suite() -> None:
    table = choice.scores(RECORDS, ["arbo", "arbo:usl"])
    assert table.loc["a", "arbo"] == pytest.approx(math.log((0.35 + 0.01) / (0.45 + 0.01)))
    assert table.loc["a", "arbo:usl"] == pytest.approx(0)


def test_choice_is_made_without_the_suite_that_it_is_judged_on() -> None:
    found = {c.suite: c for c in choice.leave_one_out(RECORDS, ["arbo", "arbo:usl"])}
    assert {name: c.policy for name, c in found.items()} == {
        "a": "arbo:usl",
        "b": "arbo:usl",
        "c": "arbo",
    }
    assert found["c"].best == "arbo:usl"
    assert found["c"].score == pytest.approx(math.log(1.16 / 0.56))
    assert found["c"].comparison is not None
    assert found["c"].comparison.verdict == "loses"


def test_every_arbo_without_failed_units_is_a_candidate() -> None:
    failing = unit("arbo:lcb", "p0", [1.0], failed=True, error="E: x", suite="a")
    records = pd.concat([RECORDS, failing])
    assert choice.candidates_of(records) == ["arbo", "arbo:usl"]
    assert choice.candidates_of(records, ["arbo", "random"]) == ["arbo", "random"]


def test_tables_hold_every_score_and_every_choice() -> None:
    text = choice.choice_tables(RECORDS, ["arbo", "arbo:usl"])
    assert "| policy " in text
    assert "| c        |                 arbo | +0.73 |" in text


@pytest.mark.parametrize(
    ("records", "names", "match"),
    [
        (RECORDS, ["arbo", "nope"], "hold no policy 'nope'; they hold arbo, arbo:usl, online"),
        (RECORDS, ["arbo"], "two policies or more without failed units, got arbo"),
    ],
)
def test_error_when_there_is_nothing_to_choose_from(
    records: pd.DataFrame, names: list[str], match: str
) -> None:
    with pytest.raises(InvalidValueError, match=match):
        choice.candidates_of(records, names)


@pytest.mark.parametrize(
    ("records", "match"),
    [
        (RECORDS[RECORDS["suite"] == "a"], "needs two suites or more, got a"),
        (RECORDS[RECORDS["policy"].str.startswith("arbo")], "suite a has no peer"),
    ],
)
def test_error_when_a_choice_cannot_be_judged(records: pd.DataFrame, match: str) -> None:
    with pytest.raises(InvalidValueError, match=match):
        choice.leave_one_out(records, ["arbo", "arbo:usl"])


def test_page_has_the_choice_of_a_folder_with_several_settings(tmp_path: Path) -> None:
    lcb = RECORDS[RECORDS["policy"] == "arbo"].assign(policy="arbo:lcb")
    records = pd.concat([RECORDS, lcb], ignore_index=True)
    header = {"policies": sorted(records["policy"].unique()), "seconds": 1.0}
    page = tmp_path / "page.md"
    write_document([Part(RECORDS, header), Part(records, header)], page, "arbo bench report")
    text = page.read_text()
    assert text.index(choice.TITLE) < text.index("### Chosen without a suite, judged on it")
    assert "Beside it" not in text
