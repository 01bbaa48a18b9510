"""What programs read of the command line, and the files that it writes."""

import json
import os
import stat

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main
from arbo_bo.cli.app import app
from arbo_bo.cli.files import write_file

LONG = "team/" + "x" * 240
REASON = "it ran out of " + "memory " * 20 + "at the end"


@pytest.fixture
def call(sqlite_url, capsys):
    with ArboOptimizer(sqlite_url) as arbo:
        for _ in range(8):
            arbo.suggest(LONG)
        arbo.mark_trial_failed(LONG, 0, reason=REASON)

    def run(*arguments, status=0):
        assert main([*map(str, arguments), "--store", sqlite_url]) == status
        return capsys.readouterr()

    return run


def commands(group, name="arbo"):
    import click

    with click.Context(group) as context:
        for part in group.list_commands(context):
            command = group.get_command(context, part)
            if isinstance(command, click.Group):
                yield from commands(command, f"{name} {part}")
            else:
                yield f"{name} {part}", command


PASSES_OUTPUT_ON = {"arbo run"}
"""Commands whose stdout is another program's."""


@pytest.mark.parametrize(("name", "command"), [*commands(app)])
def test_command_can_answer_in_json(name, command):
    assert name in PASSES_OUTPUT_ON or "json" in {parameter.name for parameter in command.params}


def test_deletion_is_said_in_json(call):
    assert json.loads(call("delete", LONG, "--yes", "--json").out) == {"deleted": LONG}


def test_export_says_in_json_where_it_went(call, tmp_path):
    out = tmp_path / "out.jsonl"
    assert json.loads(call("export", "--all", "--output", out, "--json").out) == {
        "output": str(out)
    }
    assert "--json goes with --output" in call("export", "--all", "--json", status=2).err


@pytest.mark.parametrize("command", ["tasks", "show"])
def test_names_and_reasons_are_whole_when_no_terminal_reads_them(call, command):
    arguments = [command, LONG] if command == "show" else [command]
    shown = call(*arguments).out
    assert LONG in shown
    assert command == "tasks" or REASON in shown


def test_doctor_names_every_run_in_json(call, sqlite_url):
    import sqlite3

    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE execution_history SET lease_expires_at = '2020-01-01'")
    found = {f["check"]: f for f in json.loads(call("doctor", "--json").out)}["runs"]
    assert found["message"].endswith("and 2 more")
    assert found["names"] == [f"{LONG} {index}" for index in range(1, 8)]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_file_has_the_mode_that_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_file(tmp_path / "out", ["text\n"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o666 & ~mask


def test_file_that_is_replaced_keeps_its_mode_and_its_link(tmp_path):
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_file(link, ["after"])
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    write_file(fifo, ["text"])
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_file_stays_as_it_was_when_its_lines_fail(tmp_path):
    path = tmp_path / "out"
    path.write_text("before")

    def lines():
        yield "half"
        raise ValueError("the other half")

    with pytest.raises(ValueError, match="the other half"):
        write_file(path, lines())
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert path.read_text() == "before"
