"""Real programs, really run."""

import json
import os
import signal
import subprocess
import sys

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main
from arbo_bo.storage.reader import SQLTrialReader

WORK = "import time, sys; time.sleep(0.01 + 0.08 / int(sys.argv[1]))"
CHUNKED = [sys.executable, "-S", "-c", WORK, "{chunks}", "{chunk_id}"]


@pytest.fixture
def tune(store_url, capsys):
    def call(*arguments, command=CHUNKED, status=0, runs=4, task="t"):
        options = ["--parallelism", "1:4", "--runs", str(runs), "--store", store_url]
        assert main(["tune", task, *options, *map(str, arguments), "--", *command]) == status
        return capsys.readouterr()

    return call


@pytest.fixture
def arbo(store_url):
    return ArboOptimizer(store_url)


def test_command_is_tuned_to_a_decision(tune, arbo):
    captured = tune()
    assert [t.status for t in arbo.trials("t")] == ["COMPLETED"] * 4
    assert [t.phase for t in arbo.trials("t")] == ["baseline", "probe", "optimize", "optimize"]
    assert all(word in captured.out for word in ("workers", "measured", "law", "decision", "<-"))
    assert "baseline" in captured.err


def test_stdout_is_one_json_document(tune):
    command = [sys.executable, "-S", "-c", "print('noise')", "{chunk_id}"]
    captured = tune("--json", command=command)
    result = json.loads(captured.out)
    assert len(result["trials"]) == 4
    assert result["decision"]["parallelism"] in (1, 2, 3, 4)
    assert result["decision"]["candidates"]


def test_tuning_goes_on_where_it_stopped(tune, arbo):
    tune(runs=2)
    captured = tune(runs=3)
    assert "2 of 3 runs are there already" in captured.err
    assert len(arbo.trials("t")) == 3
    tune(runs=3)
    assert len(arbo.trials("t")) == 3


def test_baseline_is_left_out_when_it_is_switched_off(tune, arbo):
    tune("--no-baseline", "--default", 4, runs=3)
    degrees = [t.parallelism for t in arbo.trials("t")]
    assert degrees[0] == 4
    assert degrees[1] not in (1, 4)


def test_tuning_ends_when_three_runs_in_a_row_fail(tune, arbo):
    program = "import sys; sys.stderr.write('before\\nno such chromosome\\n'); sys.exit(3)"
    captured = tune(command=[sys.executable, "-S", "-c", program, "{chunk_id}"], status=1)
    trials = arbo.trials("t")
    assert [t.status for t in trials] == ["FAILED"] * 3
    assert "no such chromosome" in trials[0].failure_reason
    assert "no such chromosome" in captured.err
    assert captured.err.splitlines()[-1].startswith("arbo: error: ")


def test_tuning_goes_on_when_one_degree_fails(tune, arbo):
    program = "import sys; sys.exit(sys.argv[1] == '4')"
    tune(command=[sys.executable, "-S", "-c", program, "{parallelism}"])
    trials = arbo.trials("t")
    assert {t.status for t in trials if t.parallelism == 4} == {"FAILED"}
    assert [t.status for t in trials].count("COMPLETED") == 4


def test_run_that_times_out_is_kept_as_failed(tune, arbo):
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(1000)", "{chunk_id}"]
    tune("--timeout", "50ms", command=sleeper, status=1)
    trials = arbo.trials("t")
    assert [t.status for t in trials] == ["FAILED"] * 3
    assert {t.timed_out_after_s for t in trials} == {0.05}


@pytest.mark.parametrize("command", [[], [" "], ["", "{chunk_id}"]])
def test_empty_command_is_one_line_and_status_1(tune, arbo, command):
    assert "the command is empty" in tune(command=command, status=1).err
    assert arbo.experiments() == []


def test_command_without_placeholder_is_a_usage_error(tune, arbo):
    tune(command=["ls"], status=2)
    assert arbo.experiments() == []


