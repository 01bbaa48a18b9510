"""What trains, and what is learned."""

import pytest
from known_task import LAW, run

from arbo_bo.errors import (
    DegreeNotAllowedError,
)


def test_failed_and_abandoned_trials_never_train(arbo):
    for _ in range(3):
        run(arbo)
    before = arbo.predict("t", parallelism=[8], cluster_load=0)
    failed, abandoned = arbo.suggest("t"), arbo.suggest("t")
    arbo.mark_trial_failed("t", failed.trial_index, reason="OOM")
    arbo.mark_trial_abandoned("t", abandoned.trial_index)
    (after,) = arbo.predict("t", parallelism=[8], cluster_load=0)
    assert after.mean_s == pytest.approx(before[0].mean_s, rel=1e-3)
    stored = arbo.trials("t")[failed.trial_index]
    assert stored.failure_reason == "OOM"
    assert arbo.experiment("t").model.sample_count == 3


def test_timed_out_trial_makes_its_degree_slower(arbo):
    for _ in range(3):
        run(arbo)
    chosen = arbo.suggest("t")
    before = arbo.predict("t", parallelism=[chosen.parallelism], cluster_load=0)
    limit = 3 * before[0].mean_s
    arbo.mark_trial_failed("t", chosen.trial_index, reason="timeout", timed_out_after_s=limit)
    after = arbo.predict("t", parallelism=[chosen.parallelism], cluster_load=0)
    assert after[0].mean_s > 1.1 * before[0].mean_s
    assert arbo.trials("t")[chosen.trial_index].timed_out_after_s == limit


def test_history_from_elsewhere_trains(arbo):
    for s in (1, 4, 8):
        trial = arbo.attach_trial("t", parallelism=s, execution_time_s=LAW.runtime_s(s))
    assert (trial.trial_index, trial.status, trial.phase) == (2, "COMPLETED", "attached")
    assert arbo.suggest("t").phase == "optimize"


def test_predictions_are_distributions(arbo):
    for _ in range(4):
        run(arbo)
    one, two = arbo.predict("t", parallelism=[1, 2])
    assert [one.parallelism, two.parallelism] == [1, 2]
    assert one.quantile_s(0.05) < one.mean_s < one.quantile_s(0.95)
    assert one.std_s > 0
    assert len(arbo.predict("t")) == 32
    with pytest.raises(DegreeNotAllowedError):
        arbo.predict("t", parallelism=[64])


def test_law_and_hyperparameters_are_stored_with_the_decision(arbo):
    for _ in range(3):
        run(arbo)
    model = arbo.experiment("t").model
    assert model.law.p == pytest.approx(0.9, abs=0.1)
    assert model.hyperparameters["law"]["p"] == model.law.p
    fourth = run(arbo)
    assert arbo.trials("t")[-1].residual_s == pytest.approx(
        LAW.runtime_s(fourth.parallelism)
        - arbo.experiment("t").model.law.runtime_s(fourth.parallelism)
    )


def test_measured_startup_reaches_the_law(arbo):
    for s in (1, 2, 4, 8, 16):
        arbo.attach_trial("t", parallelism=s, execution_time_s=LAW.runtime_s(s), startup_time_s=7)
    arbo.suggest("t")
    assert arbo.experiment("t").model.law.c_s == pytest.approx(7, rel=0.4)


def test_startup_of_zero_is_a_measurement(arbo):
    times = {s: LAW.runtime_s(s) for s in (1, 2, 4, 8, 16)}
    for s, time in times.items():
        startup = 10 if s == 16 else 0
        arbo.attach_trial("t", parallelism=s, execution_time_s=time, startup_time_s=startup)
    arbo.suggest("t")
    assert arbo.experiment("t").model.law.c_s < 1


@pytest.mark.parametrize("estimator", ["online", "original"])
def test_original_algorithm_decides_when_it_is_the_estimator(arbo, estimator):
    arbo.configure_experiment("t", parallelism=(1, 8), estimator=estimator, alpha=0.5)
    decisions = [run(arbo) for _ in range(4)]
    assert decisions[-1].phase == "optimize"
    assert arbo.experiment("t").model.law.p == pytest.approx(0.9, abs=0.05)
    (prediction,) = arbo.predict("t", parallelism=4)
    assert prediction.mean_s == pytest.approx(LAW.runtime_s(4), rel=0.1)
