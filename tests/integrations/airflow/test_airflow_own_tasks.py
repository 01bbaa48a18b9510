"""arbo's own tasks under a DAG's default_args and a cluster's policy, loaded as Airflow does."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow import settings
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset, task
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy
from airflow.sdk.exceptions import AirflowSkipException, AirflowTaskTimeout

from arbo_bo.errors import StoreUnavailableError
from arbo_bo.integrations.airflow import arbo_stage, operators
from arbo_bo.integrations.airflow.plan import Advice

DEFAULTS = {
    "do_xcom_push": False,
    "multiple_outputs": True,
    "trigger_rule": "none_failed",
    "retries": 0,
    "retry_delay": timedelta(days=1),
    "retry_exponential_backoff": True,
    "retry_policy": ExceptionRetryPolicy(rules=[]),
    "pool": "heavy",
    "pool_slots": 8,
    "execution_timeout": timedelta(milliseconds=1),
    "depends_on_past": True,
    "wait_for_downstream": True,
    "weight_rule": "upstream",
    "priority_weight": 1,
    "max_active_tis_per_dag": 4,
    "map_index_template": "{{ task.no_such }}",
    "pre_execute": lambda context: 1 / 0,
    "post_execute": lambda context, result: 1 / 0,
    "outlets": [Asset("table")],
}


def dag_of(**options):
    with DAG("d", schedule=None, **options) as dag:
        stage = arbo_stage("s", parallelism=[2], default_parallelism=2)

        @task
        def work(chunk):
            pass

        stage.observe(work.expand(chunk=stage.chunks))
    return dag


@pytest.fixture
def dag():
    return dag_of(default_args=DEFAULTS)


@pytest.mark.parametrize("name", ["plan_s", "record_s"])
@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("do_xcom_push", True),
        ("multiple_outputs", False),
        ("retry_exponential_backoff", 0),
        ("retry_policy", None),
        ("pool_slots", 1),
        ("execution_timeout", timedelta(minutes=10)),
        ("wait_for_downstream", False),
        ("max_active_tis_per_dag", None),
        ("map_index_template", None),
        ("_pre_execute_hook", None),
        ("_post_execute_hook", None),
        ("outlets", []),
    ],
)
def test_own_tasks_have_what_they_need_when_default_args_say_otherwise(dag, name, attribute, value):
    assert getattr(dag.get_task(name), attribute) == value


def test_lost_worker_is_made_up_for_when_default_args_forbid_retries(dag):
    plan, record = dag.get_task("plan_s"), dag.get_task("record_s")
    assert (plan.retries, plan.retry_delay) == (2, timedelta(seconds=10))
    assert (record.retries, record.retry_delay) == (5, timedelta(seconds=30))


def test_record_waits_for_nothing_but_the_stage_when_default_args_make_tasks_wait(dag):
    record = dag.get_task("record_s")
    assert (record.pool, record.depends_on_past) == ("default_pool", False)
    assert record.priority_weight == 1000
    assert record.trigger_rule == "all_done_setup_success"


def test_own_arguments_stand_when_they_are_given_to_the_stage():
    with DAG("d", schedule=None, default_args=DEFAULTS):
        stage = arbo_stage("s", plan_args={"retries": 7, "queue": "light"})
    assert (stage.plan.retries, stage.plan.queue) == (7, "light")


def test_own_tasks_have_what_they_need_when_a_cluster_policy_says_otherwise(monkeypatch, tmp_path):
    def policy(task):
        task.do_xcom_push = False
        task.multiple_outputs = True
        task.trigger_rule = "all_success"
        task.depends_on_past = task.wait_for_downstream = True

    monkeypatch.setattr(settings, "task_policy", policy)
    bag = DagBag(tmp_path, bundle_name="empty")
    bag.bag_dag(dag := dag_of())
    plan, record = dag.get_task("plan_s"), dag.get_task("record_s")
    assert plan.do_xcom_push
    assert not plan.multiple_outputs
    assert not plan.wait_for_downstream
    assert record.trigger_rule == "all_done_setup_success"
    assert not record.depends_on_past


def test_limit_is_the_policys_when_a_cluster_policy_narrows_the_work(monkeypatch, tmp_path):
    def policy(task):
        if task.task_id == "work":
            task.partial_kwargs["max_active_tis_per_dagrun"] = 3

    monkeypatch.setattr(settings, "task_policy", policy)
    DagBag(tmp_path, bundle_name="empty").bag_dag(dag := dag_of())
    plan = dag.get_task("plan_s")
    assert str(plan.limit_of(plan.stages[0])) == "3 by max_active_tis_per_dagrun of work"


def instance(task, try_number=1):
    pushed = {}

    def xcom_push(key, value):
        pushed[key] = value

    return SimpleNamespace(
        dag_id="d",
        run_id="r",
        id="i",
        task=task,
        try_number=try_number,
        max_tries=2,
        pushed=pushed,
        xcom_push=xcom_push,
        xcom_pull=lambda task_ids, key: [Advice("s", "s", 2, "why", 0).as_json()],
    )


def test_default_is_taken_when_the_plans_time_is_over(dag, monkeypatch):
    def hang(conn_id, namespace):
        raise AirflowTaskTimeout("Timeout, PID: 1")

    monkeypatch.setattr(operators, "open_arbo", hang)
    plan = dag.get_task("plan_s")
    plan.execute({"ti": (ti := instance(plan))})
    assert ti.pushed["parallelism"] == 2
    assert "execution_timeout is over" in ti.pushed["arbo"][0]["reason"]


def test_default_is_taken_when_no_try_of_the_plan_came_to_an_end(dag, monkeypatch):
    monkeypatch.setattr(operators, "open_arbo", lambda *_: pytest.fail("this is what crashes"))
    plan = dag.get_task("plan_s")
    assert len(plan.execute({"ti": instance(plan, try_number=3)})) == 2


@pytest.mark.parametrize(
    ("waits", "try_number", "error"),
    [
        (False, 3, StoreUnavailableError),
        (True, 2, StoreUnavailableError),
        (True, 3, AirflowSkipException),
    ],
)
def test_record_is_skipped_when_its_failure_would_hold_up_the_next_run(
    monkeypatch, waits, try_number, error
):
    def refuse(conn_id, namespace):
        raise StoreUnavailableError("connection refused")

    monkeypatch.setattr(operators, "open_arbo", refuse)
    record = dag_of(default_args={"wait_for_downstream": waits}).get_task("record_s")
    ti = instance(record, try_number)
    ti.get_task_breadcrumbs = lambda dag_id, run_id: []
    monkeypatch.setattr(record, "_markers", lambda ti, key: [])
    with pytest.raises(error):
        record.execute({"ti": ti})


def test_stage_runs_when_the_advice_cannot_be_left_for_the_record_task(dag, monkeypatch):
    plan = dag.get_task("plan_s")
    ti = instance(plan, try_number=3)

    def refuse(key, value):
        if key != "parallelism":
            raise RuntimeError("the XCom backend takes no more than 1 kB")

    ti.xcom_push = refuse
    assert len(plan.execute({"ti": ti})) == 2


def test_numbers_are_finite_in_what_the_plan_leaves():
    rows = ({"parallelism": 2, "log_score": float("inf")},)
    advice = Advice("s", "d.s", 2, "why", predicted_time_s=float("nan"), candidates=rows)
    told = advice.as_json()
    assert (told["predicted_time_s"], told["candidates"][0]["log_score"]) == (None, None)
