import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbo_bo import Decision, Experiment, Objective, Prediction, SearchSpace
from arbo_bo.errors import DegreeNotAllowedError, InvalidValueError, TrialClosedError
from arbo_bo.experiment import (
    Arm,
    Context,
    Outcome,
    Phase,
    Residual,
    Trial,
    TrialStatus,
    validation,
)
from arbo_bo.experiment.outcome import clean_reason


def trial(status=TrialStatus.RUNNING, **values):
    return Trial("t", 3, status, Arm(2), Context(10.0, 1.0), Phase.PROBE, **values)


@pytest.mark.parametrize(
    ("given_", "degrees"),
    [((2, 5), (2, 3, 4, 5)), ([8, 1, 4, 4], (1, 4, 8)), (range(1, 4), (1, 2, 3)), ([3, 5], (3, 5))],
)
def test_search_space_reads_a_range_or_a_list(given_, degrees):
    assert SearchSpace.of(given_).degrees == degrees


@pytest.mark.parametrize(
    "given_",
    [(0, 4), (5, 4), [], [0], [-1], [1.5], ["2"], "1:4", 7, None, [math.nan], (1, 10**6), [True]],
)
def test_search_space_is_refused_when_it_is_no_set_of_degrees(given_):
    with pytest.raises(InvalidValueError):
        SearchSpace.of(given_)


def test_degree_outside_the_space_is_refused_with_what_is_allowed():
    with pytest.raises(DegreeNotAllowedError, match=r"parallelism 9 .* allowed: 1 to 8"):
        SearchSpace.between(1, 8).require(9)


@given(st.sets(st.integers(1, 200), min_size=1), st.floats(0.1, 300))
def test_nearest_is_allowed_and_no_other_is_nearer(degrees, wanted):
    space = SearchSpace(tuple(degrees))
    nearest = space.nearest(wanted)
    assert nearest in space
    assert all(abs(nearest - wanted) <= abs(s - wanted) for s in degrees)


def test_objective_takes_the_square_root_by_default():
    assert Objective().score(10, 4) == pytest.approx(20)


def test_objective_counts_money_when_a_price_is_set():
    assert Objective(price_per_worker_hour=3.6).score(100, 5) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["urgency", "cost_exponent", "price_per_worker_hour"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "1", True])
def test_objective_is_refused_when_a_value_is_not_positive(name, value):
    with pytest.raises(InvalidValueError, match=name):
        Objective(**{name: value})


def test_objective_is_refused_when_price_and_exponent_contradict():
    with pytest.raises(InvalidValueError, match="not both"):
        Objective(cost_exponent=0.5, price_per_worker_hour=1)


@pytest.mark.parametrize(
    "name", ["", " x", "x ", "a\nb", "a\x1b[31m", "x" * 256, None, 3, "\ud800"]
)
def test_experiment_is_refused_when_its_name_cannot_be_shown(name):
    with pytest.raises(InvalidValueError):
        Experiment(name)


@pytest.mark.parametrize(
    "values",
    [{"window": 0}, {"window": 1.5}, {"default_parallelism": 0}, {"residual": "sideways"},
     {"alpha": 0}, {"alpha": 2}, {"baseline": "no"}, {"objective": 1}, {"namespace": ""}],
)  # fmt: skip
def test_experiment_is_refused_when_a_setting_is_outside_its_domain(values):
    with pytest.raises(InvalidValueError):
        Experiment("t", **values)


def test_gamma_is_one_when_a_size_is_unknown():
    assert [Context(None).gamma(2.0), Context(4.0).gamma(None), Context(4.0).gamma(2.0)] == [
        1,
        1,
        2,
    ]


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "1", 10**400])
def test_outcome_is_refused_when_the_time_is_not_positive(value):
    with pytest.raises(InvalidValueError, match="execution_time_s"):
        Outcome(value)


def test_outcome_is_refused_when_startup_exceeds_the_time():
    with pytest.raises(InvalidValueError, match="cannot exceed"):
        Outcome(1.0, startup_time_s=2.0)


def test_trial_completes_with_a_size_that_the_task_saw():
    done = trial().complete(Outcome(5.0, 1.0, 20.0))
    assert (done.status, done.execution_time_s, done.input_size) == ("COMPLETED", 5.0, 20.0)
    assert done.finished_at.tzinfo is UTC


def test_completing_twice_is_a_no_op_when_the_time_is_the_same():
    done = trial().complete(Outcome(5.0))
    assert done.complete(Outcome(5.0)) is done


def test_completing_twice_is_an_error_when_the_time_differs():
    with pytest.raises(TrialClosedError, match=r"trial 3 of 't'.*5\.0 s"):
        trial().complete(Outcome(5.0)).complete(Outcome(6.0))


