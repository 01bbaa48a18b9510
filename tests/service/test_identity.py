"""A decision closes its own trial or none, whatever has its number by now."""

import pytest

from arbo_bo.errors import InvalidValueError, TrialGoneError, TrialNotFoundError


def begin_anew(arbo):
    """The task is deleted, and another process begins it again."""
    arbo.delete_experiment("t")
    return "t", arbo.suggest("t")


def reuse_the_name(arbo):
    """The task gets another name, and another process begins one of the old name."""
    arbo.rename_experiment("t", "u")
    return "t", arbo.suggest("t")


CLOSINGS = [
    lambda arbo, trial: arbo.complete_trial("t", trial, execution_time_s=1000.0),
    lambda arbo, trial: arbo.mark_trial_failed("t", trial, reason="mine"),
    lambda arbo, trial: arbo.mark_trial_abandoned("t", trial, reason="mine"),
]


@pytest.mark.parametrize("close", CLOSINGS)
@pytest.mark.parametrize("by_id", [True, False])
def test_other_trial_is_left_alone_when_it_has_the_number(arbo, close, by_id):
    mine = arbo.suggest("t")
    _, theirs = begin_anew(arbo)
    assert (theirs.trial_index, theirs.trial_id) == (mine.trial_index, theirs.trial_id)
    with pytest.raises(TrialGoneError, match="another trial"):
        close(arbo, mine.trial_id if by_id else mine)
    assert [t.status for t in arbo.trials("t")] == ["RUNNING"]
    assert arbo.complete_trial("t", theirs, execution_time_s=2.0).execution_time_s == 2.0


def test_refusal_says_how_the_measurement_is_kept(arbo):
    mine = arbo.suggest("t")
    begin_anew(arbo)
    with pytest.raises(TrialNotFoundError, match=r"arbo attach t --parallelism 1 --time 12\.5"):
        arbo.complete_trial("t", mine, execution_time_s=12.5)


def test_own_trial_is_closed_when_its_task_has_another_name_and_the_old_one_is_reused(arbo):
    mine = arbo.suggest("t")
    _, theirs = reuse_the_name(arbo)
    done = arbo.complete_trial("t", mine, execution_time_s=12.5)
    assert (done.task, done.trial_id) == ("u", mine.trial_id)
    assert [t.status for t in arbo.trials("u")] == ["COMPLETED"]
    assert [t.trial_id for t in arbo.trials("t") if t.is_open] == [theirs.trial_id]


def test_trial_of_another_namespace_is_not_found_by_its_id(arbo, store_url):
    mine = arbo.suggest("t")
    with type(arbo)(store_url, namespace="b") as other:
        other.suggest("t")
        with pytest.raises(TrialGoneError):
            other.complete_trial("t", mine.trial_id, execution_time_s=1.0)


def test_number_alone_still_names_a_trial(arbo):
    decision = arbo.suggest("t")
    done = arbo.complete_trial("t", decision.trial_index, execution_time_s=2.0)
    assert done.trial_id == decision.trial_id


def test_decision_is_refused_when_it_is_of_another_task_or_started_no_trial(arbo):
    decision = arbo.suggest("t")
    with pytest.raises(InvalidValueError, match="of task 't', not of 'u'"):
        arbo.complete_trial("u", decision, execution_time_s=1.0)
    arbo.complete_trial("t", decision, execution_time_s=1.0)
    with pytest.raises(InvalidValueError, match="started no trial"):
        arbo.complete_trial("t", arbo.decide("t"), execution_time_s=1.0)
