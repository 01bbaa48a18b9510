"""Many tasks decided and completed at once."""

import math

import pytest

from arbo_bo import AmdahlLaw, ArboOptimizer
from arbo_bo.errors import InvalidValueError, StoreUnavailableError

LAW = AmdahlLaw(300.0, 0.93, 5.0)


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as optimizer:
        yield optimizer


def filled(arbo, tasks, degrees=(1, 4, 8)):
    for number, task in enumerate(tasks):
        for s in degrees:
            time = LAW.runtime_s(s) * math.exp(0.01 * math.sin(number + s))
            arbo.attach_trial(task, parallelism=s, execution_time_s=time)


def test_decisions_together_are_the_decisions_one_by_one(arbo):
    tasks = [f"t{i}" for i in range(5)]
    filled(arbo, tasks)
    alone = {task: arbo.decide(task, cluster_load=0.0) for task in tasks}
    together = arbo.suggest_many(tasks, cluster_load=0.0)
    assert list(together) == tasks
    assert [d.parallelism for d in together.values()] == [d.parallelism for d in alone.values()]
    assert {t: arbo.trials(t)[-1].parallelism for t in tasks} == {
        t: d.parallelism for t, d in together.items()
    }


def test_new_tasks_begin_with_their_opening_runs(arbo):
    filled(arbo, ["known"])
    decisions = arbo.suggest_many(["new", "known"])
    assert decisions["new"].phase == "baseline"
    assert decisions["known"].phase == "optimize"


def test_sizes_are_each_tasks_own(arbo):
    decisions = arbo.suggest_many({"a": 5.0, "b": 7.0})
    assert [arbo.trials(t)[0].input_size for t in decisions] == [5.0, 7.0]


def test_task_that_changes_meanwhile_is_decided_anew(arbo, monkeypatch):
    filled(arbo, ["a", "b"])
    start_many = arbo.store.start_many

    def overtaken(starts):
        arbo.attach_trial("a", parallelism=2, execution_time_s=170.0)
        return start_many(starts)

    monkeypatch.setattr(arbo.store, "start_many", overtaken)
    decisions = arbo.suggest_many(["a", "b"])
    assert (decisions["a"].trial_index, decisions["b"].trial_index) == (4, 3)


def test_many_are_completed_at_once(arbo):
    decisions = arbo.suggest_many(["a", "b"])
    done = arbo.complete_many((d, 10.0) for d in decisions.values())
    assert [t.execution_time_s for t in done] == [10.0, 10.0]
    assert arbo.experiment("b").model.sample_count == 1


def test_none_is_completed_when_one_cannot_be(arbo):
    decisions = list(arbo.suggest_many(["a", "b"]).values())
    arbo.delete_experiment("b")
    with pytest.raises(LookupError):
        arbo.complete_many((d, 10.0) for d in decisions)
    assert arbo.trials("a")[0].execution_time_s is None


def test_decision_without_a_trial_is_refused(arbo):
    filled(arbo, ["a"])
    with pytest.raises(InvalidValueError, match="take it with suggest"):
        arbo.complete_many([(arbo.decide("a"), 1.0)])


def test_what_was_started_is_abandoned_when_a_new_task_cannot_be_decided(arbo, monkeypatch):
    filled(arbo, ["known"])

    def broken(request):
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(arbo._decider, "suggest", broken)
    with pytest.raises(StoreUnavailableError):
        arbo.suggest_many(["known", "new"])
    assert arbo.trials("known")[-1].status == "ABANDONED"


def test_one_name_is_no_list_of_tasks(arbo):
    with pytest.raises(InvalidValueError, match="several names"):
        arbo.suggest_many("load")
