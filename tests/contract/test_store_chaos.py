"""The short form of ``make chaos``: faults while many processes write, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[2] / "perf" / "chaos.py"
SCENARIOS = {
    "sqlite": ["8 processes x 10, 1 task", "clocks jump", "a writer is killed", "the disk is full"],
    "postgresql": [
        "8 processes x 10, 4 tasks",
        "a writer is killed",
        "the server stops fast",
        "the server stops at once",
        "connections are cut",
        "the server is read-only",
    ],
}


@pytest.mark.parametrize("kind", SCENARIOS)
def test_nothing_is_lost_when_faults_meet_many_writers(kind):
    command = [sys.executable, str(CHAOS), "--short", "--database", kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines()[1:]]
    assert done.returncode == 0, done.stderr
    played = {scenario for _, scenario, *_ in rows}
    assert set(SCENARIOS[kind]) <= played
    if kind == "postgresql":  # a full disk needs the right to mount a small one
        assert "the server's disk is full" in played or "skipped" in done.stderr
    assert all(int(acknowledged) > 0 for _, _, _, acknowledged, *_ in rows)
    assert {(lost, duplicates) for _, _, _, _, lost, duplicates, *_ in rows} == {("0", "0")}
    refusals = {scenario: refused for _, scenario, *_, refused, _ in rows}
    assert {refusals[s] for s in SCENARIOS[kind] if s.startswith("8 processes")} == {"0"}
