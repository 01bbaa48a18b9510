"""`arbo bench`, as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arbo_bo import ArboOptimizer
from arbo_bo.benchmarks import extra
from arbo_bo.benchmarks.explain import explain
from arbo_bo.benchmarks.extra import MissingPackageError
from arbo_bo.benchmarks.results import Results
from arbo_bo.benchmarks.suite import SuiteOptions
from arbo_bo.benchmarks.suites import build_suites
from arbo_bo.cli import main
from arbo_bo.cli.bench import app
from arbo_bo.errors import ArboError, InvalidValueError

CHEAP = ["--policies", "random,default,ernest,oracle", "--seeds", "2"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A finished run of the suite quick, and what it printed."""
    folder = tmp_path_factory.mktemp("quick")
    return folder, invoke("run", *CHEAP, "--out", str(folder), "--jobs", "1")


def test_run_prints_the_table_on_stdout_alone(quick: tuple[Path, Result]) -> None:
    folder, result = quick
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("### quick, minimising T x s^0.5\n\n| policy")
    assert f"in all; results in {folder}" in result.stderr
    assert "results in" not in result.stdout


def test_run_that_is_done_prints_the_same_table_again(quick: tuple[Path, Result]) -> None:
    folder, first = quick
    again = invoke("run", *CHEAP, "--out", str(folder))
    assert again.stdout == first.stdout
    assert "64 of 64 were done before" in again.stderr


