"""What each suite holds."""

from pathlib import Path

import numpy as np
import pytest

from arbo_bo.benchmarks.sources.folder import SHIPPED
from arbo_bo.benchmarks.suite import BALANCED, URGENT, Suite, SuiteOptions
from arbo_bo.benchmarks.suites import DESCRIPTIONS, build_suites, suite_names
from arbo_bo.benchmarks.trial import EXPECTED
from arbo_bo.benchmarks.wrappers import Drifting, Straggling, Wrapped
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context


def build(name: str, data: Path | None = None, tasks: int = 20) -> Suite:
    (suite,) = build_suites(name, SuiteOptions(tasks, data))
    return suite


@pytest.mark.parametrize("name", ["genome", "synthetic", "drift", "stragglers", "deadline"])
def test_suite_without_data_folder_has_both_objectives(name: str) -> None:
    suite = build(name)
    assert {c.objective for c in suite.cases} == {BALANCED, URGENT}
    by_name = [(c.name, c.objective) for c in suite.cases]
    assert len(set(by_name)) == len(by_name)


@pytest.mark.parametrize("name", ["scout", "multicloud", "archer2", "stereomatch"])
def test_measured_suite_replays_its_table(name: str, data_folder: Path) -> None:
    assert {c.name for c in build(name, data_folder).cases} == {"scan", "sort"}


def test_trial_has_a_task_of_one_size_for_every_size(data_folder: Path) -> None:
    suites = build_suites("trial", SuiteOptions(data=data_folder))
    assert [s.name for s in suites] == list(EXPECTED)
    names = {c.name for c in suites[0].cases}
    assert names == {"scan, size 1", "scan, size 2", "sort"}
    contexts = {c.source.problem(0).context(run) for c in suites[0].cases for run in range(1, 9)}
    assert contexts == {Context(1.0), Context(2.0)}
    assert {c.objective for c in suites[0].cases} == {BALANCED}


def test_other_table_of_the_folder_is_a_suite_by_its_name(data_folder: Path) -> None:
    assert {c.suite for c in build("own", data_folder).cases} == {"own"}
    assert suite_names(SuiteOptions(data=data_folder)) == [*DESCRIPTIONS, "own"]


def test_any_table_is_a_suite_by_its_path() -> None:
    suite = build(str(SHIPPED / "genome.csv"))
    assert suite.name == "genome"
    assert len(suite.cases) == 6


def test_all_is_every_suite_but_quick_and_store(data_folder: Path) -> None:
    names = [s.name for s in build_suites("all", SuiteOptions(2, data_folder))]
    assert names == [n for n in DESCRIPTIONS if n not in ("quick", "trial", "store", "all")]


def test_several_suites_are_separated_by_commas() -> None:
    names = [s.name for s in build_suites("genome, synthetic,genome", SuiteOptions(2))]
    assert names == ["genome", "synthetic"]


def test_fewer_tasks_are_part_of_more_tasks(data_folder: Path) -> None:
    few, many = ({c.name for c in build("own", data_folder, tasks).cases} for tasks in (1, 2))
    assert len(few) == 1
    assert few < many


def test_deadlines_are_percentiles_of_what_a_task_can_achieve() -> None:
    cases = [c for c in build("deadline").cases if c.objective == BALANCED]
    first = [c for c in cases if c.source is cases[0].source]
    times = cases[0].source.achievable_s()
    assert [c.deadline_s for c in first] == pytest.approx(np.quantile(times, [0.25, 0.5, 0.75]))
    assert {c.confidence for c in cases} == {0.95}
    assert len(cases) == 21  # seven tasks, three deadlines each


def test_drift_is_by_either_factor_from_the_sixth_run() -> None:
    sources = [c.source for c in build("drift").cases]
    assert all(isinstance(s, Wrapped) and s.wrapper is Drifting for s in sources)
    options = [s.options for s in sources if isinstance(s, Wrapped)]
    assert {(o["at_run"], o["factor_after"]) for o in options} == {(6, 1.5), (6, 3.0)}


def test_stragglers_are_one_run_in_ten() -> None:
    sources = [c.source for c in build("stragglers").cases]
    options = [s.options for s in sources if isinstance(s, Wrapped) and s.wrapper is Straggling]
    assert options == [{"probability": 0.1}] * 40


def test_mixed_suites_take_measured_tasks_when_there_is_a_folder(data_folder: Path) -> None:
    with_data, without = build("drift", data_folder, 5), build("drift", tasks=5)
    assert any("scan" in c.name or "sort" in c.name for c in with_data.cases)
    assert "no folder of measured runs" in without.notes[0]


def test_quick_is_small_and_adds_measured_tasks_when_there_are_any(data_folder: Path) -> None:
    assert len(build("quick").cases) == 8
    assert len(build("quick", data_folder).cases) == 12
    assert {c.objective for c in build("quick").cases} == {BALANCED}


@pytest.mark.parametrize("name", ["nope", "", ",", "all-of-it"])
def test_error_lists_the_suites_when_one_is_unknown(name: str, data_folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"there are genome, scout.*store, all, own"):
        build_suites(name, SuiteOptions(data=data_folder))


def test_error_when_two_suites_have_one_name() -> None:
    with pytest.raises(InvalidValueError, match="two suites are named 'genome'"):
        build_suites(f"genome,{SHIPPED / 'genome.csv'}", SuiteOptions(2))


def test_error_when_there_is_no_task() -> None:
    with pytest.raises(InvalidValueError, match="at least one task, got 0"):
        build_suites("genome", SuiteOptions(0))


def test_error_when_a_table_of_the_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"no table of measured runs at .*scout\.csv"):
        build_suites("scout", SuiteOptions(data=tmp_path))
