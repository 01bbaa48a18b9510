"""`ArboOptimizer.trial`."""

import pytest

from arbo_bo.errors import (
    StoreUnavailableError,
)


def test_block_is_timed_and_completed(arbo):
    with arbo.trial("t", input_size=3) as decision:
        pass
    (trial,) = arbo.trials("t")
    assert (trial.status, trial.parallelism) == ("COMPLETED", decision.parallelism)
    assert trial.execution_time_s > 0


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("boom"), "FAILED"), (KeyboardInterrupt(), "ABANDONED")],
)
def test_block_that_raises_closes_its_trial(arbo, error, status):
    with pytest.raises(type(error)), arbo.trial("t"):
        raise error
    (trial,) = arbo.trials("t")
    assert trial.status == status
    assert type(error).__name__ in trial.failure_reason


def test_block_keeps_its_own_error_when_the_store_is_gone(arbo, monkeypatch, caplog):
    def gone(*arguments):
        raise StoreUnavailableError("gone")

    decision = arbo.trial("t")
    decision.__enter__()
    monkeypatch.setattr(arbo.store, "change", gone)
    error = RuntimeError("boom")
    assert decision.__exit__(RuntimeError, error, None) is False  # so that it goes on its way
    assert "the store has not taken it (gone)" in caplog.text


def test_block_may_complete_its_trial_itself(arbo):
    with arbo.trial("t") as decision:
        arbo.complete_trial("t", decision.trial_index, execution_time_s=42)
    assert arbo.trials("t")[0].execution_time_s == 42


@pytest.mark.parametrize(
    ("settings", "degree"), [({"parallelism": [2, 4]}, 4), ({"pin": 3}, 3), ({}, 5)]
)
def test_block_whose_input_cannot_be_measured_runs_with_an_allowed_degree(arbo, settings, degree):
    arbo.configure_experiment("t", **settings)
    with arbo.trial("t", input_size="/no/such/file") as decision:
        ran = decision.parallelism
    assert (ran, decision.trial_index) == (degree, None)
    assert "no advice could be had" in decision.reason
