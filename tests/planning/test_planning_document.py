"""The page about planning does what it says."""

import re
from pathlib import Path

import pytest

from arbo_bo.cli import main

PAGE = (Path(__file__).parents[2] / "docs/planning.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARBO_DATABASE_URL", "sqlite:///arbo.db")
    (tmp_path / "genome.yaml").write_text(blocks("yaml")[0])
    exec(compile("\n".join(blocks("python")), "docs/planning.md", "exec"), {})
    return tmp_path


def test_python_and_yaml_of_the_planning_page_run_as_written(here):
    assert (here / "arbo.db").exists()


def test_commands_of_the_planning_page_run_as_written(here, capsys):
    for line in "".join(blocks("sh")).splitlines():
        command = line.partition("#")[0].split()
        assert command[0] == "arbo"
        assert main(command[1:]) in (0, 3)
