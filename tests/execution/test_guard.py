"""What becomes of a stage's processes when the process that watches over them is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import HOLD, Lifeline

Start = Callable[[str], "subprocess.Popen[bytes]"]
STAGE = """
import sys
from arbo_bo.execution import StageCommand, run_stage
run_stage(StageCommand(("sh", "-c", sys.argv[1], "sh", "{chunk_id}")), 4, grace_s=0.2)
"""


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a stage in another process, and waits until its first three chunks run.

    The fourth is over at once: it began when the others were known to the guard.
    """
    path = tmp_path / "started"
    os.mkfifo(path)

    def start(script: str) -> "subprocess.Popen[bytes]":
        hold = f"test $1 = 3 || {{ {HOLD}}}"
        chunk = f'{hold}; echo >"{path}"; test $1 = 3 && exit; {script}'
        process = subprocess.Popen([sys.executable, "-c", STAGE, chunk])
        with os.fdopen(os.open(path, os.O_RDWR), "rb", buffering=0) as fifo:
            for _ in range(4):
                fifo.read(1)
        return process

    return start


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_chunks_end_when_their_parent_is_killed(lifeline: Lifeline, start: Start) -> None:
    kill(start("exec sleep 1000"))
    assert lifeline.count_until_all_ended() == 3


def test_grandchildren_end_when_their_grandparent_is_killed(
    lifeline: Lifeline, start: Start
) -> None:
    kill(start("sleep 1000 & sleep 1000 & wait"))
    assert lifeline.count_until_all_ended() == 3


def test_chunks_that_ignore_sigterm_end_when_their_parent_is_killed(
    lifeline: Lifeline, start: Start
) -> None:
    kill(start("trap '' TERM; exec sleep 1000"))
    assert lifeline.count_until_all_ended() == 3
