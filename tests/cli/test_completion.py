"""What a shell completes."""

import os
import subprocess
import sys

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli.completion import setting_names


@pytest.fixture
def completed(sqlite_url):
    with ArboOptimizer(sqlite_url) as arbo:
        for name in ("nightly", "noon report", "weekly"):
            arbo.configure_experiment(name)

    def complete(words, store=sqlite_url):
        environment = os.environ | {
            "_ARBO_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
            "ARBO_DATABASE_URL": store,
        }
        done = subprocess.run(
            [sys.executable, "-m", "arbo_bo"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    return complete


def test_commands_are_completed(completed):
    assert completed("arbo ex") == ["exclude", "export"]
    assert completed("arbo db pr") == ["prune"]


@pytest.mark.parametrize("command", ["show", "export weekly", "complete", "suggest --pin 3"])
def test_tasks_are_completed(completed, command):
    assert completed(f"arbo {command} n") == ["nightly", "noon report"]


def test_options_are_completed(completed):
    assert completed("arbo suggest nightly --max-p") == ["--max-parallelism"]


def test_tasks_are_those_of_the_store_that_is_named(completed, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    ArboOptimizer(other).configure_experiment("nocturnal")
    assert completed(f"arbo show --store {other} n") == ["nocturnal"]


@pytest.mark.parametrize("store", ["sqlite:////no/such/file.db", "postgresql://127.0.0.1:1/x", "?"])
def test_nothing_is_completed_or_said_when_the_store_does_not_answer(completed, store):
    assert completed("arbo show n", store) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_the_shell_is_printed(shell):
    done = subprocess.run(
        [sys.executable, "-m", "arbo_bo"],
        env=os.environ | {"_ARBO_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_ARBO_COMPLETE={shell}_complete" in done.stdout


def test_settings_are_completed_by_the_names_of_their_options():
    assert [item.value for item in setting_names(None, None, "max")] == ["max-time", "max-cost"]
