"""What the commands load, and what stands for them before they do."""

import json
import subprocess
import sys

import click
import pytest

from arbo_bo.cli.app import COMMANDS, app
from arbo_bo.cli.lazy import Entry, LazyGroup


def modules_loaded_by(*arguments):
    code = (
        f"from arbo_bo.cli import main; main({list(arguments)!r})\n"
        "import json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("nope",)])
def test_no_command_is_imported_when_none_is_invoked(arguments):
    loaded = {name for name in modules_loaded_by(*arguments) if name.startswith("arbo_bo.")}
    assert loaded <= {
        "arbo_bo._lazy",
        "arbo_bo.cli",
        "arbo_bo.cli.app",
        "arbo_bo.cli.lazy",
        "arbo_bo.cli.process",
        "arbo_bo.errors",
    }


@pytest.mark.parametrize("name", ["suggest", "tune", "bench", "attach"])
def test_nothing_beside_click_draws_the_command_line(name):
    assert not {"rich", "typer", "pygments", "sqlalchemy"} & modules_loaded_by(name, "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_is_the_first_sentence_of_the_commands_own_help(name):
    command = app.get_command(click.Context(app), name)
    assert command.get_short_help_str(limit=1000) == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_the_name_that_it_is_found_by(name):
    command = app.get_command(click.Context(app), name)
    assert isinstance(command, click.Group) or command.name == name


def test_command_names_are_completed_without_importing_any():
    group = LazyGroup(
        entries={"tune": Entry("no:where", "Tune."), "tasks": Entry("no:where", "List.")}
    )
    items = group.shell_complete(click.Context(group), "ta")
    assert [item.value for item in items] == ["tasks"]
