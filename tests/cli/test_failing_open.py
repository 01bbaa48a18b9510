"""Advice fails open: whatever asks arbo for a degree goes on where the database is down."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli.app import COMMANDS

CLOSED_PORT = "postgresql://a@127.0.0.1:1/x"
ARBO = shlex.join([sys.executable, "-m", "arbo_bo"])

# What stands in scripts, where a status other than 0 or an empty degree would end the work.
IN_SCRIPTS = {
    "run": "run t --default 3 -- sh -c 'echo $1' sh {parallelism}",
    "suggest": "suggest t --default 3",
    "complete": "complete t 0 --time 3",
    "fail": "fail t 0 --reason broken",
    "abandon": "abandon t 0",
}
# What people type, who are told in one line; data fails closed.
TYPED = {
    "tune": "tune t -- true {parallelism}",
    "configure": "configure t --urgency 2",
    "deliver": "complete t 0 --time 3; arbo deliver",
    "attach": "attach t --parallelism 2 --time 3",
    "exclude": "exclude t 0",
    "rename": "rename t u",
    "delete": "delete t --yes",
    "predict": "predict t",
    "plan": "plan workflow.json --mean",
    "decide": "decide t",
    "tasks": "tasks",
    "show": "show t",
    "savings": "savings t",
    "report": "report t -o report.html",
    "export": "export t",
    "import": "import /dev/null",
    "doctor": "doctor",
    "db": "db upgrade",
}
WITHOUT_STORE = {"bench"}


@pytest.fixture(params=["closed port", "killed server"])
def down(request, journal):
    """URL of a PostgreSQL that is down: nothing ever listened there, or its server was killed."""
    if request.param == "closed port":
        return CLOSED_PORT
    server = request.getfixturevalue("stoppable_server")
    url = server.get_uri()
    with ArboOptimizer(url) as arbo:
        arbo.suggest("t")
    os.kill(int((server.pgdata / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    return url


def shell(script, url):
    return subprocess.run(
        ["sh", "-ec", f'arbo() {{ {ARBO} "$@"; }}; {script}'],
        env=os.environ | {"ARBO_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_is_held_to_one_of_both():
    assert set(COMMANDS) == {*IN_SCRIPTS, *TYPED, *WITHOUT_STORE}


@pytest.mark.parametrize("command", IN_SCRIPTS)
def test_a_script_goes_on_when_the_database_is_down(command, down):
    done = shell(f"arbo {IN_SCRIPTS[command]}; echo went on", down)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "went on"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", TYPED)
def test_a_person_is_told_in_one_line_when_the_database_is_down(command, journal, tmp_path):
    (tmp_path / "workflow.json").write_text('{"name": "w", "stages": {"a": {}}}')
    done = shell(f"cd {shlex.quote(str(tmp_path))}; arbo {TYPED[command]}", CLOSED_PORT)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be reached" in done.stdout + done.stderr


def test_make_has_a_degree_when_the_database_is_down(down, tmp_path):
    (tmp_path / "Makefile").write_text("all:\n\techo made with $(MAKEFLAGS)\n")
    script = (
        'eval "$(arbo suggest t --default 3)"; '
        f'make -C {tmp_path} -j "$parallelism"; arbo complete t "$trial_index" --time 3'
    )
    done = shell(script, down)
    assert done.returncode == 0, done.stderr
    assert "-j3" in done.stdout


def test_python_has_a_degree_when_the_database_is_down(down):
    arbo = ArboOptimizer(down)
    assert arbo.get_optimal_parallelism("t", 3, deadline_s=0.2) == 3
    with arbo.trial("t", default_parallelism=3, deadline_s=0.2) as decision:
        assert decision.parallelism == 3


@pytest.mark.parametrize("command", ["complete", "fail"])
def test_an_outcome_is_kept_when_the_database_is_down(command, down, journal):
    done = shell(f"arbo {IN_SCRIPTS[command]}", down)
    assert "the next arbo call on this machine delivers it" in done.stderr
    assert len(list(journal.iterdir())) == 1
