"""Trials that nobody will record: closed by the next plan of whatever DAG in the namespace."""

from types import SimpleNamespace

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow import reaping, runs
from arbo_bo.integrations.airflow.limits import Limit
from arbo_bo.integrations.airflow.markers import BEGIN
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.runs import left_behind, ran_for
from arbo_bo.integrations.airflow.spec import StageSpec


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def plan(arbo, dag_id, run, ended=(), ran=reaping.unknown):
    spec = StageSpec("s", None, "chunks", {"parallelism": [2], "default_parallelism": 2})
    request = Request(spec, lambda: None, Limit(), *keys(dag_id, run, "s", 1), dag_id)
    (advice,) = advise(lambda: arbo, [request], lambda dag, run: (dag, run) in ended, ran)
    return advice


def trial(arbo, dag_id="a", index=0):
    return arbo.store.trial(f"{dag_id}.s", index)


def test_trial_is_abandoned_when_another_dag_plans_after_its_run_ended(arbo):
    plan(arbo, "a", "r1")
    advice = plan(arbo, "b", "r1", ended={("a", "r1")})
    assert trial(arbo).status == "ABANDONED"
    assert "outcome was never recorded" in trial(arbo).failure_reason
    assert advice.cluster_load == 0


def test_trial_stays_when_its_run_goes_on(arbo):
    plan(arbo, "a", "r1")
    advice = plan(arbo, "b", "r1", ended={("a", "r0"), ("b", "r1")})
    assert trial(arbo).status == trial(arbo, "b").status == "RUNNING"
    assert advice.cluster_load == 2


def test_trial_stays_when_it_is_in_another_namespace(arbo, sqlite_url):
    with ArboOptimizer(sqlite_url, "team") as other:
        plan(other, "a", "r1")
        plan(arbo, "b", "r1", ended={("a", "r1")})
        assert trial(other).status == "RUNNING"


def test_trial_of_no_dag_run_stays(arbo):
    arbo.suggest("t", run_key="nightly")
    arbo.suggest("u")
    plan(arbo, "b", "r1", ended={("nightly", "")})
    assert [arbo.trials(task)[0].status for task in "tu"] == ["RUNNING", "RUNNING"]


def test_time_is_a_bound_when_the_stage_was_ended_with_its_dag_run(arbo):
    plan(arbo, "a", "r1")
    plan(arbo, "b", "r1", ended={("a", "r1")}, ran=lambda trial: 12.5)
    closed = trial(arbo)
    assert (closed.status, closed.timed_out_after_s) == ("FAILED", 12.5)
    assert closed.failure_reason == "its DAG run was ended when the stage had run for 12.5 s"


def test_trial_is_abandoned_when_its_time_cannot_be_had(arbo):
    def fail(trial):
        raise RuntimeError("no answer")

    plan(arbo, "a", "r1")
    plan(arbo, "a", "r2", ended={("a", "r1")}, ran=fail)
    assert trial(arbo).status == "ABANDONED"


def test_airflow_is_asked_once_about_a_run_and_not_without_end(arbo, monkeypatch):
    monkeypatch.setattr(reaping, "RUNS_AT_MOST", 2)
    for run in "1234":
        plan(arbo, "a", run)
    asked = []
    reaping.reap(arbo, ["a.s"], [], lambda *run: asked.append(run) or False)
    assert asked == [("a", "1"), ("a", "2")]


def test_advice_is_given_when_tidying_up_fails(arbo, monkeypatch, caplog):
    monkeypatch.setattr("arbo_bo.integrations.airflow.plan.reap", lambda *_: 1 / 0)
    assert plan(arbo, "a", "r1").trial_index == 0
    assert "were not looked at: division by zero" in caplog.text


PLAN = {"task_id": "g.plan_p", "map_index": -1, "operator": "PlanOperator", "state": "success"}
RECORD = {**PLAN, "task_id": "g.record_p", "operator": "RecordOperator", "state": "skipped"}
WORK = {**PLAN, "task_id": "g.work", "operator": "_PythonDecoratedOperator", "state": "skipped"}
RUN = [PLAN, RECORD, WORK]
ADVICE = {"recorded_by": "g.record_p", "observed": ["g.work"], "parallelism": 2}
"""The second stage of a plan: its instances are the third and the fourth."""
BEGINS = [{"task_id": "g.work", "map_index": i, "start": 100.0 + i} for i in range(4)]


def instance(rows, advice=ADVICE, begins=BEGINS, state="failed", trial_id=None):
    first = {**ADVICE, "trial_id": "another", "observed": ["g.other"], "first_index": 0}
    xcoms = {"arbo": [first, {**advice, "trial_id": trial_id, "first_index": 2}], BEGIN: begins}
    return SimpleNamespace(
        dag_id="b",
        get_dagrun_state=lambda dag_id, run_id: state,
        get_task_breadcrumbs=lambda dag_id, run_id: iter(rows),
        xcom_pull=lambda task_ids, dag_id, run_id, key: xcoms[key],
    )


def test_stage_ran_from_its_first_instances_start_when_its_record_was_skipped(arbo, monkeypatch):
    plan(arbo, "a", "r1")
    monkeypatch.setattr(runs, "_end_of", lambda dag_id, run_id: 120.0)
    ran = trial(arbo)
    assert ran_for(instance(RUN, trial_id=ran.trial_id), ran) == 18.0


@pytest.mark.parametrize(
    ("rows", "more", "end"),
    [
        ([PLAN, {**RECORD, "state": "failed"}, WORK], {}, 120.0),
        ([PLAN, WORK], {}, 120.0),
        ([], {}, 120.0),
        (RUN, {"begins": []}, 120.0),
        (RUN, {"begins": None}, 120.0),
        (RUN, {"trial_id": "unknown"}, 120.0),
        (RUN, {"advice": {"parallelism": 2}}, 120.0),
        (RUN, {}, None),
        (RUN, {}, 101.0),
    ],
    ids=[
        "record failed", "no record", "deleted", "never began", "no markers", "another trial",
        "an older plan", "no end", "ended before",
    ],
)  # fmt: skip
def test_nothing_is_known_of_a_stages_time_when_it_was_not_ended_so(
    arbo, monkeypatch, rows, more, end
):
    plan(arbo, "a", "r1")
    monkeypatch.setattr(runs, "_end_of", lambda dag_id, run_id: end)
    ran = trial(arbo)
    assert ran_for(instance(rows, **{"trial_id": ran.trial_id} | more), ran) is None


def test_end_is_unknown_when_there_is_no_supervisor_to_ask():
    assert runs._end_of("a", "r1") is None


@pytest.mark.parametrize(
    ("rows", "state", "left"),
    [
        (RUN, "failed", True),
        (RUN, "running", False),
        ([PLAN, WORK], "failed", False),
        ([PLAN, PLAN, RECORD], "success", False),
        ([{**PLAN, "state": "failed"}, WORK], "failed", True),
        ([], "failed", True),
    ],
    ids=["over", "running", "record to come", "one of two to come", "plan failed", "no instances"],
)
def test_run_has_left_its_trial_behind_when_no_record_task_is_to_come(rows, state, left):
    assert left_behind(instance(rows, state=state), "a", "r1") is left