@pytest.mark.parametrize("status", ["FAILED", "ABANDONED"])
def test_completing_is_an_error_when_the_trial_is_closed(status):
    with pytest.raises(TrialClosedError):
        trial(TrialStatus(status)).complete(Outcome(5.0))


@pytest.mark.parametrize("close", ["fail", "abandon"])
def test_closing_a_completed_trial_is_an_error(close):
    with pytest.raises(TrialClosedError):
        getattr(trial().complete(Outcome(5.0)), close)("why")


@pytest.mark.parametrize("close", ["fail", "abandon"])
def test_closing_twice_is_a_no_op(close):
    closed = getattr(trial(), close)("why", finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert getattr(closed, close)("again") is closed


@pytest.mark.parametrize(
    "change",
    [{"trial_index": -1}, {"status": "DONE"}, {"phase": "x"}, {"execution_time_s": -3},
     {"execution_time_s": math.nan}, {"timed_out_after_s": 0}, {"task": ""},
     {"status": "COMPLETED"}, {"startup_time_s": -1}],
)  # fmt: skip
def test_trial_is_refused_when_a_value_is_outside_its_domain(change):
    with pytest.raises(InvalidValueError):
        replace(trial(), **change)


@pytest.mark.parametrize(
    "values", [(0, 1.0, 1.0), (1, math.nan, 1.0), (1, 1.0, 0.0), (1, 1.0, -1.0), (1, 1.0, 1.0, "x")]
)
def test_prediction_is_refused_when_it_is_no_distribution(values):
    with pytest.raises(InvalidValueError):
        Prediction(*values)


@pytest.mark.parametrize(("parallelism", "phase"), [(0, "probe"), (1, "guess")])
def test_decision_is_refused_when_a_value_is_outside_its_domain(parallelism, phase):
    with pytest.raises(InvalidValueError):
        Decision("t", parallelism, phase, "because")


@given(st.floats(1e-290, 1e290), st.floats(1e-290, 1e290))
def test_gamma_stays_within_what_a_law_can_use(size, base):
    assert 1e-12 <= Context(size).gamma(base) <= 1e12


@given(st.text())
def test_reason_is_harmless_to_a_terminal(text):
    shown = clean_reason(text) or ""
    assert all(ch.isprintable() or ch in "\n\t" for ch in shown)
    assert len(shown) <= 4000


@given(st.floats(-5, 10), st.floats(0.01, 1.5), st.floats(0.01, 0.99))
def test_lognormal_quantile_is_inverted_by_its_distribution(mu, sigma, q):
    from statistics import NormalDist

    time = Prediction(1, mu, sigma).quantile_s(q)
    assert NormalDist(mu, sigma).cdf(math.log(time)) == pytest.approx(q, abs=1e-9)


def test_additive_prediction_is_the_normal_cut_at_zero():
    import numpy as np

    mu, sigma = 1.0, 2.0
    draws = np.random.default_rng(1).normal(mu, sigma, 400_000)
    draws = draws[draws > 0]
    prediction = Prediction(1, mu, sigma, Residual.ADDITIVE)
    assert prediction.mean_s == pytest.approx(draws.mean(), rel=0.01)
    assert prediction.std_s == pytest.approx(draws.std(), rel=0.01)
    assert prediction.quantile_s(0.9) == pytest.approx(np.quantile(draws, 0.9), rel=0.01)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.sampled_from(Residual))
def test_prediction_is_positive_and_finite_everywhere(mu, sigma, residual):
    if residual is Residual.MULTIPLICATIVE:
        mu, sigma = mu / 100, min(sigma, 5)
    prediction = Prediction(1, mu, sigma, residual)
    values = (prediction.mean_s, prediction.std_s, prediction.quantile_s(0.5))
    assert all(math.isfinite(v) and v > 0 for v in values)


@pytest.mark.parametrize("q", [0, 1, -1, math.nan, "x"])
def test_quantile_is_refused_when_q_is_no_probability(q):
    with pytest.raises(InvalidValueError):
        Prediction(1, 0.0, 1.0).quantile_s(q)


@pytest.mark.parametrize(("year", "minutes"), [(1, 1), (9999, -1)])
def test_moment_that_utc_cannot_hold_is_refused(year, minutes):
    zone = timezone(timedelta(minutes=minutes))
    edge = (
        datetime(1, 1, 1, tzinfo=zone) if year == 1 else datetime(9999, 12, 31, 23, 59, tzinfo=zone)
    )
    with pytest.raises(InvalidValueError, match="years 1 to 9999"):
        validation.aware("finished_at", edge)
