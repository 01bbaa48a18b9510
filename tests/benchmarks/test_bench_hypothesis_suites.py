"""The suites that hypotheses are judged by hold what their names say."""

import pytest

from arbo_bo.benchmarks.suite import SuiteOptions
from arbo_bo.benchmarks.suites import build_suites, default_runs
from arbo_bo.benchmarks.wrappers import HeavyTailed


def suite(name, tasks=6):
    (found,) = build_suites(name, SuiteOptions(tasks=tasks))
    return found


@pytest.mark.parametrize("case", suite("cliff").cases, ids=lambda c: f"{c.name} {c.objective}")
def test_cliff_is_two_to_ten_times_as_slow_below_a_hidden_degree(case):
    problem, options = case.source.problem(0), case.source.options
    assert 2 <= options["slowdown"] <= 10
    below = [s for s in problem.degrees(1) if s < options["above"]]
    assert below
    for s in below:
        usual = problem.inner.expected_s(1, s)
        assert problem.expected_s(1, s) == pytest.approx(options["slowdown"] * usual)
    assert problem.expected_s(1, options["above"]) == problem.inner.expected_s(1, options["above"])


def test_every_task_of_the_cliff_suite_is_a_program_of_its_own():
    assert len({case.name for case in suite("cliff").cases}) == 6


@pytest.mark.parametrize("case", suite("heavy_tail").cases, ids=lambda c: f"{c.name} {c.objective}")
def test_deadline_under_heavy_tails_is_kept_by_a_degree_without_one_alone(case):
    problem = case.source.problem(0)
    assert isinstance(problem, HeavyTailed)
    kept = {
        s: problem.probability_within(1, s, case.deadline_s) >= case.confidence
        for s in problem.degrees(1)
    }
    assert any(kept.values())
    assert not any(good and problem.has_tail(s) and s == min(kept) for s, good in kept.items())


def test_heavy_tails_are_judged_over_as_many_runs_as_deadlines():
    assert default_runs("heavy_tail") == default_runs("deadline")
