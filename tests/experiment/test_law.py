import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbo_bo import AmdahlLaw
from arbo_bo.errors import InvalidValueError

times = st.floats(1e-3, 1e6)
fractions = st.floats(0, 1)
laws = st.builds(AmdahlLaw, times, fractions, st.floats(0, 1e4), st.floats(0, 3))
gammas = st.floats(1e-3, 1e3)


@given(laws, st.integers(1, 500), gammas)
def test_runtime_never_rises_with_workers(law, s, gamma):
    assert law.runtime_s(s + 1, gamma) <= law.runtime_s(s, gamma) * (1 + 1e-12)


@given(laws, st.integers(1, 10_000), gammas)
def test_runtime_never_falls_below_its_serial_part(law, s, gamma):
    serial, parallel = law.split(gamma)
    assert law.runtime_s(s, gamma) >= serial * (1 - 1e-12)
    assert law.runtime_s(s, gamma) == pytest.approx(serial + parallel / s)


@given(laws, st.integers(2, 100), gammas)
def test_inverse_law_recovers_p_from_its_own_time(law, s, gamma):
    time = law.runtime_s(s, gamma)
    work = time - law.c_s
    p = law.parallel_fraction_from(s, time, gamma)
    assert p == pytest.approx(law.p, abs=1e-9 * (1 + time / max(work, 1e-300)))


@given(laws, st.floats(0.6, 4), st.floats(0.1, 0.5), st.floats(0.8, 1.25))
def test_optimum_is_a_minimum_of_the_score(law, a, c, factor):
    best = law.optimum(a, c)
    if best > 1e9:  # 1 - p is then a few units in its last place
        return

    def log_score(s):
        return a * math.log(law.runtime_s(s)) + c * math.log(s)

    assert log_score(best) <= log_score(max(1.0, best * factor)) + 1e-9


def test_optimum_is_p_over_serial_fraction_when_there_is_no_startup():
    assert AmdahlLaw(100, 0.9).optimum(1, 0.5) == pytest.approx(9)


@pytest.mark.parametrize(("a", "c"), [(0.5, 0.5), (1, 1), (0.5, 1)])
def test_optimum_is_one_worker_when_urgency_is_not_above_the_cost_exponent(a, c):
    assert AmdahlLaw(100, 0.99).optimum(a, c) == 1


def test_optimum_is_unbounded_when_nothing_is_serial():
    assert AmdahlLaw(100, 1).optimum(1, 0.5) == math.inf


def test_efficiency_degree_follows_p_when_there_is_no_startup():
    assert AmdahlLaw(100, 0.9).efficiency_degree(0.9) == pytest.approx(81)


@given(st.builds(AmdahlLaw, times, st.floats(0.1, 0.99), times), st.floats(0.1, 0.9))
def test_efficiency_degree_reaches_the_fraction_of_the_speedup(law, eta):
    degree = law.efficiency_degree(eta)
    if degree > 1:
        speedup = law.runtime_s(1) / law.runtime_s(degree)
        assert speedup == pytest.approx(eta * law.max_speedup())


def test_max_speedup_is_one_over_the_serial_fraction():
    assert AmdahlLaw(100, 0.9).max_speedup() == pytest.approx(10)


@pytest.mark.parametrize(
    "values",
    [(0, 0.5), (-1, 0.5), (math.nan, 0.5), (math.inf, 0.5), (1, -0.1), (1, 1.1), (1, 0.5, -1),
     (1, 0.5, 0, math.inf), ("1", 0.5), (True, 0.5), (None, 0.5)],
)  # fmt: skip
def test_law_is_refused_when_a_parameter_is_outside_its_domain(values):
    with pytest.raises(InvalidValueError):
        AmdahlLaw(*values)


@pytest.mark.parametrize(("s", "gamma"), [(0, 1), (0.5, 1), (math.nan, 1), (1, 0), (1, -1)])
def test_runtime_is_refused_when_an_argument_is_outside_its_domain(s, gamma):
    with pytest.raises(InvalidValueError):
        AmdahlLaw(1, 0.5).runtime_s(s, gamma)


def test_inverse_law_is_refused_when_there_is_one_worker():
    with pytest.raises(InvalidValueError, match="undefined below 2"):
        AmdahlLaw(1, 0.5).parallel_fraction_from(1, 1)


def test_runtime_is_refused_when_scaling_overflows():
    with pytest.raises(InvalidValueError, match="overflows"):
        AmdahlLaw(1, 0.5, 0, 300).runtime_s(1, 1e3)
