"""What examples/ax shows."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples/ax"


def main(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]


def test_strategy_opens_with_baseline_and_probe_and_then_optimizes():
    runs = main("strategy")()
    degrees = [run["parallelism"] for run in runs.values()]
    assert degrees[:2] == [1, 4]
    assert min(degrees[3:]) > 4


def test_surrogate_predicts_degrees_that_never_ran():
    law, times = main("surrogate")()
    assert law.p == pytest.approx(0.95, abs=0.03)
    assert times[16] == pytest.approx(30.25, rel=0.05)


def test_analyses_show_every_trial():
    table, plot = main("analyses")()
    assert len(table.df) == 6
    assert plot.get_figure() is not None
