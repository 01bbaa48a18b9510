"""Plans from a store, and runs of whole workflows."""

import pytest

from arbo_bo import ArboOptimizer, TrialStatus, WorkerType
from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.planning import Deadline, Workflow


@pytest.fixture
def workflow():
    wf = Workflow("etl")
    wf.stage("load", parallelism=(1, 8))
    wf.stage("train", after=["load"], parallelism=(1, 8))
    return wf


@pytest.fixture
def arbo(store_url, workflow):
    with ArboOptimizer(store_url) as optimizer:
        for s, load, train in ((1, 300.0, 200.0), (4, 90.0, 60.0), (8, 60.0, 40.0)):
            optimizer.attach_workflow_run(
                workflow,
                {
                    "load": {"parallelism": s, "execution_time_s": load},
                    "train": {"parallelism": s, "execution_time_s": train},
                },
            )
        yield optimizer


def test_plan_is_made_from_the_stored_runs(arbo, workflow):
    plan = arbo.plan(workflow, goal=Deadline(300))
    assert plan.feasible
    assert plan.makespan.mean_s < 300


def test_planning_writes_nothing(arbo, workflow):
    before = [len(arbo.trials(t)) for t in workflow.tasks]
    arbo.plan(workflow, goal=Deadline(300))
    assert [len(arbo.trials(t)) for t in workflow.tasks] == before


def test_trials_of_all_stages_are_opened_under_one_run_key(arbo, workflow):
    plan = arbo.plan(workflow, goal=Deadline(300))
    run = arbo.workflow_run(plan)
    trials = [arbo.trials(t)[-1] for t in workflow.tasks]
    assert {t.run_key for t in trials} == {run.run_key}
    assert {t.status for t in trials} == {TrialStatus.RUNNING}
    assert [t.parallelism for t in trials] == [s.parallelism for s in plan.stages]


def test_outcome_of_a_stage_closes_its_own_trial(arbo, workflow):
    run = arbo.workflow_run(arbo.plan(workflow, goal=Deadline(300)))
    run.complete("load", execution_time_s=80.0)
    run.fail("train", reason="out of memory")
    found = [arbo.trials(t)[-1].status for t in workflow.tasks]
    assert found == [TrialStatus.COMPLETED, TrialStatus.FAILED]


def test_run_of_new_tasks_configures_their_stages_degrees(store_url):
    wf = Workflow("new")
    wf.stage("only", parallelism=[2, 4])
    with ArboOptimizer(store_url) as arbo:
        run = arbo.workflow_run(arbo.plan(wf, goal=Deadline(3600)))
        assert arbo.experiment("new.only").search_space.degrees == (2, 4)
        assert run["only"].parallelism in (2, 4)


def test_stages_of_one_task_have_a_trial_each(store_url):
    wf = Workflow("w")
    wf.stage("a", experiment="shared", parallelism=[2])
    wf.stage("b", experiment="shared", after=["a"], parallelism=[2])
    with ArboOptimizer(store_url) as arbo:
        run = arbo.workflow_run(arbo.plan(wf, goal=Deadline(3600)))
        assert run["a"].trial_index != run["b"].trial_index


@pytest.mark.parametrize(
    ("stages", "error"),
    [
        ({}, InvalidValueError),
        ({"lod": {"parallelism": 1, "execution_time_s": 1.0}}, WorkflowError),
        ({"load": {"parallelism": 99, "execution_time_s": 1.0}}, InvalidValueError),
        ({"load": {"parallelism": 1}}, InvalidValueError),
        ({"load": 5}, InvalidValueError),
    ],
)
def test_run_that_is_wrong_adds_nothing(arbo, workflow, stages, error):
    before = [len(arbo.trials(t)) for t in workflow.tasks]
    with pytest.raises(error):
        arbo.attach_workflow_run(workflow, stages)
    assert [len(arbo.trials(t)) for t in workflow.tasks] == before


def test_size_of_a_stage_that_is_none_is_refused(arbo, workflow):
    with pytest.raises(WorkflowError, match="'lod'"):
        arbo.plan(workflow, goal=Deadline(300), input_sizes={"lod": 5})


def test_run_of_new_tasks_configures_their_stages_worker_types(store_url):
    types = {
        "small": WorkerType(1, 4, price_per_hour=0.05),
        "large": WorkerType(4, 16, price_per_hour=0.2),
    }
    wf = Workflow("typed")
    wf.stage("only", parallelism=[2, 4], worker_types=types)
    with ArboOptimizer(store_url) as arbo:
        for number, (kind, time) in enumerate([("small", 100.0), ("large", 30.0)] * 2):
            row = {"parallelism": 2, "execution_time_s": time + number, "worker_type": kind}
            arbo.attach_workflow_run(wf, {"only": row})
        plan = arbo.plan(wf, goal=Deadline(60))
        assert plan["only"].worker_type == "large"
        run = arbo.workflow_run(plan)
        assert run["only"].arm.worker_type == "large"
        run.complete("only", execution_time_s=31.0)
        assert arbo.suggest("typed.only").parallelism in (2, 4)
