"""``arbo run``, as cron or make would call it: real programs, in processes of their own."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.execution.cores import available_cores

CLOSED_PORT = "postgresql://a@127.0.0.1:1/x"
RUN = [sys.executable, "-m", "arbo_bo", "run", "t"]


@pytest.fixture
def run(sqlite_url, journal):
    def call(*words, options=(), store=sqlite_url, **given):
        command = [*RUN, "--store", store, *options, "--", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, **given)

    return call


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as optimizer:
        yield optimizer


def shell(script):
    return "sh", "-c", script, "sh", "{parallelism}"


def test_streams_are_the_commands_own(run):
    done = run(*shell("cat; echo out $1; echo err >&2"), input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "in\nout 1\n", "err\n")


def test_run_is_completed_with_its_time(run, arbo):
    run(*shell("exec sleep 0.2"))
    (trial,) = arbo.trials("t")
    assert (trial.status, trial.parallelism) == ("COMPLETED", 1)
    assert trial.execution_time_s >= 0.2


def test_status_is_passed_on_and_the_run_is_failed_when_the_command_fails(run, arbo):
    assert run(*shell("exit 3")).returncode == 3
    (trial,) = arbo.trials("t")
    assert (trial.status, trial.failure_reason) == ("FAILED", "the command exited with status 3")


def test_status_is_a_shells_when_the_command_is_killed(run, arbo):
    assert run(*shell("kill -KILL $$")).returncode == 128 + signal.SIGKILL
    assert "out of memory?" in arbo.trials("t")[0].failure_reason


def test_status_is_a_shells_when_there_is_no_such_program(run, arbo):
    done = run("./nothing", "{parallelism}")
    assert (done.returncode, len(done.stderr.splitlines())) == (127, 1)
    assert arbo.experiments() == []


def test_chunks_run_side_by_side(run, arbo):
    arbo.configure_experiment("t", parallelism=[3])
    done = run("sh", "-c", "echo $1 of $ARBO_CHUNKS", "sh", "{chunk_id}")
    assert sorted(done.stdout.splitlines()) == ["0 of 3", "1 of 3", "2 of 3"]


def test_the_others_end_when_a_chunk_fails(run, arbo):
    arbo.configure_experiment("t", parallelism=[3])
    done = run("sh", "-c", "test $1 = 1 && exit 5; exec sleep 1000", "sh", "{chunk_id}")
    assert done.returncode == 5
    assert arbo.trials("t")[0].failure_reason == "chunk 1 of 3 exited with status 5"


@pytest.mark.parametrize(
    ("number", "status", "ending"),
    [
        (signal.SIGTERM, 7, "ABANDONED"),
        (signal.SIGINT, 7, "ABANDONED"),
        (signal.SIGUSR1, 0, "COMPLETED"),
    ],
)
def test_signals_are_forwarded(sqlite_url, journal, arbo, number, status, ending):
    script = "trap 'exit 7' TERM INT; trap 'exit 0' USR1; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*RUN, "--store", sqlite_url, "--", *shell(script)],
        stdout=subprocess.PIPE,
        start_new_session=True,  # without a terminal, as under cron
    )
    with process, process.stdout as stdout:
        assert stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait() == status
    assert [t.status for t in arbo.trials("t")] == [ending]


def test_ctrl_c_reaches_the_command_once_when_there_is_a_terminal(sqlite_url, journal, arbo):
    # The shell's loop goes on until a line comes: a second SIGINT would be counted by then.
    script = (
        "n=0; trap 'n=$((n+1))' INT; echo ready; until read line; do :; done; "
        'until test "$line" = end; do read line; done; exit "$n"'
    )
    terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [*RUN, "--store", sqlite_url, "--default", "1", "--", *shell(script)]
    process = subprocess.Popen(
        [sys.executable, "-c", terminal, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process, process.stdin as stdin, process.stdout as stdout:
        while b"ready" not in stdout.readline():
            pass
        stdin.write(b"\x03")
        stdin.flush()
        stdin.write(b"\nend\n")
        stdin.flush()
        assert process.wait() == 1
    assert [t.status for t in arbo.trials("t")] == ["ABANDONED"]


@pytest.mark.parametrize("store", [CLOSED_PORT, "nonsense", "sqlite:////proc/no/a.db"])
@pytest.mark.parametrize("status", [0, 4])
def test_the_command_runs_with_the_default_degree_when_the_store_is_down(run, store, status):
    done = run(*shell(f"echo $1; exit {status}"), options=["--default", "3"], store=store)
    assert (done.returncode, done.stdout) == (status, "3\n")
    assert len(done.stderr.splitlines()) == 1
    assert "3 workers, the default" in done.stderr


def test_the_command_runs_when_its_input_has_no_size(run, arbo, tmp_path):
    done = run(*shell("echo $1"), options=["--input-size", str(tmp_path / "no"), "--default", "2"])
    assert (done.returncode, done.stdout) == (0, "2\n")
    assert [(t.status, t.parallelism) for t in arbo.trials("t")] == [("COMPLETED", 2)]


def test_the_outcome_is_delivered_by_the_next_run_when_the_store_was_down(
    postgresql_url, run, journal
):
    down = postgresql_url.replace("host=", "host=/nowhere")
    run(*shell("exit 0"), store=down)
    (file,) = journal.iterdir()
    # The same store, back: what was down is what is up now.
    with ArboOptimizer(postgresql_url) as arbo, ArboOptimizer(down) as other:
        text = file.read_text().replace(other.store.masked_url, arbo.store.masked_url)
        file.write_text(text)
        run(*shell("exit 0"), store=postgresql_url)
        assert [t.status for t in arbo.trials("t")] == ["COMPLETED", "COMPLETED"]


def test_a_new_task_has_no_more_workers_than_cores(run, arbo):
    run(*shell("exit 0"))
    assert arbo.experiment("t").search_space.largest == available_cores()


def test_the_command_runs_when_its_default_is_more_than_is_allowed(run, arbo):
    done = run(*shell("exit 0"), options=["--parallelism", "1:2", "--default", "9"])
    assert (done.returncode, "the default is 2" in done.stderr) == (0, True)
    assert arbo.experiment("t").default_parallelism == 2


@pytest.mark.parametrize("degrees", ["auto", "1:cores"])
def test_cores_can_be_asked_for(run, arbo, degrees):
    arbo.configure_experiment("t", parallelism=(1, 99))
    run(*shell("exit 0"), options=["--parallelism", degrees])
    assert arbo.experiment("t").search_space.largest == available_cores()


def test_a_change_of_what_a_person_configured_is_said(run, arbo):
    arbo.configure_experiment("t", parallelism=[1, 2])
    done = run(*shell("exit 0"), options=["--parallelism", "1,2,4"])
    assert "allowed are 1, 2, 4 workers from now on, and no longer 1, 2" in done.stderr


def test_what_a_person_narrowed_stays_when_the_script_asks_again(run, arbo):
    run(*shell("exit 0"), options=["--parallelism", "1,2,4"])
    arbo.configure_experiment("t", parallelism=[1, 2])
    done = run(*shell("exit 0"), options=["--parallelism", "1,2,4"])
    assert "parallelism stays 1, 2, though arbo run asks for 1, 2, 4" in done.stderr
    assert arbo.experiment("t").search_space.degrees == (1, 2)


def test_the_preparation_is_outside_of_the_time(run, arbo, tmp_path):
    script = f"test -e {tmp_path}/prepared"
    done = run(*shell(script), options=["--prepare", f"sleep 1; touch {tmp_path}/prepared"])
    assert done.returncode == 0
    assert arbo.trials("t")[0].execution_time_s < 1


def test_nothing_runs_when_the_preparation_fails(run, arbo):
    done = run(*shell("echo ran"), options=["--prepare", "exit 3"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "the preparation 'exit 3' exited with status 3" in done.stderr
    assert arbo.experiments() == []


def test_a_run_is_asked_about_when_it_takes_a_hundredth(run, arbo):
    arbo.configure_experiment("t", parallelism=[1, 2])
    arbo.attach_trial("t", parallelism=1, execution_time_s=1000)
    done = run(*shell("exit 0"))
    assert "had it anything to do?" in done.stderr
    assert "arbo exclude t 1" in done.stderr


def test_a_run_is_not_asked_about_when_more_workers_explain_it(run, arbo):
    arbo.configure_experiment("t", parallelism=[1, 2])
    arbo.attach_trial("t", parallelism=1, execution_time_s=1)
    assert run(*shell("exec sleep 0.1")).stderr == ""


def test_the_next_call_abandons_a_run_whose_arbo_was_killed(sqlite_url, journal, arbo, run):
    process = subprocess.Popen(
        [*RUN, "--store", sqlite_url, "--", *shell("echo ready; exec sleep 1000")],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process, process.stdout as stdout:
        assert stdout.readline() == b"ready\n"
        process.kill()
        assert stdout.read() == b""  # the command has ended too
    run(*shell("exit 0"))
    assert [t.status for t in arbo.trials("t")] == ["ABANDONED", "COMPLETED"]


def test_the_readme_uses_it():
    text = (Path(__file__).parents[2] / "README.md").read_text()
    assert "arbo run nightly" in text
