"""Under mean="auto" a decision weighs hypotheses, and says which."""

from dataclasses import replace

import pytest

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    Phase,
    Prediction,
    Residual,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.decision_record import decision_of, to_record
from arbo_bo.generation import generate

HERE = Context(1.0, 0.0)


def history(times):
    return [
        Trial("t", i, TrialStatus.COMPLETED, Arm(s), HERE, Phase.OPTIMIZE, execution_time_s=time)
        for i, (s, time) in enumerate(times)
    ]


def decided(mean, times=((2, 900.0), (16, 110.0))):
    experiment = Experiment("t", search_space=SearchSpace.between(2, 32), mean=mean)
    return generate(experiment, history(times), HERE).decision


def test_decision_says_what_was_weighed():
    decision = decided("auto")
    assert sum(p for _, p in decision.hypotheses) == pytest.approx(1)
    assert "weighed: Amdahl's law" in str(decision.explain())


def test_decision_under_one_law_weighs_nothing():
    decision = decided("amdahl")
    assert decision.hypotheses == ()
    assert all(c.prediction.parts == () for c in decision.candidates)


def test_reason_says_what_a_run_tells_of_a_cliff():
    decision = decided("auto", ((2, 2000.0), (16, 60.0)))
    assert "tells whether 2 was slow for want of memory" in decision.reason


def test_stored_decision_keeps_its_hypotheses_and_their_predictions():
    decision = decided("auto")
    trial = replace(
        Trial("t", 9, TrialStatus.RUNNING, Arm(decision.parallelism), HERE, Phase.OPTIMIZE),
        decision=to_record(decision),
    )
    read = decision_of(trial, Residual.MULTIPLICATIVE)
    assert read.hypotheses == decision.hypotheses
    assert [c.prediction for c in read.candidates] == [c.prediction for c in decision.candidates]
    assert read.prediction == decision.prediction


def test_mixed_prediction_is_the_mean_over_its_hypotheses():
    parts = [(0.25, 0.0, 0.1), (0.75, 2.0, 0.2)]
    mixed = Prediction.mixed(Arm(4), parts)
    each = [(w, Prediction(4, m, d)) for w, m, d in parts]
    assert mixed.mean_s == pytest.approx(sum(w * p.mean_s for w, p in each))
    within = sum(w * p.probability_within(1.1) for w, p in each)
    assert mixed.probability_within(1.1) == pytest.approx(within)


@pytest.mark.parametrize("q", [0.05, 0.25, 0.5, 0.95])
@pytest.mark.parametrize("residual", Residual)
def test_mixed_quantile_is_kept_with_its_probability(q, residual):
    mixed = Prediction.mixed(Arm(4), [(0.3, 5.0, 0.1), (0.7, 6.0, 0.3)], residual)
    assert mixed.probability_within(mixed.quantile_s(q)) == pytest.approx(q)
