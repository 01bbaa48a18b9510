"""What a user is told of files that are no store any more."""

import os

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main

PAGE = 4096


@pytest.fixture
def path(sqlite_url, tmp_path):
    with ArboOptimizer(sqlite_url) as arbo:
        arbo.attach_trial("t", parallelism=4, execution_time_s=2.0)
    return tmp_path / "arbo.db"


def truncate(path):
    os.truncate(path, PAGE + 100)


def replace_by_text(path):
    path.write_text("no database at all\n" * 200)


def zero_the_schema(path):
    path.write_bytes(path.read_bytes()[:100].ljust(path.stat().st_size, b"\0"))


def zero_a_page(path):
    """One that a listing of the schema does not look at."""
    content = path.read_bytes()
    path.write_bytes(content[: 3 * PAGE] + bytes(PAGE) + content[4 * PAGE :])


@pytest.mark.parametrize("damage", [truncate, replace_by_text, zero_the_schema, zero_a_page])
def test_doctor_stops_at_a_damaged_file(path, sqlite_url, damage, capsys):
    damage(path)
    assert main(["doctor", "--store", sqlite_url]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("error   database")
    assert "damaged" in said.out
    assert "restore it from a backup" in said.out
    assert "see the message" not in said.out + said.err


@pytest.mark.parametrize("command", ["tasks", "suggest t", "show t", "db upgrade", "export t"])
def test_commands_end_in_one_line_when_the_file_is_cut_off(path, sqlite_url, command, capsys):
    truncate(path)
    assert main([*command.split(), "--store", sqlite_url]) == 1
    said = capsys.readouterr().err
    assert said.startswith("arbo: error: ")
    assert "restore it from a backup" in said
    assert said.count("\n") == 1


def test_export_to_a_file_tells_of_the_store_when_that_fails(path, sqlite_url, tmp_path, capsys):
    path.unlink()
    path.mkdir()
    out = tmp_path / "out.jsonl"
    assert main(["export", "--all", "--output", str(out), "--store", sqlite_url]) == 1
    assert "must be a file, got a folder" in capsys.readouterr().err
    assert not out.exists()
