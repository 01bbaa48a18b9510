"""Several real processes on one database at the same moment."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from arbo_bo.experiment import TrialStatus

SCRIPT = Path(__file__).with_name("storage_process.py")


@pytest.fixture
def at_once(store_url: str) -> Callable[[str, int, int], list[list[int]]]:
    """Runs an action in several processes that begin together; returns what each found."""

    def run(action: str, processes: int, times: int) -> list[list[int]]:
        command = [sys.executable, str(SCRIPT), action, store_url, str(times)]
        pipe = subprocess.PIPE
        started = [
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            for _ in range(processes)
        ]
        try:
            assert [p.stdout.readline() for p in started] == ["ready\n"] * processes
            for process in started:
                process.stdin.write("go\n")
                process.stdin.flush()
            said = [process.communicate(timeout=60) for process in started]
        finally:
            for process in started:
                process.kill()
                process.wait()
        assert [err for _, err in said] == [""] * processes
        return [json.loads(out) for out, _ in said]

    return run


def test_two_processes_get_different_trials(store, task, at_once):
    first, second = at_once("add", 2, 20)
    assert sorted(first + second) == list(range(40))
    assert [t.trial_index for t in store.trials(task)] == list(range(40))


def test_no_trial_is_lost_when_eight_processes_add_and_complete(store, task, at_once):
    found = at_once("add_and_complete", 8, 10)
    assert sorted(chain(*found)) == list(range(80))
    trials = store.trials(task)
    assert {t.status for t in trials} == {TrialStatus.COMPLETED}
    assert (len(trials), store.experiment(task).model.sample_count) == (80, 80)
    assert store.running_workers() == 0


def test_eight_processes_create_the_schema_and_the_task_once(store, at_once):
    found = at_once("configure", 8, 1)
    assert sorted(chain(*found)) == list(range(8))
    assert store.schema_version() == store.head_version
    assert [e.name for e in store.experiments()] == ["load_sales"]
