"""Trials: allotted, changed, counted, looked back at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from arbo_bo.errors import (
    ArboError,
    ExperimentNotFoundError,
    InvalidValueError,
    StoreError,
    TrialClosedError,
    TrialNotFoundError,
)
from arbo_bo.experiment import AmdahlLaw, Experiment, Learned, Outcome, TrialStatus

LAW = AmdahlLaw(t1_s=100.0, p=1.0)


def indices(trials):
    return [trial.trial_index for trial in trials]


def test_add_allots_the_next_indices(store, task, trial):
    added = store.add(task, [trial()]) + store.add(task, [trial(), trial()])
    assert indices(added) == [0, 1, 2]
    assert store.trials(task) == added
    assert {t.task for t in added} == {task}


def test_add_counts_each_task_for_itself(store, task, trial):
    store.configure("other", lambda _: Experiment("other"))
    store.add(task, [trial()])
    assert indices(store.add("other", [trial()])) == [0]


def test_add_adds_none_when_one_is_refused(store, task, trial, completed, sql):
    bad = completed(1.0)
    object.__setattr__(bad, "execution_time_s", None)
    with pytest.raises(ArboError):
        store.add(task, [trial(), completed(2.0, 5.0), bad], Learned(LAW, {}))
    assert store.trials(task) == []
    assert store.experiment(task).model == Experiment(task).model
    assert sql("SELECT next_trial_index, version FROM task_models") == [(0, 1)]


def test_add_takes_many_at_once(store, task, completed):
    added = store.add(task, [completed(1.0 + n) for n in range(1500)])
    assert store.trials(task) == added
    assert store.experiment(task).model.sample_count == 1500


def test_add_of_none_changes_nothing(store, task, sql):
    assert store.add(task, []) == []
    assert sql("SELECT version FROM task_models") == [(1,)]


def test_add_keeps_what_was_learned_when_nothing_new_is_given(store, task, trial):
    store.add(task, [trial()], Learned(LAW, {"a": 1}))
    store.add(task, [trial()])
    assert (store.experiment(task).model.law, store.experiment(task).model.hyperparameters) == (
        LAW,
        {"a": 1},
    )


def test_add_marks_when_something_was_learned(store, task):
    assert store.experiment(task).model.last_updated is None
    before = datetime.now(UTC)
    store.add(task, [], Learned(LAW, {}))
    assert before <= store.experiment(task).model.last_updated <= datetime.now(UTC)


def test_add_takes_the_first_known_size_as_the_base(store, task, completed):
    added = store.add(task, [completed(1.0), completed(2.0, 50.0), completed(3.0, 100.0)])
    assert [t.input_scale_factor for t in added] == [1.0, 1.0, 2.0]
    assert store.experiment(task).model.base_input_size == 50.0
    assert store.experiment(task).model.sample_count == 3


def test_add_of_running_trials_counts_no_samples(store, task, trial):
    store.add(task, [trial(input_size=9.0, input_scale_factor=3.0)])
    model = store.experiment(task).model
    assert (model.sample_count, model.base_input_size) == (0, None)
    assert store.trial(task, 0).input_scale_factor == 3.0


def test_add_takes_residuals_from_the_law_before_what_is_learned(store, task, completed):
    assert store.add(task, [completed(30.0)], Learned(LAW, {}))[0].residual_s is None
    other = Learned(AmdahlLaw(t1_s=1.0, p=0.5), {})
    (second,) = store.add(task, [completed(30.0, parallelism=4)], other)
    assert second.residual_s == pytest.approx(30.0 - 25.0)


def test_change_stores_what_is_made_of_the_trial(store, task, trial):
    store.add(task, [trial()])
    failed = store.change(task, 0, lambda t: t.fail("killed", timed_out_after_s=60.0))
    assert store.trial(task, 0) == failed
    assert (failed.status, failed.timed_out_after_s) == (TrialStatus.FAILED, 60.0)


def test_change_counts_a_sample_when_the_trial_completes(store, task, trial):
    store.add(task, [trial(parallelism=4)], Learned(LAW, {}))
    done = store.change(task, 0, lambda t: t.complete(Outcome(27.0, 2.0, input_size=8.0)))
    assert (done.input_scale_factor, done.startup_time_s) == (1.0, 2.0)
    assert done.residual_s == pytest.approx(2.0)
    model = store.experiment(task).model
    assert (model.sample_count, model.base_input_size) == (1, 8.0)


def test_change_scales_by_the_base_size_when_the_trial_completes(store, task, trial, completed):
    store.add(task, [completed(10.0, 10.0), trial(parallelism=2)], Learned(LAW, {}))
    done = store.change(task, 1, lambda t: t.complete(Outcome(210.0, input_size=40.0)))
    assert (done.input_scale_factor, done.residual_s) == (4.0, pytest.approx(10.0))


def test_change_counts_once_when_the_same_outcome_comes_twice(store, task, trial):
    store.add(task, [trial()])
    first = store.change(task, 0, lambda t: t.complete(Outcome(5.0)))
    assert store.change(task, 0, lambda t: t.complete(Outcome(5.0))) == first
    assert store.experiment(task).model.sample_count == 1


def test_change_refuses_when_another_outcome_comes(store, task, trial):
    store.add(task, [trial()])
    first = store.change(task, 0, lambda t: t.complete(Outcome(5.0)))
    with pytest.raises(TrialClosedError):
        store.change(task, 0, lambda t: t.complete(Outcome(6.0)))
    assert store.trial(task, 0) == first


def test_change_writes_nothing_when_nothing_changes(store, task, trial, sql):
    store.add(task, [trial()])
    before = sql("SELECT version FROM task_models")
    store.change(task, 0, lambda t: t)
    assert sql("SELECT version FROM task_models") == before


def test_change_leaves_the_count_when_a_trial_fails(store, task, trial):
    store.add(task, [trial()])
    store.change(task, 0, lambda t: t.abandon("gone"))
    assert store.experiment(task).model.sample_count == 0


def test_change_keeps_the_place_of_a_trial(store, task, trial):
    store.add(task, [trial(), trial()])
    moved = store.change(task, 0, lambda t: replace(t.fail(), task="b", trial_index=1))
    assert (moved.task, moved.trial_index) == (task, 0)
    assert [t.status for t in store.trials(task)] == [TrialStatus.FAILED, TrialStatus.RUNNING]


def test_completing_works_when_sizes_are_worlds_apart(store, task, completed):
    added = store.add(task, [completed(1.0, 1e-200), completed(1.0, 1e200), completed(1.0, 1e-299)])
    assert [t.status for t in added] == [TrialStatus.COMPLETED] * 3


@pytest.mark.parametrize("index", [1, -1, 2**31, 2**70, "0", None, 0.5])
@pytest.mark.parametrize(
    "ask", [lambda s, t, i: s.trial(t, i), lambda s, t, i: s.change(t, i, lambda x: x)]
)
def test_unknown_trial_is_refused(lasting_store, index, ask):
    with pytest.raises(TrialNotFoundError, match="load_sales"):
        ask(lasting_store, "load_sales", index)


def test_unknown_task_comes_before_the_unknown_trial(store):
    with pytest.raises(ExperimentNotFoundError):
        store.trial("nothing", -1)


def test_history_is_the_newest_of_each_kind_and_all_that_run(store, task, trial, completed):
    failed = trial(status=TrialStatus.FAILED)
    abandoned = trial(status=TrialStatus.ABANDONED)
    one_round = [completed(1.0), failed, trial(), abandoned]
    store.add(task, one_round * 4)
    assert indices(store.history(task, 2)) == [2, 6, 8, 9, 10, 12, 13, 14]


def test_history_is_empty_when_there_are_no_trials(store, task):
    assert store.history(task, 10) == []


@pytest.mark.parametrize("window", [0, -1, 1.5, None])
def test_history_needs_a_window(lasting_store, window):
    with pytest.raises(InvalidValueError, match="window"):
        lasting_store.history("load_sales", window)


def test_running_workers_are_those_of_running_trials(store, task, trial, completed):
    store.configure("other", lambda _: Experiment("other"))
    store.add(task, [trial(3), completed(1.0), trial(5, status=TrialStatus.CANDIDATE)])
    store.add("other", [trial(4)])
    assert store.running_workers() == 7
    store.change(task, 0, lambda t: t.complete(Outcome(1.0)))
    assert store.running_workers() == 4


def test_latest_trials_are_the_newest_whatever_became_of_them(store, task, trial, completed):
    excluded = replace(completed(2.0), exclusion_reason="retried")
    added = store.add(task, [completed(1.0), excluded, trial(status=TrialStatus.ABANDONED)])
    assert store.latest(task, 2) == added[1:]
    assert store.latest(task, 9) == added


def test_what_runs_in_a_namespace_is_listed_whichever_its_task(store, task, trial, completed):
    store.configure("other", lambda _: Experiment("other"))
    (first,) = store.add("other", [trial(4)])
    _, second, _ = store.add(
        task, [completed(1.0), trial(3), trial(5, status=TrialStatus.CANDIDATE)]
    )
    assert store.under_way() == [first, second]
    store.change("other", 0, lambda t: t.complete(Outcome(1.0)))
    assert store.under_way() == [second]


def test_times_are_utc_when_given_in_another_zone(store, task, trial):
    given = datetime(2024, 2, 29, 23, 59, 59, 999_999, timezone(timedelta(hours=-7, minutes=-30)))
    store.add(task, [trial(started_at=given)])
    read = store.trial(task, 0).started_at
    assert (read, read.tzinfo) == (given, UTC)


def test_times_are_refused_when_they_have_no_zone(store, task, trial):
    with pytest.raises(InvalidValueError, match="timezone-aware"):
        store.add(task, [trial(started_at=datetime(2024, 1, 1))])


def test_creation_time_is_filled_in_when_it_is_missing(store, task, trial):
    (added,) = store.add(task, [trial()])
    assert added.created_at is not None


def test_reason_is_stored_without_control_characters(store, task, trial):
    (added,) = store.add(
        task, [trial(status=TrialStatus.FAILED, failure_reason="a\0\x1b[1m\ud800")]
    )
    assert added.failure_reason == r"a\x00\x1b[1m\ud800"
    assert store.trial(task, 0) == added


def test_predictions_are_left_out_when_they_are_not_finite(store, task, trial):
    nan = float("nan")
    store.add(task, [trial(predicted_time_s=float("inf"), predicted_time_std_s=nan)])
    read = store.trial(task, 0)
    assert (read.predicted_time_s, read.predicted_time_std_s) == (None, None)


def test_trial_is_refused_when_its_row_was_written_wrongly(store, task, trial, sql):
    store.add(task, [trial()])
    sql("UPDATE execution_history SET phase = 'odd'")
    with pytest.raises(StoreError, match="trial 0 of task 'load_sales' cannot be read"):
        store.trial(task, 0)
