"""The method's original estimator, against values worked out by hand."""

import math
import subprocess
import sys

import numpy as np
import pytest

from arbo_bo.errors import InvalidValueError, NotEnoughObservationsError
from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import OnlineAmdahlEstimator

P_FROM_4_AT_82 = 4 / 3 * (1 - 82 / 292)  # 0.9589


def test_p_is_the_smoothed_inverse_law_when_a_parallel_run_comes() -> None:
    estimator = OnlineAmdahlEstimator(alpha=0.3, law=AmdahlLaw(292, 1.0))
    estimator.observe(4, 1.0, 0.0, 82.0)
    assert pytest.approx(0.9589, abs=5e-5) == P_FROM_4_AT_82
    assert estimator.law.p == pytest.approx(0.3 * 1.0 + 0.7 * P_FROM_4_AT_82)


def test_alpha_weighs_the_old_value_when_two_runs_come() -> None:
    estimator = OnlineAmdahlEstimator(alpha=0.9, law=AmdahlLaw(292, 0.5))
    estimator.observe(4, 1.0, 0.0, 82.0)
    estimator.observe(4, 1.0, 0.0, 82.0)
    assert estimator.law.p == pytest.approx(
        0.9 * (0.9 * 0.5 + 0.1 * P_FROM_4_AT_82) + 0.1 * P_FROM_4_AT_82
    )


@pytest.mark.parametrize(("time_s", "expected"), [(1000.0, 0.0), (1.0, 1.0)])
def test_p_current_is_clipped_when_the_time_is_outside_of_the_law(
    time_s: float, expected: float
) -> None:
    estimator = OnlineAmdahlEstimator(alpha=1e-9, law=AmdahlLaw(292, 0.5))
    estimator.observe(4, 1.0, 0.0, time_s)
    assert estimator.law.p == pytest.approx(expected, abs=1e-6)


def test_p_is_kept_when_the_run_has_one_worker() -> None:
    estimator = OnlineAmdahlEstimator(law=AmdahlLaw(292, 0.8))
    estimator.observe(1, 1.0, 0.0, 150.0)
    assert estimator.law == AmdahlLaw(292, 0.8)


def test_the_base_time_is_the_work_alone_when_a_startup_is_known() -> None:
    estimator = OnlineAmdahlEstimator(startup_time_s=12.0)
    estimator.observe(1, 1.0, 0.0, 292.0)
    assert estimator.law == AmdahlLaw(280.0, 1.0, 12.0, 1.0)


def test_the_base_time_is_inverted_when_the_first_run_has_several_workers() -> None:
    estimator = OnlineAmdahlEstimator(initial_p=0.8)
    estimator.observe(4, 1.0, 0.0, 80.0)
    assert estimator.law.t1_s == pytest.approx(80 / (0.2 + 0.8 / 4))
    assert estimator.law.p == pytest.approx(0.8)


def test_k_is_the_smoothed_logarithmic_ratio_when_the_size_doubles() -> None:
    estimator = OnlineAmdahlEstimator(alpha=0.3, law=AmdahlLaw(100, 0.9, 5.0, 1.0))
    estimator.observe(1, 2.0, 0.0, 255.0)  # nothing observed before: R = 0
    k_current = math.log(250 / 100) / math.log(2)
    assert estimator.law.k == pytest.approx(0.3 * 1.0 + 0.7 * k_current)


def test_k_leaves_the_predicted_residual_out_when_one_is_known() -> None:
    estimator = OnlineAmdahlEstimator(alpha=0.3, law=AmdahlLaw(100, 0.9, 5.0, 1.0))
    estimator.observe(1, 1.0, 0.0, 115.0)
    law_s, (mean, _) = 5 + 2 * 100, estimator.predict([1], gamma=2.0)
    residual = mean[0] - law_s
    assert residual > 0.1
    estimator.observe(1, 2.0, 0.0, 255.0)
    k_current = math.log((250 - residual) / 100) / math.log(2)
    assert estimator.law.k == pytest.approx(0.3 * 1.0 + 0.7 * k_current)


@pytest.mark.parametrize(("gamma", "time_s"), [(1.09, 300.0), (2.0, 4.0)])
def test_k_is_kept_when_the_run_cannot_tell_it(gamma: float, time_s: float) -> None:
    estimator = OnlineAmdahlEstimator(law=AmdahlLaw(100, 0.9, 5.0, 1.3))
    estimator.observe(1, gamma, 0.0, time_s)
    assert estimator.law.k == 1.3


def test_residuals_are_those_of_the_law_as_it_is_now_when_it_moved() -> None:
    estimator = OnlineAmdahlEstimator(alpha=0.3)
    for s, time_s in ((1, 292.0), (2, 150.0), (4, 83.0), (8, 55.0)):
        estimator.observe(s, 1.0, 0.0, time_s)
    law = estimator.law
    expected = [t - law.runtime_s(s) for s, t in ((1, 292), (2, 150), (4, 83), (8, 55))]
    assert estimator.residuals_s == pytest.approx(np.array(expected))


def test_the_window_holds_its_newest_runs_when_more_came() -> None:
    estimator = OnlineAmdahlEstimator(window=3)
    for i in range(5):
        estimator.observe(2, 1.0, 0.0, 100.0 + i)
    assert [run.time_s for run in estimator.observations] == [102.0, 103.0, 104.0]


def test_the_prediction_follows_the_runs_when_the_law_cannot() -> None:
    estimator = OnlineAmdahlEstimator()
    times = {1: 100.0, 2: 60.0, 4: 45.0, 8: 70.0, 16: 120.0}
    for _ in range(3):
        for s, time_s in times.items():
            estimator.observe(s, 1.0, 0.0, time_s)
    mean, std = estimator.predict(list(times))
    assert mean == pytest.approx(list(times.values()), rel=0.1)
    assert (std > 0).all()


def test_the_time_unit_changes_nothing_when_all_times_are_scaled() -> None:
    seconds, minutes = OnlineAmdahlEstimator(), OnlineAmdahlEstimator()
    for s, time_s in ((1, 292.0), (4, 83.0), (2, 150.0)):
        seconds.observe(s, 1.0, 0.0, time_s)
        minutes.observe(s, 1.0, 0.0, time_s / 60)
    assert minutes.law.p == pytest.approx(seconds.law.p)
    assert minutes.predict([6])[0] * 60 == pytest.approx(seconds.predict([6])[0])


def test_law_and_prediction_say_what_is_missing_when_nothing_was_observed() -> None:
    with pytest.raises(NotEnoughObservationsError, match="first run"):
        _ = OnlineAmdahlEstimator().law
    with pytest.raises(NotEnoughObservationsError, match="at least one"):
        OnlineAmdahlEstimator(law=AmdahlLaw(292, 1.0)).predict([1])


@pytest.mark.parametrize("alpha", [0.0, 1.5, math.nan])
def test_alpha_is_refused_when_outside_of_its_domain(alpha: float) -> None:
    with pytest.raises(InvalidValueError, match="alpha"):
        OnlineAmdahlEstimator(alpha=alpha)


def test_torch_stays_out_when_the_estimator_is_used() -> None:
    code = (
        "import sys; from arbo_bo.models import OnlineAmdahlEstimator as E; e = E();"
        "e.observe(1, 1, 0, 9.0); e.predict([2]); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
