"""The plan and the record task around a stage, in this process, with Airflow's answers made up."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import DAG, task

from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow import arbo_stage, arbo_stages
from arbo_bo.integrations.airflow.markers import mark_begin, mark_end


class Instance:
    """What a running task asks of Airflow."""

    dag_id, run_id, id, max_tries, try_number = "d", "r", "i", 0, 1
    rendered_map_index = None

    def __init__(self, task, xcoms, map_index=-1, start_date=None):
        self.task, self.task_id, self.map_index = task, task.task_id, map_index
        self.start_date, self.xcoms = start_date, xcoms

    def xcom_push(self, key, value):
        self.xcoms[self.task_id, self.map_index, key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids, key):
        if isinstance(task_ids, str):
            return self.xcoms.get((task_ids, -1, key))
        return [v for (task, _, k), v in self.xcoms.items() if task in task_ids and k == key]

    def get_dagrun_state(self, dag_id, run_id):
        return "running"

    def get_task_breadcrumbs(self, dag_id, run_id):
        return self.rows


@pytest.fixture
def arbo(sqlite_url, monkeypatch):
    monkeypatch.setenv("ARBO_DATABASE_URL", sqlite_url)
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


@pytest.fixture
def stages():
    """Two stages of one plan, with three workers and with two."""
    with DAG("d", schedule=None):
        opened = arbo_stages(
            "p",
            {"a": {"parallelism": [3], "input_size": "{{ size }}"}, "b": {"parallelism": [2]}},
            baseline=False,
        )

        @task
        def work(chunk):
            pass

        opened.observe(work.expand(chunk=opened.chunks))
    return opened


def planned(stages, **context):
    """Runs the plan task, and returns its list and what it left in XCom."""
    xcoms = {}
    returned = stages.plan.execute({"ti": Instance(stages.plan, xcoms), **context})
    return returned, xcoms


def recorded(stages, xcoms, states):
    """Runs the record task after instances that ended in these states."""
    record = stages.plan.dag.get_task("record_p")
    ti = Instance(record, xcoms)
    ti.rows = [
        {"task_id": "work", "map_index": index, "state": state, "duration": 1.0 + index}
        for index, state in enumerate(states)
    ]
    return record.execute({"ti": ti})


def test_plan_leaves_workers_degrees_and_labels_when_it_decides(arbo, stages):
    returned, xcoms = planned(stages, size="7")
    assert returned[2:4] == [
        {"stage": "a", "chunk_id": 2, "chunks": 3},
        {"stage": "b", "chunk_id": 0, "chunks": 2},
    ]
    assert xcoms["plan_p", -1, "parallelism_a"] == 3
    assert xcoms["plan_p", -1, "parallelism_b"] == 2
    assert xcoms["plan_p", -1, "labels"][3:] == ["b chunk 1/2", "b chunk 2/2"]
    assert [advice["input_size"] for advice in xcoms["plan_p", -1, "arbo"]] == [7.0, None]


def test_each_trial_has_its_own_instances_time_when_all_succeeded(arbo, stages):
    _, xcoms = planned(stages, size=7)
    recorded(stages, xcoms, ["success"] * 5)
    assert [arbo.trials(name)[0].execution_time_s for name in ("d.a", "d.b")] == [3.0, 5.0]


def test_only_the_failing_stages_trial_fails_when_one_instance_did(arbo, stages):
    _, xcoms = planned(stages, size=7)
    done = recorded(stages, xcoms, ["success"] * 4 + ["failed"])
    assert [arbo.trials(name)[0].status for name in ("d.a", "d.b")] == ["COMPLETED", "FAILED"]
    assert "1 failed (map index [4])" in done[1]


def test_nothing_is_recorded_twice_when_the_record_task_is_tried_again(arbo, stages):
    _, xcoms = planned(stages, size=7)
    recorded(stages, xcoms, ["success"] * 5)
    before = arbo.trials("d.a") + arbo.trials("d.b")
    assert all("nothing to do" in text for text in recorded(stages, xcoms, ["failed"] * 5))
    assert arbo.trials("d.a") + arbo.trials("d.b") == before


def test_other_stages_are_recorded_when_one_took_no_advice(arbo, stages):
    _, xcoms = planned(stages, size="big")
    assert len(recorded(stages, xcoms, ["success"] * 5)) == 1
    assert arbo.trials("d.a") == []
    assert arbo.trials("d.b")[0].status == "COMPLETED"


def test_nothing_is_recorded_when_the_plan_never_ran(arbo, stages):
    assert recorded(stages, {}, []) == []


def test_time_is_the_makespan_when_the_instances_left_their_markers(arbo, stages):
    _, xcoms = planned(stages, size=7)
    work = stages.plan.dag.get_task("work")
    now = datetime.now(tz=UTC)
    for index in range(5):
        started = now - timedelta(seconds=10 * (5 - index))
        context = {"ti": Instance(work, xcoms, index, started)}
        mark_begin(context)
        mark_end(context)
    recorded(stages, xcoms, ["success"] * 5)
    first, second = arbo.trials("d.a")[0], arbo.trials("d.b")[0]
    assert first.time_measure == second.time_measure == "makespan"
    assert first.execution_time_s >= 50
    assert first.exclusion_reason is None


def test_sensor_began_with_its_first_poke_when_it_was_rescheduled(stages):
    now, xcoms = datetime.now(tz=UTC), {}
    ti = Instance(stages.plan.dag.get_task("work"), xcoms, 0, now)
    ti.get_first_reschedule_date = lambda context: now - timedelta(seconds=18)
    context = {"ti": ti, "task_reschedule_count": 3}
    mark_begin(context)
    mark_end(context)
    begin, end = xcoms["work", 0, "arbo_begin"], xcoms["work", 0, "arbo_end"]
    assert begin["start"] == end["start"] == (now - timedelta(seconds=18)).timestamp()
    assert end["end"] - end["start"] >= 18


def test_bound_is_recorded_when_an_instance_timed_out(arbo):
    with DAG("d", schedule=None) as dag:
        stage = arbo_stage("s", parallelism=[2], default_parallelism=2, baseline=False)

        @task(execution_timeout=timedelta(seconds=60))
        def work(chunk):
            pass

        record = stage.observe(work.expand(chunk=stage.chunks))
    xcoms = {}
    stage.plan.execute({"ti": Instance(stage.plan, xcoms)})
    ti = Instance(record, xcoms)
    ti.rows = [
        {"task_id": "work", "map_index": 0, "state": "success", "duration": 50.0},
        {"task_id": "work", "map_index": 1, "state": "failed", "duration": 60.4},
    ]
    record.execute({"ti": ti})
    (trial,) = arbo.trials("d.s")
    assert (trial.status, trial.timed_out_after_s) == ("FAILED", 60.0)
    assert dag.task_dict.keys() == {"plan_s", "work", "record_s"}
