"""How a process of the command line ends, and what its streams may be."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from arbo_bo import ArboOptimizer

ARBO = [sys.executable, "-m", "arbo_bo"]


@pytest.fixture
def store(sqlite_url):
    with ArboOptimizer(sqlite_url) as arbo:
        rows = [{"parallelism": s, "execution_time_s": 10 / s + 1} for s in (1, 2, 4)]
        arbo.attach_trials("nächtlich", rows)
        arbo.attach_trials("many", rows * 700)
    return sqlite_url


def shell(script, **environment):
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"],
        capture_output=True,
        check=False,
        env=os.environ | environment,
        timeout=120,
    )


@pytest.mark.parametrize("arguments", ["export many", "tasks --json", "show many", "--help"])
def test_status_is_0_when_the_reader_has_had_enough(store, arguments):
    where = "" if arguments == "--help" else f"--store {store}"
    done = shell(f"{' '.join(ARBO)} {arguments} {where} | true")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [["import"], ["attach", "t", "--csv"]])
def test_interruption_is_told_in_one_line(tmp_path, sqlite_url, arguments):
    fifo = tmp_path / "input"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [*ARBO, *arguments, str(fifo), "--store", sqlite_url],
        stderr=subprocess.PIPE,
        # A test runner in the background may have SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with fifo.open("w"):  # opens once the command reads
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"arbo: interrupted\n")


def test_interrupted_question_is_told_in_one_line(store):
    process = subprocess.Popen(
        [*ARBO, "delete", "many", "--store", store],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    asked = process.stderr.read(len("delete many with all its trials"))
    while not asked.endswith(b"[y/N]: "):
        asked += process.stderr.read(1)
    with process:
        for _ in range(10):  # one that comes just before the process waits for a line is not seen
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=3)
                break
        said = process.stderr.read()
    assert (process.returncode, said.strip()) == (130, b"arbo: interrupted")


def test_main_tells_an_interruption_while_it_loads(monkeypatch, capsys):
    from arbo_bo.cli import main, process

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "run", interrupt)
    assert main(["tasks"]) == 130
    assert capsys.readouterr().err == "arbo: interrupted\n"


@pytest.mark.parametrize(
    "arguments",
    ["tasks", "show nächtlich", "predict nächtlich", "tasks --json", "show none-ähnlich"],
)
def test_output_needs_no_more_than_ascii(store, arguments):
    done = shell(f"{' '.join(ARBO)} {arguments} --store {store}", PYTHONIOENCODING="ascii")
    assert b"Traceback" not in done.stderr
    assert (done.stdout + done.stderr).isascii()
    assert done.returncode == ("none" in arguments)


def test_deviation_is_readable_when_the_terminal_knows_ascii_alone(store):
    done = shell(f"{' '.join(ARBO)} predict nächtlich --store {store}", PYTHONIOENCODING="ascii")
    assert b"+- run to run" in done.stdout


def test_export_is_utf_8_whatever_the_terminal_knows(store):
    command = f"{' '.join(ARBO)} export nächtlich --format csv --store {store}"
    done = shell(command, PYTHONIOENCODING="latin-1")
    assert "nächtlich," in done.stdout.decode("utf-8")


def test_terminal_is_told_how_far_a_long_command_is(tmp_path, sqlite_url):
    path = tmp_path / "runs.csv"
    path.write_text("parallelism,execution_time_s\n" + "2,3\n" * 2500)
    terminal, stderr = pty.openpty()
    process = subprocess.Popen(
        [*ARBO, "attach", "t", "--csv", str(path), "--store", sqlite_url], stderr=stderr
    )
    assert process.wait(timeout=60) == 0
    os.close(stderr)
    said = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert "1,000 lines read" in said
    assert "2,000 lines read" in said
    assert said.endswith("attached 2500 trials, 0 to 2499, of t\r\n")
