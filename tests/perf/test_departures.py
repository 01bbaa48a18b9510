"""The departures of the original algorithm from the study are counted and told, all of them."""

import re
from dataclasses import fields, replace
from pathlib import Path

import original
import pytest

from arbo_bo.numerics.steps import ONLINE, STUDY, Steps

DOCUMENT = Path(__file__).parents[2] / "docs" / "original.md"


def test_every_step_is_counted_when_it_can_be_taken_in_two_ways():
    apart = {f.name for f in fields(Steps) if getattr(ONLINE, f.name) != getattr(STUDY, f.name)}
    assert set(original.NAMES) == apart


@pytest.mark.parametrize("name", original.variants())
def test_a_departure_is_in_the_document_when_it_is_counted(name):
    assert f"| {name} |" in DOCUMENT.read_text()


def test_no_decision_differs_when_the_steps_are_the_same():
    runs = original.sequence(3)
    same = replace(STUDY)
    assert list(original.decisions(runs, same)) == list(original.decisions(runs, STUDY))


def test_decisions_differ_when_residuals_are_recomputed():
    runs = original.sequence(3)
    other = replace(STUDY, recomputes_residuals=True)
    assert list(original.decisions(runs, other)) != list(original.decisions(runs, STUDY))


def test_commands_run_as_written(tmp_path, monkeypatch, capsys):
    from arbo_bo import ArboOptimizer
    from arbo_bo.cli import main

    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    monkeypatch.setenv("ARBO_DATABASE_URL", url)
    (commands,) = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    assert [main(line.split()[1:]) for line in commands.splitlines()] == [0, 0, 0]
    assert "original" in capsys.readouterr().out
    with ArboOptimizer(url) as arbo:
        assert arbo.experiment("weekly").estimator == "original"
