"""What a trial holds is what ran."""

import pytest

NAMES = ("run_times_out", "instance_times_out", "one_slot", "hostile_defaults", "rescheduled")


@pytest.fixture(scope="module")
def runs(airflow):
    """A run of each DAG, all at once."""
    pool = {"name": "one_slot", "slots": 1, "description": "", "include_deferred": False}
    airflow.api("POST", "/pools", pool)
    airflow.wait_for_dags(*NAMES)
    started = {name: airflow.trigger(name) for name in NAMES}
    return {name: run.wait() for name, run in started.items()}


@pytest.fixture
def trial(runs, trial_of):
    return lambda name: trial_of(runs[name], "stage", namespace="measured")


def test_plan_and_record_do_their_work_when_default_args_are_hostile(runs, trial):
    assert runs["hostile_defaults"].state == "success"
    hostile = trial("hostile_defaults")
    assert (hostile.status, hostile.time_measure) == ("COMPLETED", "makespan")


def test_sensors_time_begins_with_its_first_poke_when_it_was_rescheduled(trial):
    rescheduled = trial("rescheduled")
    assert rescheduled.status == "COMPLETED", rescheduled.failure_reason
    assert rescheduled.execution_time_s >= 6
    assert (rescheduled.parallelism, rescheduled.exclusion_reason) == (2, None)


def test_instances_train_as_one_or_not_at_all_when_the_pool_has_one_slot(trial):
    one_slot = trial("one_slot")
    assert one_slot.execution_time_s >= 4
    excluded = "at most 1 ran side by side" in (one_slot.exclusion_reason or "")
    assert excluded or one_slot.parallelism == 1


def test_time_is_a_bound_when_instances_reach_their_execution_timeout(trial):
    ended = trial("instance_times_out")
    assert (ended.status, ended.timed_out_after_s) == ("FAILED", 3.0)


def test_time_is_a_bound_when_a_dag_run_timed_out_and_another_dag_plans(airflow, runs, trial):
    assert trial("run_times_out").status == "RUNNING"
    after = airflow.trigger("hostile_defaults").wait()
    ended = trial("run_times_out")
    assert ended.status == "FAILED"
    assert 0 < ended.timed_out_after_s < 40
    assert after.xcom("plan_stage", "arbo")[0]["cluster_load"] == 0
