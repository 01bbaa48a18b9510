import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import arbo_bo

from .conftest import HOLD, WAIT_S, Lifeline

DRIVER = """
import json, signal, sys
from arbo_bo.execution import StageCommand, run_stage

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, above the tests, would have it ignored
script, parallelism, options = json.loads(sys.argv[1])
try:
    run_stage(
        StageCommand(("sh", "-c", script, "sh", "{chunk_id}")),
        parallelism,
        show_output=True,
        **options,
    )
except KeyboardInterrupt:
    print("interrupted")
"""

STUBBORN = "trap 'echo term' TERM; echo ready; while :; do sleep 1000 & wait; done"

Driver = subprocess.Popen[str]
Drive = Callable[..., Driver]


@pytest.fixture
def drive() -> Iterator[Drive]:
    """Starts another Python that runs a stage; what its processes print comes from its stderr."""
    started: list[Driver] = []

    def start(script: str, parallelism: int, *, before: str = "", **options: object) -> Driver:
        root = str(Path(arbo_bo.__file__).parents[1])
        driver = subprocess.Popen(
            [sys.executable, "-c", before + DRIVER, json.dumps([script, parallelism, options])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        started.append(driver)
        return driver

    yield start
    for driver in started:
        end(driver)


def end(driver: Driver) -> None:
    """Ends a driver, by force only if it has not ended with its processes."""
    if driver.poll() is None:
        driver.terminate()
    try:
        driver.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.communicate()


def lines(driver: Driver, count: int) -> list[str]:
    assert driver.stderr is not None
    seen = b""
    while seen.count(b"\n") < count:
        readable, _, _ = select.select([driver.stderr], [], [], WAIT_S)
        assert readable, f"only {seen!r} was printed"
        byte = os.read(driver.stderr.fileno(), 1)
        assert byte, f"only {seen!r} was printed"
        seen += byte
    return seen.decode().splitlines()


def test_all_processes_are_ended_when_ctrl_c_is_pressed(drive: Drive, lifeline: Lifeline) -> None:
    driver = drive(HOLD + "echo ready; sleep 1000 & wait", 4)
    assert lines(driver, 4) == ["ready"] * 4

    driver.send_signal(signal.SIGINT)

    assert driver.communicate(timeout=WAIT_S)[0] == "interrupted\n"
    assert driver.returncode == 0
    assert lifeline.count_until_all_ended() == 4


def test_all_processes_are_ended_when_ctrl_c_is_pressed_while_they_start(
    drive: Drive, lifeline: Lifeline
) -> None:
    driver = drive(HOLD + "echo ready; exec sleep 1000", 200)
    lines(driver, 1)

    driver.send_signal(signal.SIGINT)

    assert driver.communicate(timeout=WAIT_S)[0] == "interrupted\n"
    lifeline.count_until_all_ended()


def test_processes_are_killed_when_they_ignore_sigterm_after_ctrl_c(
    drive: Drive, lifeline: Lifeline
) -> None:
    driver = drive(HOLD + STUBBORN, 2, grace_s=0.1)
    assert lines(driver, 2) == ["ready"] * 2

    driver.send_signal(signal.SIGINT)

    assert driver.communicate(timeout=WAIT_S)[0] == "interrupted\n"
    assert lifeline.count_until_all_ended() == 2


def test_processes_are_killed_at_once_when_ctrl_c_is_pressed_again(
    drive: Drive, lifeline: Lifeline
) -> None:
    driver = drive(HOLD + STUBBORN, 1, grace_s=60)
    assert lines(driver, 1) == ["ready"]
    driver.send_signal(signal.SIGINT)
    assert lines(driver, 1) == ["term"]

    driver.send_signal(signal.SIGINT)

    assert driver.communicate(timeout=WAIT_S)[0] == "interrupted\n"
    assert lifeline.count_until_all_ended() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_all_processes_are_ended_when_the_caller_is_told_to_end(
    drive: Drive, lifeline: Lifeline, number: signal.Signals
) -> None:
    driver = drive(HOLD + "echo ready; exec sleep 1000", 2)
    assert lines(driver, 2) == ["ready"] * 2

    driver.send_signal(number)

    driver.communicate(timeout=WAIT_S)
    assert driver.returncode == 128 + number
    assert lifeline.count_until_all_ended() == 2


def test_a_failure_is_reported_when_the_status_of_a_process_is_lost(drive: Drive) -> None:
    driver = drive(
        "exit 0", 1, before="import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    )

    _, err = driver.communicate(timeout=WAIT_S)

    assert driver.returncode == 1
    assert "chunk 0 of 1 ended, but its status was lost" in err
