"""Whatever happens to a stage, its trial is closed once: each row a real run."""

import pytest

CLEAN, ONE = {}, "1"
RUNS = {
    "success": ("plain", {}),
    "failing": ("plain", {"do": {ONE: "raise"}}),
    "retried": ("retrying", {"do": {ONE: "raise once"}}),
    "retries used up": ("retrying", {"do": {ONE: "raise"}}),
    "killed": ("plain", {"do": {ONE: "kill"}}),
    "killed and retried": ("retrying", {"do": {ONE: "kill once"}}),
    "one skipped": ("plain", {"do": {ONE: "skip"}}),
    "all skipped": ("plain", {"do": {"0": "skip", "1": "skip"}}),
    "record crashed": ("crashing", {}),
    "empty list": ("unusual", {"before": "empty"}),
    "skipped": ("unusual", {"before": "skip"}),
    "upstream failed": ("unusual", {"before": "fail"}),
    "group": ("grouped", {}),
    "group failing": ("grouped", {"do": {ONE: "raise"}}),
    "slowest": ("slowest", {}),
    "keyword arguments": ("unpacked", {}),
}


@pytest.fixture(scope="module")
def runs(airflow):
    """All runs that need nobody at the keyboard, a few at a time."""
    started, names = {}, list(RUNS)
    for place, name in enumerate(names):
        if place >= 5:
            started[names[place - 5]].wait()
        dag_id, conf = RUNS[name]
        started[name] = airflow.trigger(dag_id, **conf)
    return {name: run.wait() for name, run in started.items()}


@pytest.mark.parametrize("name", ["success", "record crashed", "group", "keyword arguments"])
def test_trial_is_completed_with_the_makespan_when_all_went_well(runs, trial_of, name):
    trial = trial_of(runs[name])
    assert runs[name].state == "success"
    assert (trial.status, trial.time_measure) == ("COMPLETED", "makespan")
    assert trial.exclusion_reason is None
    assert trial.queued_time_s > 0
    assert trial.parallelism == 2


def test_time_is_the_slowest_when_the_stage_wants_that(runs, trial_of):
    assert trial_of(runs["slowest"]).time_measure == "slowest"


@pytest.mark.parametrize("name", ["failing", "retries used up", "killed", "group failing"])
def test_trial_and_run_fail_when_an_instance_fails(runs, trial_of, name):
    trial = trial_of(runs[name])
    assert runs[name].state == "failed"
    assert (trial.status, trial.execution_time_s) == ("FAILED", None)
    assert "1 failed" in trial.failure_reason


def test_trial_fails_and_the_run_does_not_when_an_instance_is_skipped(runs, trial_of):
    trial = trial_of(runs["one skipped"])
    assert runs["one skipped"].state == "success"
    assert (trial.status, trial.failure_reason) == (
        "FAILED",
        "of 2 instances 1 skipped (map index [1])",
    )


@pytest.mark.parametrize("name", ["retried", "killed and retried"])
def test_trial_does_not_train_when_an_instance_was_retried(runs, trial_of, name):
    trial = trial_of(runs[name])
    assert runs[name].state == "success"
    assert trial.status == "COMPLETED"
    assert trial.exclusion_reason == "retried: map index [1]"


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("empty list", "success", "nothing ran: 1 skipped"),
        ("skipped", "success", "nothing ran: 1 skipped"),
        ("upstream failed", "failed", "nothing ran: 1 upstream_failed"),
        ("all skipped", "success", "nothing ran: 2 skipped"),
    ],
)
def test_trial_is_abandoned_when_nothing_ran(runs, trial_of, name, state, reason):
    trial = trial_of(runs[name])
    assert runs[name].state == state
    assert (trial.status, trial.failure_reason) == ("ABANDONED", reason)


def test_record_tries_again_and_changes_nothing_when_it_crashed_after_its_write(runs):
    (record,) = runs["record crashed"].instances("record_crashing")
    assert (record["state"], record["try_number"]) == ("success", 2)


