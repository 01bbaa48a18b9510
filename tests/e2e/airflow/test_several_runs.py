"""Runs and stages that go on at the same time."""


def test_runs_see_each_other_as_load_when_they_overlap(airflow):
    first = airflow.trigger("loaded", sleep=8)
    first.wait_for_state("plan_loaded", "success")
    second = airflow.trigger("loaded").wait()
    first.wait()
    advices = [run.xcom("plan_loaded", "arbo")[0] for run in (first, second)]
    assert [advice["cluster_load"] for advice in advices] == [0, advices[0]["parallelism"]]


def test_each_stage_has_its_trial_when_one_plan_decides_several(airflow, trial_of):
    run = airflow.trigger("several").wait()
    trials = [trial_of(run, place=place, namespace="several") for place in range(3)]
    assert [trial.task for trial in trials] == ["several.heavy", "light", "light"]
    assert [trial.status for trial in trials] == ["COMPLETED"] * 3
    assert [trial.cluster_load for trial in trials] == [0, 3, 5]
    stages = [run.xcom("work", map_index=index) for index in range(7)]
    assert stages == ["heavy"] * 3 + ["light_a"] * 2 + ["light_b"] * 2
    labels = [instance["rendered_map_index"] for instance in run.instances("work")]
    assert labels[2:4] == ["heavy chunk 3/3", "light_a chunk 1/2"]
