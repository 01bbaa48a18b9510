"""A trial is closed once, whatever is written again."""

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow.evidence import Verdict
from arbo_bo.integrations.airflow.record import record

DONE = Verdict("completed", None, 12.5, "makespan", 3.0)


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        opened.suggest("e")
        opened.suggest("e")
        yield opened


def trial(arbo):
    return arbo.trials("e")[0]


def test_measure_and_queue_are_kept_when_a_stage_completed(arbo):
    text = record(arbo, "e", 0, DONE)
    assert text == "trial 0 of 'e' completed: 12.5 s (makespan), started 3 s after the decision"
    closed = trial(arbo)
    assert (closed.status, closed.execution_time_s) == ("COMPLETED", 12.5)
    assert (closed.time_measure, closed.queued_time_s) == ("makespan", 3.0)


def test_trial_does_not_train_when_the_verdict_says_so(arbo):
    flawed = Verdict("completed", None, 12.5, "slowest", None, "retried: map index [1]")
    assert "does not train, retried" in record(arbo, "e", 0, flawed)
    assert trial(arbo).exclusion_reason == "retried: map index [1]"
    assert arbo.experiment("e").model.sample_count == 0


@pytest.mark.parametrize("status", ["failed", "abandoned"])
def test_reason_is_kept_when_a_stage_did_not_complete(arbo, status):
    assert f"{status}: why" in record(arbo, "e", 0, Verdict(status, "why"))
    assert (trial(arbo).status, trial(arbo).failure_reason) == (status.upper(), "why")


@pytest.mark.parametrize("second", [DONE, Verdict("completed", None, 99.0), Verdict("failed", "x")])
def test_first_outcome_stays_when_it_is_recorded_again(arbo, second):
    record(arbo, "e", 0, DONE)
    before = trial(arbo)
    record(arbo, "e", 0, second)
    assert trial(arbo) == before


def test_nothing_happens_when_the_trial_is_gone(arbo):
    assert "nothing to do" in record(arbo, "e", 7, DONE)


def test_trial_is_of_the_degree_that_ran_when_fewer_ran_side_by_side(arbo):
    limited = Verdict("completed", None, 12.5, "makespan", parallelism=1)
    assert "it trains 1 worker, as many as ran side by side" in record(arbo, "e", 1, limited)
    closed = arbo.store.trial("e", 1)
    assert (closed.parallelism, closed.recommended_parallelism, closed.trains) == (1, 5, True)


def test_bound_is_kept_when_a_stage_timed_out(arbo):
    record(arbo, "e", 0, Verdict("failed", "timed out", timed_out_after_s=60.0))
    assert (trial(arbo).status, trial(arbo).timed_out_after_s) == ("FAILED", 60.0)
