"""What people correct afterwards: a bad run, a name, a whole task."""

import pytest
from known_task import run

from arbo_bo import ArboOptimizer
from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError, TrialNotFoundError


def test_excluded_trial_trains_no_more_until_it_is_included(arbo):
    for _ in range(3):
        run(arbo)
    before = arbo.experiment("t").model.sample_count
    trial = arbo.exclude_trial("t", 1, reason="the disk was slow")
    assert (trial.trains, trial.exclusion_reason) == (False, "the disk was slow")
    assert arbo.experiment("t").model.sample_count == before - 1
    assert 1 not in {t.trial_index for t in arbo.store.history("t", 50)}
    assert arbo.include_trial("t", 1).trains
    assert arbo.experiment("t").model.sample_count == before
    assert 1 in {t.trial_index for t in arbo.store.history("t", 50)}


def test_running_trial_stays_excluded_when_it_is_completed(arbo):
    decision = arbo.suggest("t")
    arbo.exclude_trial("t", decision.trial_index)
    arbo.complete_trial("t", decision.trial_index, execution_time_s=1.0)
    assert arbo.trials("t")[0].exclusion_reason == "excluded by hand"
    assert arbo.experiment("t").model.sample_count == 0


def test_exclusion_is_refused_when_there_is_no_such_trial(arbo):
    arbo.suggest("t")
    with pytest.raises(TrialNotFoundError):
        arbo.exclude_trial("t", 7)


def test_trials_follow_when_their_task_is_renamed(arbo):
    run(arbo)
    assert arbo.rename_experiment("t", "u").name == "u"
    assert [t.task for t in arbo.trials("u")] == ["u"]
    with pytest.raises(ExperimentNotFoundError):
        arbo.trials("t")


@pytest.mark.parametrize("name", ["u", "", "two\nlines", None])
def test_name_is_refused_when_it_is_taken_or_none(arbo, name):
    run(arbo, "t")
    run(arbo, "u")
    with pytest.raises(InvalidValueError):
        arbo.rename_experiment("t", name)
    assert [e.name for e in arbo.experiments()] == ["t", "u"]


def test_trials_go_when_their_task_is_deleted(arbo):
    run(arbo, "t")
    run(arbo, "u")
    arbo.delete_experiment("t")
    assert [e.name for e in arbo.experiments()] == ["u"]
    assert run(arbo, "t").trial_index == 0


@pytest.mark.parametrize("correct", ["rename_experiment", "delete_experiment"])
def test_correction_is_refused_when_the_task_is_in_another_namespace(arbo, store_url, correct):
    run(arbo)
    with ArboOptimizer(store_url, namespace="other") as other:
        arguments = ("t", "u") if correct == "rename_experiment" else ("t",)
        with pytest.raises(ExperimentNotFoundError):
            getattr(other, correct)(*arguments)
    assert len(arbo.trials("t")) == 1
