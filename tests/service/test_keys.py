"""Requests that are told apart by keys, limited for the moment, and runs that do not train."""

import subprocess
import sys

import pytest
from known_task import run

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import MaxExecutionTime, Objective, Phase, TrialStatus

ASK = """
import sys
from arbo_bo import ArboOptimizer
arbo = ArboOptimizer(sys.argv[1])
sys.stdin.readline()
print(arbo.suggest("new", idempotency_key="run 1").trial_index)
"""


def close(arbo, decision, time=10.0, **told):
    return arbo.complete_trial("t", decision.trial_index, execution_time_s=time, **told)


def test_same_trial_is_given_when_the_key_is_the_same(arbo):
    first = arbo.suggest("t", idempotency_key="run 1")
    again = arbo.suggest("t", idempotency_key="run 1")
    assert (again.trial_index, again.parallelism) == (first.trial_index, first.parallelism)
    assert again == first
    assert len(arbo.trials("t")) == 1


def test_other_trials_are_given_when_key_or_task_differ(arbo):
    arbo.suggest("t", idempotency_key="run 1")
    assert arbo.suggest("t", idempotency_key="run 2").trial_index == 1
    assert arbo.suggest("u", idempotency_key="run 1").trial_index == 0


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_whole_decision_is_given_again_when_the_key_is_the_same(arbo, residual):
    slo = MaxExecutionTime(60.0, confidence=0.9)
    arbo.configure_experiment("t", residual=residual, slo=[slo], objective=Objective(2.0))
    for _ in range(8):
        run(arbo)
    first = arbo.suggest("t", idempotency_key="run 1")
    again = arbo.suggest("t", idempotency_key="run 1")
    assert first.phase is Phase.OPTIMIZE
    assert len(first.candidates) > 1
    assert again == first
    assert again.explain() == first.explain()


def test_decision_of_an_earlier_version_is_given_again_without_its_candidates(arbo, store_url):
    for _ in range(8):
        run(arbo)
    first = arbo.suggest("t", idempotency_key="run 1")
    forget = "UPDATE execution_history SET reason = NULL, decision = NULL"
    arbo.store.database.write(lambda transaction: transaction.text(forget))
    again = arbo.suggest("t", idempotency_key="run 1")
    assert again.phase is first.phase is Phase.OPTIMIZE
    assert "already decided" in again.reason
    assert again.predicted_time_s == pytest.approx(first.predicted_time_s, rel=1e-6)
    assert again.candidates == ()


def test_key_answers_after_its_trial_has_ended(arbo):
    first = arbo.suggest("t", idempotency_key="run 1")
    close(arbo, first)
    assert arbo.suggest("t", idempotency_key="run 1").trial_index == first.trial_index


def test_one_trial_is_made_when_two_processes_use_a_key_at_once(store_url, arbo):
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", ASK, store_url]
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [p.communicate(timeout=120)[0] for p in processes] == ["0\n", "0\n"]
    assert len(arbo.trials("new")) == 1


def test_one_trial_is_made_when_another_request_with_the_key_overtakes(arbo, monkeypatch):
    situation = arbo.store.situation

    def overtaken(*arguments):
        monkeypatch.undo()
        found = situation(*arguments)
        arbo.suggest("t", idempotency_key="run 1")
        return found

    monkeypatch.setattr(arbo.store, "situation", overtaken)
    assert arbo.suggest("t", idempotency_key="run 1").trial_index == 0
    assert len(arbo.trials("t")) == 1


def test_older_trial_is_abandoned_when_its_run_begins_anew(arbo):
    first = arbo.suggest("t", run_key="dag 1")
    other = arbo.suggest("t", run_key="dag 2")
    again = arbo.suggest("t", run_key="dag 1")
    old, kept, new = arbo.trials("t")
    assert (old.status, old.failure_reason) == (TrialStatus.ABANDONED, "superseded by trial 2")
    assert old.finished_at is not None
    assert {kept.status, new.status} == {TrialStatus.RUNNING}
    assert (again.parallelism, again.phase) == (first.parallelism, Phase.BASELINE)
    assert again.cluster_load == other.parallelism


def test_trial_is_not_superseded_when_the_idempotency_key_is_the_same(arbo):
    arbo.suggest("t", run_key="dag 1", idempotency_key="try 1")
    arbo.suggest("t", run_key="dag 1", idempotency_key="try 1")
    assert [t.status for t in arbo.trials("t")] == [TrialStatus.RUNNING]


def test_ended_trials_stay_when_their_run_begins_anew(arbo):
    close(arbo, arbo.suggest("t", run_key="dag 1"))
    arbo.suggest("t", run_key="dag 1")
    assert arbo.trials("t")[0].status is TrialStatus.COMPLETED


@pytest.mark.parametrize("key", ["", "two\nlines", "x" * 256, 7])
@pytest.mark.parametrize("name", ["idempotency_key", "run_key"])
def test_key_is_refused_when_it_is_no_name(arbo, name, key):
    with pytest.raises(InvalidValueError, match="key"):
        arbo.suggest("t", **{name: key})


def test_larger_degrees_are_left_out_when_there_are_few_workers(arbo):
    for _ in range(4):
        run(arbo)
    decision = arbo.suggest("t", max_parallelism=3)
    assert [c.parallelism for c in decision.candidates] == [1, 2, 3]
    assert arbo.suggest("u", max_parallelism=2).parallelism == 1
    assert arbo.suggest("u", max_parallelism=2).parallelism == 2


def test_few_workers_are_refused_when_no_allowed_degree_fits(arbo):
    arbo.configure_experiment("t", parallelism=[4, 8])
    with pytest.raises(InvalidValueError, match="smallest allowed degree, 4, got 3"):
        arbo.suggest("t", max_parallelism=3)
    assert arbo.trials("t") == []


def test_excluded_run_does_not_train_and_its_opening_is_repeated(arbo):
    trial = close(arbo, arbo.suggest("t"), exclusion_reason="the disk was full")
    assert (trial.trains, trial.exclusion_reason) == (False, "the disk was full")
    assert arbo.experiment("t").model.sample_count == 0
    assert arbo.suggest("t").phase is Phase.BASELINE


def test_window_counts_runs_that_train_when_newer_ones_are_excluded(arbo):
    for _ in range(3):
        run(arbo)
    for _ in range(2):
        close(arbo, arbo.suggest("t"), exclusion_reason="no")
    assert [t.trial_index for t in arbo.store.history("t", 2)] == [1, 2]


def test_completion_keeps_what_it_was_told(arbo):
    told = {"time_measure": "slowest", "queued_time_s": 4.0}
    close(arbo, arbo.suggest("t"), **told)
    trial = arbo.trials("t")[0]
    assert (trial.time_measure, trial.queued_time_s) == ("slowest", 4.0)


@pytest.mark.parametrize("told", [{"time_measure": "median"}, {"queued_time_s": -1.0}])
def test_completion_is_refused_when_what_it_is_told_is_wrong(arbo, told):
    decision = arbo.suggest("t")
    with pytest.raises(InvalidValueError, match=next(iter(told))):
        close(arbo, decision, **told)
