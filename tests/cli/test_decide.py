"""``arbo decide``."""

import json

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main


@pytest.fixture
def arbo(store_url, capsys):
    with ArboOptimizer(store_url) as optimizer:
        for task in ("load", "train"):
            for s, time in ((1, 300.0), (4, 90.0), (8, 60.0)):
                optimizer.attach_trial(task, parallelism=s, execution_time_s=time)

    def run(*arguments, status=0):
        capsys.readouterr()
        assert main([*arguments, "--store", store_url]) == status
        return capsys.readouterr()

    return run


def test_every_task_is_decided_at_once(arbo, store_url):
    decisions = json.loads(arbo("decide", "--all", "--json").out)
    assert [d["task"] for d in decisions] == ["load", "train"]
    with ArboOptimizer(store_url) as optimizer:
        found = [optimizer.trials(t)[-1].parallelism for t in ("load", "train")]
    assert [d["parallelism"] for d in decisions] == found


def test_some_tasks_are_decided_with_their_reasons(arbo):
    shown = arbo("decide", "train").out
    assert "train" in shown
    assert "load" not in shown
    assert "workers: expected" in shown


@pytest.mark.parametrize("arguments", [(), ("load", "--all"), ("laod",)])
def test_what_is_to_be_decided_must_be_clear(arbo, arguments):
    assert "error" in arbo("decide", *arguments, status=2).err.lower()


def test_table_of_candidates_tells_what_is_likely_to_fail(arbo, store_url):
    with ArboOptimizer(store_url) as optimizer:
        decision = optimizer.suggest("load")
        optimizer.mark_trial_failed("load", decision, reason="out of memory")
    shown = arbo("show", "load").out
    assert "succeeds" in shown
    assert "and failures" in shown
