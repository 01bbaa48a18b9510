"""What a workflow may be, and what its errors name."""

import pytest

from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.planning import Budget, Deadline, Percentile, Workflow
from arbo_bo.planning.goals import Target


def test_parents_come_first_whatever_the_order_they_were_added_in():
    wf = Workflow("w")
    wf.stage("c", after=["b"])
    wf.stage("b", after=["a"])
    wf.stage("a")
    assert [s.name for s in wf.ordered()] == ["a", "b", "c"]


def test_experiment_is_named_after_workflow_and_stage_unless_told_otherwise():
    wf = Workflow("genome")
    assert wf.stage("merge").experiment == "genome.merge"
    assert wf.stage("other", experiment="shared.task").experiment == "shared.task"


def test_ten_thousand_stages_in_one_chain_are_ordered():
    wf = Workflow("chain")
    for i in range(10_000):
        wf.stage(f"s{i}", after=[f"s{i - 1}"] if i else [])
    assert len(wf.ordered()) == 10_000


def test_circle_is_named():
    wf = Workflow("w")
    wf.stage("a", after=["b"])
    wf.stage("b", after=["a"])
    with pytest.raises(WorkflowError, match="a after b after a"):
        wf.ordered()


def test_unknown_parent_is_named_with_its_child():
    wf = Workflow("w")
    wf.stage("load", after=["extract"])
    with pytest.raises(WorkflowError, match=r"'load' comes after 'extract'"):
        wf.ordered()


def test_workflow_without_stages_is_refused():
    with pytest.raises(WorkflowError, match="has no stage"):
        Workflow("w").ordered()


def test_second_stage_of_a_name_is_refused():
    wf = Workflow("w")
    wf.stage("a")
    with pytest.raises(WorkflowError, match="two stages 'a'"):
        wf.stage("a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"parallelism": "many"},
        {"parallelism": (8, 1)},
        {"parallelism": [0]},
        {"worker_types": {"large": 4}},
        {"input_size": -1},
        {"input_size": float("nan")},
        {"known_time_s": 0},
        {"after": ["a"]},
    ],
)
def test_wrong_value_of_a_stage_is_named(wrong):
    with pytest.raises(InvalidValueError, match="'a'"):
        Workflow("w").stage("a", **wrong)


@pytest.mark.parametrize("seconds", [0, -5, float("nan"), float("inf"), "soon"])
def test_deadline_must_lie_in_the_future(seconds):
    with pytest.raises(InvalidValueError):
        Deadline(seconds)


@pytest.mark.parametrize("probability", [0, 1, -0.1, 1.5, None])
@pytest.mark.parametrize("goal", [Deadline, Budget])
def test_probability_lies_strictly_between_0_and_1(goal, probability):
    with pytest.raises(InvalidValueError):
        goal(10.0, probability)


@pytest.mark.parametrize("q", [0, 100, -1])
def test_percentile_lies_strictly_between_0_and_100(q):
    with pytest.raises(InvalidValueError):
        Percentile(q)


@pytest.mark.parametrize("goal", [None, 1800, [], [Deadline(1), Deadline(2)], "fast"])
def test_what_is_no_goal_is_refused(goal):
    with pytest.raises(InvalidValueError):
        Target.of(goal)