def test_program_that_does_not_exist_is_one_line_and_status_1(tune):
    captured = tune(command=["./no-such-program", "{chunk_id}"], status=1)
    assert "no-such-program" in captured.err.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_children_and_abandons_the_trial(store_url, arbo, tmp_path, number):
    quick = "import os,sys,time; f=open(sys.argv[1],'a'); print(os.getpid(),file=f,flush=True)"
    program = f"{quick}; time.sleep(1000 if int(sys.argv[2]) > 1 else 0.01)"
    fifo = tmp_path / "pids"
    os.mkfifo(fifo)
    options = ["--parallelism", "1,2", "--default", "2", "--store", store_url]
    child = [sys.executable, "-S", "-c", program, str(fifo), "{chunks}", "{chunk_id}"]
    command = [sys.executable, "-m", "arbo_bo", "tune", "t", *options, "--", *child]
    reader = os.fdopen(os.open(fifo, os.O_RDWR), "r")  # never sees an end of file
    process = subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        # As in a terminal: a test runner in the background may have SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        pids = [int(reader.readline()) for _ in range(3)][1:]  # the baseline ends by itself
        process.send_signal(number)
        status = process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        reader.close()
    assert status in (130, 128 + number)
    assert [t.status for t in arbo.trials("t")] == ["COMPLETED", "ABANDONED"]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_preparation_runs_before_each_run_and_outside_of_its_time(tune, arbo, tmp_path):
    count = f"echo >>{tmp_path}/prepared; sleep 0.5"
    tune("--prepare", count)
    assert (tmp_path / "prepared").read_text() == "\n" * 4
    assert all(t.execution_time_s < 0.5 for t in arbo.trials("t"))


def test_tuning_ends_without_a_trial_when_the_preparation_fails(tune, arbo):
    captured = tune("--prepare", "echo why >&2; exit 3", status=1)
    assert "exited with status 3: why" in captured.err
    assert arbo.trials("t") == []


def test_a_run_is_asked_about_when_it_had_nothing_to_do(tune, tmp_path):
    script = f"test -e {tmp_path}/built && exit; touch {tmp_path}/built; exec sleep 2"
    captured = tune(command=["sh", "-c", script, "sh", "{parallelism}"], runs=2)
    assert "had it anything to do?" in captured.err
    assert "arbo exclude t 1" in captured.err


def test_a_measured_time_is_kept_when_the_store_goes_away(
    stoppable_server, journal, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(SQLTrialReader.__init__.__kwdefaults__, "retry_s", 0.5)
    url = stoppable_server.get_uri()
    folder = str(stoppable_server.pgdata)
    command = ["sh", "-c", f"kill -QUIT $(head -1 {folder}/postmaster.pid)", "sh", "{parallelism}"]
    arguments = ["tune", "t", "--parallelism", "1:4", "--runs", "2", "--store", url, "--", *command]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert "completed in " in captured.err
    assert "delivers it, as does: arbo complete t " in captured.err
    (file,) = journal.iterdir()
    assert '"status": "COMPLETED"' in file.read_text()


def test_the_next_call_knows_when_a_tuning_was_killed(store_url, arbo, journal):
    command = ["sh", "-c", "echo started; exec sleep 1000", "sh", "{parallelism}"]
    options = ["--parallelism", "1:4", "--store", store_url, "--show-output"]
    process = subprocess.Popen(
        [sys.executable, "-m", "arbo_bo", "tune", "t", *options, "--", *command],
        stderr=subprocess.PIPE,
    )
    with process, process.stderr as stderr:
        while stderr.readline() != b"started\n":
            pass
        process.kill()
        stderr.read()  # until the command, too, has ended
    assert [t.status for t in arbo.trials("t")] == ["RUNNING"]
    arbo.suggest("t")
    assert [t.status for t in arbo.trials("t")] == ["ABANDONED", "RUNNING"]
