"""``arbo plan``."""

import json

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main
from arbo_bo.planning import load_workflow

WORKFLOW = {
    "name": "etl",
    "stages": {
        "load": {"parallelism": "1:8"},
        "train": {"after": ["load"], "parallelism": "1:8"},
    },
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "etl.json"
    path.write_text(json.dumps(WORKFLOW))
    return path


@pytest.fixture
def arbo(store_url, file, capsys):
    with ArboOptimizer(store_url) as optimizer:
        workflow = load_workflow(file)
        for s, load, train in ((1, 300.0, 200.0), (4, 90.0, 60.0), (8, 60.0, 40.0)):
            rows = {"load": load, "train": train}
            optimizer.attach_workflow_run(
                workflow,
                {name: {"parallelism": s, "execution_time_s": t} for name, t in rows.items()},
            )

    def run(*arguments, status=0):
        capsys.readouterr()
        assert main(["plan", *map(str, arguments), "--store", store_url]) == status
        return capsys.readouterr()

    return run


def test_plan_is_a_row_a_stage_and_a_sentence(arbo, file):
    shown = arbo(file, "--deadline", "5m").out
    assert "load" in shown
    assert "a deadline of 5 min 00 s with probability 0.95: kept" in shown


def test_json_holds_what_the_table_does(arbo, file):
    plan = json.loads(arbo(file, "--deadline", "5m", "--json").out)
    assert plan["feasible"] is True
    assert [s["stage"] for s in plan["stages"]] == ["load", "train"]


def test_explanation_names_path_slack_and_neighbours(arbo, file):
    shown = arbo(file, "--deadline", "5m", "--explain").out
    assert "critical path: load -> train" in shown
    assert "next cheaper" in shown
    assert "slack" in shown


def test_status_is_3_where_no_plan_keeps_the_goal(arbo, file):
    shown = arbo(file, "--deadline", "20s", status=3).out
    assert "the nearest deadline is" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "give a goal"),
        (("--mean", "--percentile", "50"), 2, "not both"),
        (("--deadline", "0"), 1, "--deadline must be a time"),
        (("--deadline", "5m", "--probability", "1"), 1, "probability"),
        (("--deadline", "5m", "--planner", "oracle"), 1, "planner must be one of"),
        (("--budget", "3"), 1, "price"),
    ],
)
def test_wrong_request_is_refused_in_one_line(arbo, file, arguments, status, message):
    assert message in arbo(file, *arguments, status=status).err


def test_missing_file_is_named(arbo, tmp_path):
    assert "none.yaml cannot be read" in arbo(tmp_path / "none.yaml", "--mean", status=1).err


def test_attached_run_is_known_to_be_one(arbo, store_url):
    with ArboOptimizer(store_url) as optimizer:
        keys = [[t.run_key for t in optimizer.trials(f"etl.{s}")] for s in ("load", "train")]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


def test_planners_are_compared_with_optimizations_and_without(arbo, file):
    rows = json.loads(arbo("compare", file, "--deadline", "5m", "--json").out)
    assert {r["planner"] for r in rows} >= {"chance", "uniform", "independent", "jolteon"}
    assert {r["optimizations"] for r in rows} == {True, False}
    assert "uniform" in arbo("compare", file, "--mean", "--planners", "uniform,chance").out


def test_front_shows_what_time_costs(arbo, file):
    front = json.loads(arbo("pareto", file, "--points", "4", "--json").out)
    assert front[0]["cost_mean"] > front[-1]["cost_mean"]
    assert "workers" in arbo("pareto", file, "--points", "2").out
