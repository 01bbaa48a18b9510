import json
import subprocess
import sys

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main


@pytest.fixture
def arbo(store_url, capsys):
    ArboOptimizer(store_url).experiments()  # makes the database

    def call(*arguments, status=0):
        assert main([*map(str, arguments), "--store", store_url]) == status
        return capsys.readouterr()

    return call


def document(captured):
    return json.loads(captured.out)


def test_a_shell_script_can_use_arbo(store_url, tmp_path):
    script = f"""
    set -eu
    arbo() {{ {sys.executable} -m arbo_bo "$@" --store '{store_url}'; }}
    eval "$(arbo suggest nightly --parallelism 1:8 2> reason)"
    echo "$parallelism $trial_index"
    arbo complete nightly "$trial_index" --time 12.5
    """
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1 0\n"), done.stderr
    assert "baseline" in (tmp_path / "reason").read_text()
    (trial,) = ArboOptimizer(store_url).trials("nightly")
    assert trial.execution_time_s == 12.5


def test_suggest_prints_one_json_document(arbo):
    captured = arbo("suggest", "t", "--json", "--parallelism", "2,4", "--input-size", 5)
    decision = document(captured)
    assert (decision["parallelism"], decision["trial_index"], decision["phase"]) == (
        2,
        0,
        "baseline",
    )
    assert captured.err == ""


def test_trials_are_closed_from_the_command_line(arbo):
    for _ in range(3):
        arbo("suggest", "t")
    assert document(arbo("complete", "t", 0, "--time", 3, "--json"))["status"] == "COMPLETED"
    failed = document(arbo("fail", "t", 1, "--reason", "OOM", "--timed-out-after", "2m", "--json"))
    assert (failed["status"], failed["failure_reason"], failed["timed_out_after_s"]) == (
        "FAILED", "OOM", 120)  # fmt: skip
    assert "ABANDONED" in arbo("abandon", "t", 2).err


