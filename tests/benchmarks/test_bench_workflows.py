"""Planners of workflows on small profiles."""

import csv

import numpy as np
import pytest

from arbo_bo.benchmarks.workflows import searched, serverless
from arbo_bo.benchmarks.workflows.profiles import DAGS, PROFILES, load_profiles, spread
from arbo_bo.benchmarks.workflows.rows import Row, table
from arbo_bo.cli import main

PARENTS = {0: "", 1: "0"}


@pytest.fixture
def folder(tmp_path):
    """Two epochs of a workflow of one parallel and one serial stage."""
    with (tmp_path / DAGS).open("w") as stream:
        rows = csv.writer(stream)
        rows.writerow(["workflow", "stage_idx", "stage", "parallel", "parents"])
        rows.writerows(["w", i, f"stage{i}", int(i == 0), p] for i, p in PARENTS.items())
    with (tmp_path / PROFILES).open("w") as stream:
        rows = csv.writer(stream)
        parts = ["read_mean_s", "compute_mean_s", "write_mean_s"]
        rows.writerow(
            ["workflow", "stage_idx", "epoch", "memory_mb", "global_degree", *parts, "stage_wall_s"]
        )
        for epoch in (1, 2):
            for memory in (1792, 3584):
                for degree in (2, 4, 8, 16):
                    work = 100 / degree * 1792 / memory
                    noise = 1 + 0.02 * epoch
                    rows.writerow(["w", 0, epoch, memory, degree, 1, work, 1, (work + 3) * noise])
                    merge = 0.5 * degree
                    rows.writerow(["w", 1, epoch, memory, degree, merge, 1, 0, (merge + 2) * noise])
    return tmp_path


def test_oracle_is_the_cheapest_of_all_plans(folder):
    profile = load_profiles(folder)["w"]["1"]
    every = [
        profile.judge([(m, d), (n, 1)])[:2]
        for m in (1792, 3584)
        for d in (2, 4, 8, 16)
        for n in (1792, 3584)
    ]
    for deadline in np.quantile([t for t, _ in every], (0.3, 0.6, 1.0)):
        expected = min(c for t, c in every if t <= deadline)
        assert profile.oracle([float(deadline)])[0] == pytest.approx(expected)


def test_serial_stage_takes_the_time_of_its_parents_degree(folder):
    profile = load_profiles(folder)["w"]["1"]
    slow, fast = (profile.judge([(1792, d), (1792, 1)])[2][1] for d in (16, 2))
    assert slow > fast


def test_profiled_runs_are_spread(folder):
    chosen = spread(load_profiles(folder)["w"]["1"].configurations, 3)
    assert chosen[0] == (1792, 2)
    assert chosen[1] == (3584, 16)


def test_replay_finds_every_measure_of_every_planner(folder):
    rows = list(serverless.replayed(folder))
    missed = [r for r in rows if r.measure.startswith("missed") and r.planner == "chance"]
    assert int(missed[0].measured) <= 2
    assert {r.planner for r in rows} >= {"chance", "jolteon", "uniform", "independent"}


def test_search_is_as_good_as_enumeration_on_random_graphs():
    cost, infeasible = searched.against_enumeration(4)
    assert float(cost.measured) <= 1.02
    assert infeasible.measured == "0"


def test_coupled_stages_are_planned_together_after_eight_runs():
    ours, alone = searched.coupled((1.0,))
    assert float(ours.measured) <= 1.05
    assert float(alone.measured) > 1.5


def test_table_is_markdown():
    assert table([Row("p", "chance", "m", "1", "2")]).endswith("| p | chance | m | 1 | 2 |")


def test_suite_names_the_folder_that_it_needs(capsys, tmp_path):
    assert main(["bench", "run", "--suite", "workflows", "--data", str(tmp_path)]) == 1
    assert "ARBO_BENCH_DATA" in capsys.readouterr().err
