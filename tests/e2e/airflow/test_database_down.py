"""Advice fails open, and recording fails loudly; neither breaks a run."""

import pytest


@pytest.fixture(scope="module")
def runs(airflow):
    """A run of each DAG whose database cannot be had."""
    names = ("down", "wrong_type", "record_down", "by_variable")
    started = {name: airflow.trigger(name) for name in names}
    started["size"] = airflow.trigger("plain", size="big")
    started["deleted"] = airflow.trigger("record_down")
    return {name: run.wait() for name, run in started.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("down", "onnection refused"),
        ("wrong_type", "must be of type postgres (or sqlite), got 'http'"),
        ("size", "input_size must come out as a number above 0, or as a path"),
    ],
)
def test_run_takes_its_default_and_says_so_when_there_is_no_advice(runs, name, words):
    run = runs[name]
    plan = f"plan_{run.dag_id}"
    assert run.state == "success"
    assert run.states("work") == ["success"] * 2
    assert run.xcom(plan, "arbo")[0]["trial_index"] is None
    log = run.log(plan)
    assert "takes its default degree 2" in log
    assert words in log
    assert words in run.xcom(plan, "arbo")[0]["reason"]
    (record,) = run.instances(f"record_{run.dag_id}")
    assert (record["state"], record["try_number"]) == ("success", 1)


def test_variable_names_the_database_when_there_is_no_connection(runs, trial_of):
    assert trial_of(runs["by_variable"]).status == "COMPLETED"


def test_record_retries_then_fails_loudly_and_the_run_succeeds_when_it_cannot_write(runs, trial_of):
    run = runs["record_down"]
    (record,) = run.instances("record_record_down")
    assert run.state == "success"
    assert (record["state"], record["try_number"]) == ("failed", 2)
    assert trial_of(run, namespace="down").status == "RUNNING"


def test_lost_trials_are_abandoned_when_the_next_run_plans(airflow, runs, trial_of):
    ended, deleted = runs["record_down"], runs["deleted"]
    lost = [trial_of(run, namespace="down").trial_index for run in (ended, deleted)]
    deleted.delete()
    after = airflow.trigger("record_down")
    after.wait_for_state("plan_record_down", "success")
    advice = after.xcom("plan_record_down", "arbo")[0]
    assert trial_of(ended, namespace="down").status == "ABANDONED"
    assert (advice["cluster_load"], advice["trial_index"]) == (0, max(lost) + 1)
