import logging

import pytest
from known_task import LAW, run

from arbo_bo import ArboOptimizer, MaxCost, MaxExecutionTime
from arbo_bo.errors import (
    DegreeNotAllowedError,
    ExperimentNotFoundError,
    InvalidValueError,
    UnknownAcquisitionError,
)
from arbo_bo.experiment import Phase, Strategy

BOTH = (MaxExecutionTime(40, confidence=0.9), MaxCost(2, price_per_worker_hour=10))


def teach(arbo, task="t", degrees=(1, 4, 8, 12)):
    rows = [{"parallelism": s, "execution_time_s": LAW.runtime_s(s)} for s in degrees]
    arbo.attach_trials(task, rows)


def test_strategy_is_stored_and_what_is_left_out_stays(arbo):
    arbo.configure_experiment("t", acquisition="deadline", slo=BOTH[0], guard=0.8, search="around")
    arbo.configure_experiment("t", window=20)
    stored = arbo.experiment("t").strategy
    assert stored == Strategy("deadline", (BOTH[0],), guard=0.8, search="around")


def test_removing_the_service_level_removes_what_needs_it(arbo):
    arbo.configure_experiment("t", acquisition="deadline", slo=BOTH)
    assert arbo.configure_experiment("t", slo=()).strategy == Strategy()


def test_trial_records_how_it_was_chosen(arbo):
    arbo.configure_experiment("t", slo=BOTH)
    teach(arbo)
    decision = arbo.suggest("t")
    trial = arbo.trials("t")[-1]
    assert trial.acquisition == decision.acquisition == "knowledge_gradient"
    assert Strategy.from_json(trial.strategy) == arbo.experiment("t").strategy


def test_dry_run_records_its_recommendation(arbo):
    arbo.configure_experiment("t", dry_run=True, default_parallelism=3)
    teach(arbo)
    decision = arbo.suggest("t")
    trial = arbo.trials("t")[-1]
    assert trial.parallelism == 3
    assert trial.phase is Phase.FIXED
    assert trial.recommended_parallelism == decision.recommended_parallelism != 3


def test_pin_holds_from_the_first_run_on(arbo):
    arbo.configure_experiment("t", pin=6)
    assert [run(arbo).parallelism for _ in range(4)] == [6] * 4
    assert arbo.configure_experiment("t", pin=None).strategy.pin is None


def test_same_exploration_is_not_requested_twice_at_once(arbo):
    arbo.configure_experiment("t", acquisition="expected_improvement")
    teach(arbo, degrees=(1, 2))
    degrees = [arbo.suggest("t", cluster_load=0).parallelism for _ in range(3)]
    assert len(set(degrees)) == 3


def test_new_task_starts_from_its_siblings_law(arbo):
    arbo.configure_experiment("old", parallelism=(1, 16))
    teach(arbo, "old")
    settled = run(arbo, "old")
    arbo.configure_experiment("new", parallelism=(1, 16), like="old")
    first = run(arbo, "new")
    assert abs(first.parallelism - settled.parallelism) <= 3
    assert "the law of 'old'" in first.reason
    second = run(arbo, "new")
    assert second.phase is Phase.OPTIMIZE
    assert arbo.experiment("new").model.hyperparameters["like"] == "old"
    assert arbo.experiment("new").model.law.p == pytest.approx(LAW.p, abs=0.05)


def test_own_law_is_learned_when_own_runs_tell_it(arbo):
    arbo.configure_experiment("old", parallelism=(1, 16))
    arbo.attach_trials("old", [{"parallelism": s, "execution_time_s": 50.0} for s in (1, 2, 8)])
    arbo.suggest("old")
    arbo.configure_experiment("new", parallelism=(1, 16), like="old")
    teach(arbo, "new")
    arbo.suggest("new")
    learned = arbo.experiment("new").model
    assert "like" not in learned.hyperparameters
    assert learned.law.p == pytest.approx(LAW.p, abs=0.05)


def test_opening_is_the_usual_one_when_the_sibling_knows_nothing(arbo):
    arbo.configure_experiment("old")
    arbo.configure_experiment("new", like="old")
    assert arbo.suggest("new").phase is Phase.BASELINE


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"acquisition": "nope"}, UnknownAcquisitionError, "must be one of expected_cost, "),
        ({"acquisition": 3}, UnknownAcquisitionError, "must be one of expected_cost, "),
        ({"acquisition": "budget"}, InvalidValueError, "needs a MaxCost"),
        ({"slo": 600}, InvalidValueError, "a service level is MaxExecutionTime"),
        ({"pin": 99}, DegreeNotAllowedError, "99 is not allowed"),
        ({"guard": 2}, InvalidValueError, "guard must"),
        ({"like": "nobody"}, ExperimentNotFoundError, "nobody"),
    ],
    ids=str,
)
def test_mistake_is_refused_and_nothing_is_made(arbo, settings, error, message):
    with pytest.raises(error, match=message):
        arbo.configure_experiment("t", **settings)
    assert arbo.experiments() == []


def test_decision_explains_itself(arbo):
    arbo.configure_experiment("t", parallelism=(1, 16), slo=BOTH)
    teach(arbo)
    explanation = arbo.decide("t").explain()
    assert [row.parallelism for row in explanation.rows] == list(range(1, 17))
    assert explanation.cost_unit == "money"
    assert all(row.slo_probability is not None for row in explanation.rows)


def test_advice_falls_back_when_the_acquisition_is_not_installed(sqlite_url, caplog):
    from dataclasses import replace

    with ArboOptimizer(sqlite_url) as arbo:
        arbo.configure_experiment("t")
        teach(arbo)
        arbo.store.configure("t", lambda e: replace(e, strategy=Strategy("theirs")))
        with caplog.at_level(logging.WARNING, "arbo_bo"):
            assert arbo.get_optimal_parallelism("t", 7) == 7
        assert "got 'theirs'" in caplog.text