def test_run_prints_one_json_document(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    document = json.loads(invoke("run", *CHEAP, "--out", str(folder), "--json").stdout)
    assert {row["policy"] for row in document["summary"]} == {
        "random",
        "default",
        "ernest",
        "oracle",
    }
    assert document["benchmark"]["machine"]["cores"] >= 1


def test_compare_puts_one_policy_against_each_peer(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    result = invoke("compare", str(folder), "--policy", "ernest")
    assert "### ernest against each peer, paired" in result.stdout
    assert "(best)" in result.stdout


def test_choose_judges_each_choice_on_the_suite_that_it_was_made_without(short: Path) -> None:
    output = invoke("choose", str(short), str(short)).stdout
    assert "| left out | chosen on the others |" in output
    assert json.loads(invoke("choose", str(short), "--json").stdout)[0]["suite"] == "deadline"


def test_error_when_the_results_lack_the_policy(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    error = invoke("compare", str(folder)).exception
    assert isinstance(error, InvalidValueError)
    assert "hold default, ernest, oracle, random" in str(error)


@pytest.mark.parametrize(("formats", "count"), [("png", 2), ("png,svg", 4)])
def test_plot_draws_and_prints_the_paths(
    quick: tuple[Path, Result], tmp_path: Path, formats: str, count: int
) -> None:
    folder, _ = quick
    result = invoke("plot", str(folder), "--output", str(tmp_path), "--format", formats)
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert len(paths) == count
    assert all(path.stat().st_size > 10_000 for path in paths)


def test_error_when_the_format_is_unknown(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    assert isinstance(invoke("plot", str(folder), "--format", "gif").exception, InvalidValueError)


def test_explain_shows_choice_truth_and_posterior(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    result = invoke("explain", str(folder), "--policy", "random", "--count", "1")
    assert result.exit_code == 0, result.output
    assert "what arbo's posterior would have said, told the same runs" in " ".join(
        result.stdout.split()
    )
    assert "chosen" in result.stdout
    assert "true score" in result.stdout


def test_explain_gives_the_truth_of_every_degree_as_json(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    (worst,) = json.loads(
        invoke("explain", str(folder), "--policy", "random", "--count", "1", "--json").stdout
    )
    record = next(r for r in worst["history"] if r["run"] == worst["worst_run"])
    right = min(worst["truth"], key=lambda t: t["score"])
    assert record["best_parallelism"] == right["parallelism"]
    assert len(worst["candidates"]) == len(worst["truth"])


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five runs of two suites, one of them with deadlines, by two arbos and by chance."""
    folder = tmp_path_factory.mktemp("short")
    size = ["--tasks", "1", "--seeds", "1", "--runs", "5", "--jobs", "1"]
    suites = ["--suite", "genome,deadline", "--policies", "arbo,arbo:usl,random"]
    result = invoke("run", *suites, *size, "--out", str(folder))
    assert result.exit_code == 0, result.output
    assert "regret, runs 3-5" in result.stdout
    assert "miss rate, runs 3-5" in result.stdout
    return folder


def test_explain_shows_the_posterior_that_decided(short: Path) -> None:
    found = json.loads(invoke("explain", str(short), "--json").stdout)
    worst = found[0]
    record = next(r for r in worst["history"] if r["run"] == worst["worst_run"])
    believed = min(worst["candidates"], key=lambda c: c["score"])
    assert worst["remark"] == ""
    assert believed["parallelism"] == record["parallelism"]


def test_explain_shows_deadlines_kept_and_missed(short: Path) -> None:
    output = " ".join(invoke("explain", str(short), "--policy", "random").stdout.split())
    assert "of the early runs in which it could be held" in output
    assert "truly in time" in output


def test_explain_shows_no_posterior_when_the_policy_would_choose_otherwise(short: Path) -> None:
    records = Results(short).records()
    records = records[records["suite"] == "genome"].copy()
    third = (records["policy"] == "arbo") & (records["run"] == 3)
    records.loc[third, "parallelism"] = 7
    (worst, *_) = explain(records, build_suites("genome", SuiteOptions(1)), "arbo")
    assert "Asked again, arbo chooses" in worst.remark
    assert not worst.candidates


def test_report_has_a_section_for_each_further_folder(
    quick: tuple[Path, Result], short: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    assert invoke("report", str(quick[0]), str(short), "--output", str(page)).exit_code == 0
    text = page.read_text()
    assert "## Beside it: deadline, genome, with arbo, arbo:usl, random" in text
    assert f"arbo bench report DIR DIR --output {page}" in text
    assert "--seeds 1 --tasks 1 --runs 5 --out DIR" in text


def test_explain_says_so_when_the_suite_cannot_be_built(quick: tuple[Path, Result]) -> None:
    folder, _ = quick
    (worst,) = explain(Results(folder).records(), [], "random", 1)
    assert not worst.truth
    assert "cannot be built here" in worst.remark


def test_report_writes_a_page_that_says_how_it_was_made(
    quick: tuple[Path, Result], tmp_path: Path
) -> None:
    folder, _ = quick
    page = tmp_path / "docs" / "benchmarks.md"
    result = invoke("report", str(folder), "--output", str(page))
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert "arbo bench run --suite quick --policies random,default,ernest,oracle" in text
    assert f"arbo bench report DIR --output {page}" in text
    assert "| machine " in text
    assert "- the policy ax was not run" in text
    pictures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if "![" in line]
    assert pictures
    assert all((page.parent / p).exists() for p in pictures)


def test_list_names_suites_and_policies(data_folder: Path) -> None:
    document = json.loads(invoke("list", "--data", str(data_folder), "--json").stdout)
    assert document["suites"]["own"] == "a table of the data folder"
    assert "oracle" in document["policies"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("run", "--suite", "nope"), "there is no suite 'nope'; there are genome"),
        (("run", "--policies", "nope"), "there is no policy 'nope'; there are arbo"),
        (("run", "--suite", "scout"), "set ARBO_BENCH_DATA to it or give --data DIR"),
        (("run", "--suite", "genome", "--store", "sqlite:///x.db"), "add it as --suite store"),
        (("compare", "gone"), "holds no results"),
        (("run", "--runs", "2"), "needs 3 to 1000 runs, got 2: the first 2 are the same"),
    ],
)
def test_error_is_one_line_that_says_what_to_do(arguments: tuple[str, ...], match: str) -> None:
    error = invoke(*arguments).exception
    assert isinstance(error, ArboError)
    assert match in str(error)


def test_listing_loads_neither_torch_nor_pandas() -> None:
    code = (
        "import sys; from arbo_bo.cli.bench import list_all; list_all.callback(None, True); "
        "sys.exit(str([m for m in ('torch', 'pandas', 'matplotlib') if m in sys.modules] or ''))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.stderr.strip() == ""


def test_error_when_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"joblib.*pip install 'arbo-bo\[bench\]'"):
        extra.require_bench()
    with pytest.raises(MissingPackageError, match=r"dask\[distributed\]"):
        extra.dask_client("tcp://127.0.0.1:1")


def test_explain_finds_the_table_that_was_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.csv").write_text("parallelism,execution_time_s\n1,9\n2,5\n4,3\n")
    monkeypatch.chdir(tmp_path)
    options = ["--policies", "default", "--seeds", "1", "--runs", "3", "--jobs", "1"]
    assert main(["bench", "run", "--suite", "mine.csv", *options, "--out", "out"]) == 0
    monkeypatch.chdir("/")
    capsys.readouterr()
    assert main(["bench", "explain", str(tmp_path / "out"), "--policy", "default"]) == 0
    shown = capsys.readouterr()
    assert "cannot be built" not in shown.out + shown.err
    assert "truth" in shown.out


def test_explain_asks_for_the_store_that_it_cannot_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARBO_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    url = f"sqlite:///{tmp_path / 'full.db'}"
    with ArboOptimizer(url) as arbo:
        rows = [{"parallelism": s, "execution_time_s": t} for s, t in ((1, 9), (2, 5), (4, 3))]
        arbo.attach_trials("t", rows)
    options = ["--policies", "default", "--seeds", "1", "--runs", "3", "--jobs", "1"]
    folder = str(tmp_path / "out")
    run = ["bench", "run", "--suite", "store", "--store", url, *options, "--out", folder]
    assert main(run) == 0
    assert main(["bench", "explain", folder, "--policy", "default"]) == 0
    assert "give --store, and --namespace, as `arbo bench run`" in capsys.readouterr().err


def test_a_suite_other_than_store_opens_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nothing.db"
    monkeypatch.setenv("ARBO_DATABASE_URL", f"sqlite:///{path}")
    options = ["--suite", "genome", "--policies", "default", "--seeds", "1", "--runs", "3"]
    assert main(["bench", "run", *options, "--jobs", "1", "--out", str(tmp_path / "out")]) == 0
    assert not path.exists()


def test_a_mistyped_store_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    options = ["--suite", "store", "--store", f"sqlite:///{path}", "--out", str(tmp_path / "out")]
    assert main(["bench", "run", *options]) == 1
    assert not path.exists()