def test_history_is_attached_from_a_csv(arbo, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("parallelism,execution_time_s,input_size\n1,100,5\n4,30,\n8,20,5\n")
    assert "3 trials" in arbo("attach", "t", "--csv", path).err
    shown = document(arbo("show", "t", "--json"))
    assert [t["parallelism"] for t in shown["trials"]] == [1, 4, 8]
    assert [t["input_size"] for t in shown["trials"]] == [5, None, 5]
    assert shown["decision"]["phase"] == "optimize"


def test_rows_are_attached_once_when_a_csv_is_attached_again(arbo, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("parallelism,execution_time_s\n1,100\n4,30\n4,30\n")
    arbo("attach", "t", "--csv", path)
    said = arbo("attach", "t", "--csv", path).err
    assert "attached no trial of t; 3 of 3 rows were attached before" in said
    path.write_text(
        "execution_time_s,parallelism,input_size\n100.0,1,\n30,4,\n30,4,\n30,4,\n20,8,2\n"
    )
    assert "2 trials, 3 to 4, of t; 3 of 5" in arbo("attach", "t", "--csv", path).err
    degrees = [t["parallelism"] for t in document(arbo("show", "t", "--json"))["trials"]]
    assert degrees == [1, 4, 4, 4, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no runs"),
        ("parallelism,execution_time_s\n", "holds no runs"),
        ("parallelism,execution_time_s\n1,abc\n", "line 2"),
        ("parallelism,execution_time_s\n1\n", "line 2"),
        ("parallelism\n1\n", "lacks execution_time_s"),
        ("parallelism,execution_time_s,colour\n1,2,3\n", "unknown colour"),
        ("parallelism,execution_time_s\n1,2\n4,-1\n", "line 3: execution_time_s"),
        ("parallelism,execution_time_s\n1.5,2\n", "whole number"),
        ("parallelism,execution_time_s,parallelism\n1,2,3\n", "more than once"),
        ("parallelism,execution_time_s\n1,x\n", "column execution_time_s needs a number"),
    ],
)
def test_csv_is_refused_in_one_line_and_nothing_is_added(arbo, tmp_path, text, message):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    captured = arbo("attach", "t", "--csv", path, status=1)
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert document(arbo("tasks", "--json")) == []


def test_tables_show_tasks_trials_and_candidates(arbo):
    for s, time in ((1, 100), (4, 30), (8, 20)):
        arbo("attach", "t", "--parallelism", s, "--time", time)
    arbo("suggest", "t")
    assert "0.9" in arbo("tasks").out
    shown = arbo("show", "t").out
    assert all(word in shown for word in ("attached", "COMPLETED", "next run:", "<-"))
    assert len(arbo("predict", "t", "--parallelism", "1:3").out.splitlines()) == 4


def test_configuration_changes_what_is_given(arbo):
    arbo("configure", "t", "--parallelism", "1:16", "--urgency", 2, "--window", 9)
    changed = document(arbo("configure", "t", "--cost-exponent", 1, "--no-baseline", "--json"))
    assert changed["objective"]["urgency"] == 2
    assert changed["objective"]["cost_exponent"] == 1
    assert (changed["window"], changed["baseline"], changed["parallelism"][-1]) == (9, False, 16)


def test_namespaces_are_separate(arbo):
    arbo("suggest", "t")
    assert document(arbo("tasks", "--json", "--namespace", "other")) == []


def test_schema_is_shown_and_upgraded(store_url, capsys):
    def db(command):
        assert main(["db", command, "--json", "--store", store_url]) == 0
        return document(capsys.readouterr())

    before = db("version")
    assert before["database"] is None
    first = db("upgrade")
    assert (first["before"], first["after"]) == (None, before["arbo_bo"])
    assert db("upgrade")["before"] == db("version")["database"] == before["arbo_bo"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nope"), "no task 'nope'"),
        (("complete", "t", 5, "--time", 1), "no task 't'"),
        (("suggest", "t", "--parallelism", "1:x"), "1:32 (a range) or 1,2,4 (a list)"),
        (("suggest", "t", "--parallelism", "0:4"), "smallest degree"),
        (("suggest", "t", "--parallelism", "8:4"), "must rise"),
        (("suggest", "t", "--input-size", "nan"), "input_size must be finite"),
        (("suggest", "t", "--urgency", "0"), "urgency must be greater than 0"),
        (("configure", "t", "--default", "99"), "parallelism 99 is not allowed"),
        (("suggest", "a\x1b[31m\nb"), "must be printable"),
        (("attach", "t", "--parallelism", 1, "--time", -5), "--time must be a time such as 90s"),
        (("complete", "t", 0, "--time", 0), "--time must be a time such as 90s, 10m or 1.5h, abo"),
        (("complete", "t", 0, "--time", 9, "--startup-time", "-1s"), "--startup-time must be"),
        (("complete", "t", 0, "--time", 9, "--queued-time", "long"), "--queued-time must be"),
        (("fail", "t", 1, "--timed-out-after", "soon"), "such as 90s"),
        (("configure", "t", "--residual", "odd"), "multiplicative, additive"),
    ],
)
def test_bad_input_is_one_line_and_status_1(arbo, arguments, message):
    captured = arbo(*arguments, status=1)
    assert captured.err.startswith("arbo: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert "\x1b" not in captured.err


def test_times_of_runs_take_units(arbo):
    arbo("suggest", "t")
    times = ("--time", "5m", "--startup-time", "500ms", "--queued-time", 0)
    completed = document(arbo("complete", "t", 0, *times, "--json"))
    assert (completed["execution_time_s"], completed["startup_time_s"]) == (300, 0.5)
    assert completed["queued_time_s"] == 0
    times = ("--time", "0.5h", "--startup-time", "0s")
    (attached,) = document(arbo("attach", "t", "--parallelism", 2, *times, "--json"))
    assert (attached["execution_time_s"], attached["startup_time_s"]) == (1800, 0)


def test_closed_trial_is_one_line_and_status_1(arbo):
    arbo("suggest", "t")
    arbo("complete", "t", 0, "--time", 1)
    captured = arbo("fail", "t", 0, status=1)
    assert "is completed and cannot be failed" in captured.err
    assert captured.err.count("\n") == 1


def test_task_is_not_made_when_its_configuration_is_refused(arbo):
    arbo("configure", "t", "--urgency", 0, status=1)
    assert document(arbo("tasks", "--json")) == []


@pytest.mark.parametrize(
    "arguments",
    [("complete", "t"), ("complete", "t", "x", "--time", "1"), ("nope",), ("suggest",),
     ("suggest", "t", "--cluster-load", "big"), ("attach", "t"),
     ("attach", "t", "--csv", "f", "--time", "3")],
)  # fmt: skip
def test_usage_error_is_status_2(arbo, arguments):
    arbo(*arguments, status=2)


def test_store_that_is_unreachable_is_one_line_without_its_password(capsys):
    url = "postgresql://u:s3cret@127.0.0.1:1/none?password=0ther"
    assert main(["tasks", "--store", url]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "s3cret" not in message
    assert "0ther" not in message


@pytest.mark.parametrize(
    "command",
    [
        ["tasks"],
        ["show", "t"],
        ["predict", "t"],
        ["complete", "t", "0", "--time", "1"],
        ["fail", "t", "0"],
        ["abandon", "t", "0"],
    ],
)
def test_command_on_what_must_be_there_does_not_make_a_database(tmp_path, capsys, command):
    path = tmp_path / "typo.db"
    assert main([*command, "--store", f"sqlite:///{path}"]) == 1
    assert "no database" in capsys.readouterr().err
    assert not path.exists()


def test_missing_database_of_the_environment_is_not_made_either(tmp_path, capsys, monkeypatch):
    path = tmp_path / "typo.db"
    monkeypatch.setenv("ARBO_DATABASE_URL", f"sqlite:///{path}")
    assert main(["tasks"]) == 1
    assert "no database" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("arguments", ["tasks", "tasks --json", "suggest t", "--help"])
def test_output_that_cannot_be_written_is_one_line_and_status_1(sqlite_url, arguments):
    ArboOptimizer(sqlite_url).configure_experiment("t")
    store = "" if arguments == "--help" else f"--store {sqlite_url}"
    script = f"{sys.executable} -m arbo_bo {arguments} {store} > /dev/full"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [t for t in ArboOptimizer(sqlite_url).trials("t") if t.status == "RUNNING"]


def test_closed_output_is_no_crash(sqlite_url):
    ArboOptimizer(sqlite_url).configure_experiment("t")
    script = f"{sys.executable} -m arbo_bo tasks --store {sqlite_url} >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], check=False).returncode == 0


def test_version_is_shown(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("arbo_bo ")


def test_score_that_is_far_worse_is_no_long_number(arbo):
    for s, time in ((1, 1e-3), (2, 1e30), (4, 1e-3)):
        arbo("attach", "t", "--parallelism", s, "--time", time)
    shown = arbo("show", "t").out
    assert "(far higher)" in shown
    assert max(len(line) for line in shown.splitlines()) < 140
