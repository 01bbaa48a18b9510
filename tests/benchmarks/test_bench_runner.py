"""The runner: common random numbers, failures, resumption, any number of workers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from bench_samples import make_simple

from arbo_bo.benchmarks.extra import MissingPackageError
from arbo_bo.benchmarks.problems import Case
from arbo_bo.benchmarks.replay import Recording
from arbo_bo.benchmarks.results import FIELDS, RECORDS, Results, ResultsError
from arbo_bo.benchmarks.runner import Plan, choose_policies, known_policies, run_benchmark
from arbo_bo.benchmarks.suite import Suite, SuiteOptions
from arbo_bo.benchmarks.suites import build_suites
from arbo_bo.benchmarks.units import Unit, run_unit
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context, Objective


def plan(policies: Sequence[str], seeds: int = 1, jobs: int = 1, tasks: int = 2) -> Plan:
    return Plan(build_suites("genome", SuiteOptions(tasks)), policies, seeds, 6, jobs, tasks)


def run(folder: Path, wanted: Plan, **options: object) -> pd.DataFrame:
    return run_benchmark(
        wanted, Results(folder), make=make_simple, missing=nothing_missing, **options
    )  # type: ignore[arg-type]


def nothing_missing(policies: Iterable[str]) -> dict[str, str]:
    return {}


def without_clock(records: pd.DataFrame) -> pd.DataFrame:
    return records.drop(columns="decision_s")


def test_first_two_runs_are_the_smallest_and_the_middle_degree(tmp_path: Path) -> None:
    records = run(tmp_path, plan(["fixed9", "random"]))
    (case, *_) = build_suites("genome", SuiteOptions(2))[0].cases
    problem = case.source.problem(0)
    opening = records[(records["problem"] == case.name) & (records["run"] <= 2)]
    expected = [problem.degrees(1)[0], problem.degrees(2)[len(problem.degrees(2)) // 2]]
    assert opening.groupby("run")["parallelism"].unique().map(list).tolist() == [
        [expected[0]],
        [expected[1]],
    ]


def test_same_choice_takes_the_same_time_for_every_policy(tmp_path: Path) -> None:
    records = run(tmp_path, plan(["fixed0", "fixed1", "random"], seeds=3))
    same = ["problem", "seed", "run", "parallelism"]
    assert (records.groupby(same)["execution_time_s"].nunique() == 1).all()
    assert (records.groupby(["problem", "seed", "run"])["input_size"].nunique() <= 1).all()


def test_oracle_has_no_regret_once_it_may_choose(tmp_path: Path) -> None:
    records = run(tmp_path, plan(["oracle"], seeds=2, tasks=3))
    assert (records[records["run"] >= 3]["regret"] == 0).all()


def test_results_are_the_same_whatever_the_number_of_workers(tmp_path: Path) -> None:
    policies = ["random", "oracle", "fixed1", "broken"]
    one = run(tmp_path / "one", plan(policies, seeds=2))
    two = run(tmp_path / "two", plan(policies[::-1], seeds=2, jobs=2))
    pd.testing.assert_frame_equal(without_clock(one), without_clock(two))


def test_results_are_the_same_on_dask(tmp_path: Path) -> None:
    import distributed

    one = run(tmp_path / "one", plan(["random", "fixed1"]))
    options = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with distributed.Client(**options) as client:
        dask = run(tmp_path / "dask", plan(["random", "fixed1"]), client=client)
    pd.testing.assert_frame_equal(without_clock(one), without_clock(dask))


@pytest.mark.parametrize(
    ("policy", "run_number", "message"),
    [("broken", 5, "RuntimeError: no more"), ("lawless", 3, "the policy chose 12345")],
)
def test_failing_policy_is_recorded_and_the_others_go_on(
    tmp_path: Path, policy: str, run_number: int, message: str
) -> None:
    records = run(tmp_path, plan([policy, "random"]))
    failed = records[records["failed"]]
    assert set(failed["policy"]) == {policy}
    assert set(failed["run"]) == {run_number}
    assert message in failed["error"].iloc[0]
    assert (records[records["policy"] == "random"].groupby("problem").size() == 12).all()


def test_policy_of_a_missing_package_is_skipped_and_named(tmp_path: Path) -> None:
    results = Results(tmp_path)
    wanted = plan(["random", "optuna-tpe"])
    records = run_benchmark(
        wanted, results, make=make_simple, missing=lambda names: {"optuna-tpe": "optuna"}
    )
    assert set(records["policy"]) == {"random"}
    assert results.header()["skipped"] == {"optuna-tpe": "optuna"}


def test_error_says_how_to_install_when_every_policy_lacks_its_package(tmp_path: Path) -> None:
    wanted = plan(["ax"])
    with pytest.raises(MissingPackageError, match=r"ax-platform.*pip install 'arbo-bo\[ax\]'"):
        run_benchmark(wanted, Results(tmp_path), missing=lambda names: {"ax": "ax-platform"})


def test_done_units_are_not_done_again(tmp_path: Path) -> None:
    before = run(tmp_path, plan(["random"]))
    after = run(tmp_path, plan(["random", "fixed1"], seeds=2))
    kept = after[(after["policy"] == "random") & (after["seed"] == 0)]
    # The time that a decision took is never the same twice.
    pd.testing.assert_frame_equal(before, kept.reset_index(drop=True))
    assert set(after["policy"]) == {"random", "fixed1"}


def test_failed_units_are_tried_again(tmp_path: Path) -> None:
    run(tmp_path, plan(["broken"]))
    results = Results(tmp_path)
    assert results.clean() == set()


@pytest.mark.parametrize("cut", [1, 40, 700])
def test_half_written_unit_is_done_again(tmp_path: Path, cut: int) -> None:
    whole = run(tmp_path, plan(["random", "fixed1"]))
    path = tmp_path / RECORDS
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(Results(tmp_path).records()) < len(whole)
    again = run(tmp_path, plan(["random", "fixed1"]))
    pd.testing.assert_frame_equal(without_clock(whole), without_clock(again))


def test_second_process_is_turned_away(tmp_path: Path) -> None:
    results = Results(tmp_path)
    with (
        results.writing(),
        pytest.raises(ResultsError, match="another benchmark is writing"),
        Results(tmp_path).writing(),
    ):
        pass


def test_error_when_the_folder_holds_other_numbers(tmp_path: Path) -> None:
    run(tmp_path, plan(["random"]))
    other = Plan(build_suites("genome", SuiteOptions(2)), ["random"], 1, 8, 1, 2)
    with pytest.raises(InvalidValueError, match="holds a benchmark with runs of genome 6, not 8"):
        run(tmp_path, other)


def test_error_when_a_suite_has_other_cases_than_before(tmp_path: Path) -> None:
    def own(time_s: float) -> Plan:
        times = ({1: (time_s,), 2: (6.0,)},)
        source = Recording("sort", (Context(1.0),), times)
        suite = Suite("own", (Case("own", "sort", source, Objective(1.0, 0.5)),))
        return Plan([suite], ["random"], 1, 6, 1, 2)

    run(tmp_path, own(10.0))
    run(tmp_path, own(10.0))
    with pytest.raises(InvalidValueError, match=r"suite own has other tasks.*another --out"):
        run(tmp_path, own(11.0))


def test_older_header_without_fingerprints_is_accepted(tmp_path: Path) -> None:
    run(tmp_path, plan(["random"]))
    results = Results(tmp_path)
    results.write_header({k: v for k, v in results.header().items() if k != "fingerprints"})
    run(tmp_path, plan(["random"]))
    assert set(results.header()["fingerprints"]) == {"genome"}


def test_machine_is_stamped_only_when_there_is_something_to_do(tmp_path: Path) -> None:
    run(tmp_path, plan(["random"]))
    results = Results(tmp_path)
    results.write_header(results.header() | {"machine": {"date": "1970-01-01"}})
    before = results.header()
    run(tmp_path, plan(["random"]))
    assert results.header() == before
    run(tmp_path, plan(["random", "fixed1"]))
    assert results.header()["machine"]["date"] != "1970-01-01"


@pytest.mark.parametrize(
    ("runs", "seeds", "jobs"), [(0, 1, 1), (2, 1, 1), (1001, 1, 1), (3, 0, 1), (3, 1, -1)]
)
def test_error_when_a_number_makes_no_sense(
    tmp_path: Path, runs: int, seeds: int, jobs: int
) -> None:
    suites = build_suites("genome", SuiteOptions(2))
    with pytest.raises(InvalidValueError, match="got"):
        run(tmp_path, Plan(suites, ["random"], seeds, runs, jobs))


def test_error_when_a_folder_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="holds no results; `arbo bench run --out"):
        Results(tmp_path / "gone").records()


def test_error_when_the_records_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / RECORDS).write_text("a,b\n1,2\n")
    with pytest.raises(ResultsError, match="not written by this version"):
        Results(tmp_path).records()


def test_records_hold_what_the_analysis_needs(tmp_path: Path) -> None:
    suite = build_suites("deadline", SuiteOptions(3))[0]
    records = run_unit(Unit(suite.cases[0], "random", 0, 4), make_simple)
    assert all(set(r) <= set(FIELDS) for r in records)
    assert [r["run"] for r in records] == [1, 2, 3, 4]
    assert all(r["missed"] == (r["execution_time_s"] > r["deadline_s"]) for r in records)
    assert all((r["cost_ratio"] is None) or r["cost_ratio"] >= 1 for r in records)


def test_default_policies_are_all_but_the_slow_one() -> None:
    assert choose_policies(None) == [p for p in known_policies() if p != "ax"]
    assert choose_policies("all") == known_policies()
    assert choose_policies("random, arbo,random") == ["random", "arbo"]
    assert choose_policies("arbo:us*,random") == ["arbo:usl", "random"]
    assert choose_policies("arbo:usl+additive") == ["arbo:usl+additive"]


@pytest.mark.parametrize("text", ["nope", "arbo,nope", ""])
def test_error_lists_the_policies_when_one_is_unknown(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"there is no policy .*; there are arbo, .*oracle"):
        choose_policies(text)