def test_instances_are_labelled_when_they_are_observed(runs):
    labels = [instance["rendered_map_index"] for instance in runs["success"].instances("work")]
    assert labels == ["chunk 1/2", "chunk 2/2"]


def test_instances_get_the_keyword_arguments_when_they_are_expanded(runs):
    run = runs["keyword arguments"]
    said = [run.xcom("work", map_index=index) for index in range(2)]
    assert said == ["0 of 2", "1 of 2"]


def test_plan_says_why_when_it_decides(runs):
    advice = runs["success"].xcom("plan_plain", "arbo")[0]
    assert advice["reason"] in runs["success"].log("plan_plain")


def test_no_trial_is_left_running_when_all_runs_are_over(runs, arbo):
    ids = {f"{run.dag_id}/{run.run_id}" for run in runs.values()}
    names = {f"{run.dag_id}.{run.dag_id}" for run in runs.values()}
    trials = [trial for name in names for trial in arbo.trials(name)]
    mine = [trial for trial in trials if trial.run_key.rpartition("/")[0] in ids]
    assert len(mine) == len(runs)
    assert not [trial for trial in mine if trial.status.is_open]


def test_recorded_outcome_stays_when_the_stage_is_cleared(airflow, arbo, trial_of):
    run = airflow.trigger("plain").wait()
    before = trial_of(run)
    run.clear("work")
    run.wait_for_state("record_plain", "success")
    (record,) = run.instances("record_plain")
    assert record["try_number"] == 2
    assert trial_of(run) == before


def test_clear_of_the_plan_makes_a_new_trial(airflow, arbo, trial_of):
    run = airflow.trigger("plain").wait()
    before = trial_of(run)
    run.clear("plan_plain")
    run.wait_for_state("record_plain", "success")
    after = trial_of(run)
    assert after.trial_index != before.trial_index
    assert (after.status, after.exclusion_reason) == ("COMPLETED", None)
    assert arbo.store.trial("plain.plain", before.trial_index) == before


def test_older_trial_is_abandoned_when_the_plan_is_cleared_while_the_stage_runs(
    airflow, arbo, trial_of
):
    run = airflow.trigger("plain", sleep=4)
    run.wait_for_state("work", "running")
    before = trial_of(run)
    run.clear("plan_plain")
    run.wait_for_state("record_plain", "success")
    after = trial_of(run)
    assert arbo.store.trial("plain.plain", before.trial_index).status == "ABANDONED"
    assert after.trial_index != before.trial_index
    assert after.status == "COMPLETED"


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        ("success", "COMPLETED", "did not end by itself: map index [1]"),
        ("failed", "FAILED", "of 2 instances 1 failed (map index [1])"),
    ],
)
def test_trial_does_not_train_when_a_person_sets_a_state(airflow, trial_of, state, status, said):
    run = airflow.trigger("plain", sleep=5, do={"1": "hang"})
    run.wait_for_state("work", "running")
    run.set_state("work", 1, state)
    run.wait_for_state("record_plain", "success")
    trial = trial_of(run)
    assert trial.status == status
    assert said in (trial.exclusion_reason or trial.failure_reason)


def test_trial_fails_when_a_person_sets_the_run_to_failed(airflow, trial_of):
    run = airflow.trigger("plain", do={"1": "hang"})
    run.wait_for_state("work", "running")
    run.set_failed()
    assert run.wait().state == "failed"
    assert trial_of(run).status == "FAILED"


def test_trial_is_closed_once_when_the_scheduler_is_killed(airflow, arbo, trial_of):
    run = airflow.trigger("retrying", sleep=3)
    run.wait_for_state("work", "running")
    airflow.kill("scheduler")
    # The next scheduler soon takes the dead one's tasks for orphans. Lasting, this would make a
    # scheduler that is merely slow take its own tasks for such.
    airflow.start_daemon("scheduler", SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD="12")
    run.wait(300)
    airflow.stop("scheduler")
    airflow.start_daemon("scheduler")
    trial = trial_of(run)
    assert run.state == "success"
    assert trial.status == "COMPLETED"
    assert len([t for t in arbo.trials("retrying.retrying") if t.run_key == trial.run_key]) == 1
