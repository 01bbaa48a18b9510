"""Runs that are ended from outside, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest

from arbo_bo.benchmarks.results import HEADER, RECORDS, Results

BENCH = """
import signal, sys
from arbo_bo.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["bench", *sys.argv[1:]]))
"""
COMMON = ["--policies", "random,default", "--suite", "synthetic", "--tasks", "4"]


@contextmanager
def running(folder: Path, file: str = RECORDS, size: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A benchmark of thousands of units, in a process group of its own, once it has a file."""
    arguments = ["run", *COMMON, "--seeds", "400", "--out", str(folder), "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", BENCH, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    path = folder / file
    try:
        while not path.exists() or path.stat().st_size < size:
            assert process.poll() is None
            time.sleep(0.01)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path / "killed", size=50_000) as process:
        process.kill()
        assert process.wait() == -signal.SIGKILL
    before = Results(tmp_path / "killed").records()
    finish = [sys.executable, "-c", BENCH, "run", *COMMON, "--jobs", "1"]
    for name in ("killed", "fresh"):
        arguments = [*finish, "--seeds", "30", "--out", str(tmp_path / name)]
        subprocess.run(arguments, check=True, capture_output=True)
    after = Results(tmp_path / "killed").records()
    fresh = Results(tmp_path / "fresh").records()
    unit = ["problem", "urgency", "policy", "seed", "run"]
    kept = after.merge(before[[*unit, "decision_s"]], on=[*unit, "decision_s"])
    assert len(kept) == len(before)
    pd.testing.assert_frame_equal(
        after[after["seed"] < 30].reset_index(drop=True).drop(columns="decision_s"),
        fresh.drop(columns="decision_s"),
    )


@pytest.mark.parametrize("file", [HEADER, RECORDS])
def test_interrupted_run_ends_clean_and_says_how_to_go_on(tmp_path: Path, file: str) -> None:
    # HEADER: before the first worker has started. Ctrl-C in a terminal reaches the whole group.
    with running(tmp_path, file) as process:
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    said = f"interrupted; the same command goes on where it was, in {tmp_path}"
    assert errors.splitlines()[-1] == said
