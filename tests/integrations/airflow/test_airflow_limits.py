"""What ran side by side lately is what later plans ask for."""

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.integrations.airflow.limits import Limit
from arbo_bo.integrations.airflow.plan import Request, advise, keys
from arbo_bo.integrations.airflow.spec import StageSpec


@pytest.fixture
def arbo(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def run(arbo, number, ran=None, why=None, **settings):
    """Plans a stage of eight workers, and completes it with as many as ran."""
    settings = {"parallelism": [2, 4, 8], "default_parallelism": 8, "baseline": False} | settings
    spec = StageSpec("s", "e", "chunks", settings)
    request = Request(
        spec, lambda: None, Limit(16, "max_active_tasks"), *keys("d", str(number), "s", 1)
    )
    (advice,) = advise(lambda: arbo, [request], lambda *_: False)
    if ran is not None:
        arbo.complete_trial(
            "e",
            advice.trial_index,
            execution_time_s=80.0 / ran,
            parallelism=ran,
            exclusion_reason=why,
        )
    return advice


@pytest.mark.parametrize(
    ("times", "limit"), [(1, "16 by max_active_tasks"), (2, "2 by what ran side by side lately")]
)
def test_limit_is_what_ran_when_fewer_ran_than_were_asked_for(arbo, times, limit):
    for number in range(times):
        run(arbo, number, ran=2, parallelism=[2, 8])
    assert run(arbo, "next", parallelism=[2, 8]).limit == limit


def test_more_is_asked_for_again_when_ten_runs_kept_to_the_limit(arbo):
    for number in range(2):
        run(arbo, number, ran=2, parallelism=[2, 8])
    limits = [run(arbo, number, ran=2, parallelism=[2, 8]).limit for number in range(2, 13)]
    assert limits[0] == "2 by what ran side by side lately"
    assert limits[-1] == "16 by max_active_tasks"


def test_smallest_degree_is_asked_for_when_fewer_ran(arbo):
    for number in range(2):
        run(arbo, number, ran=1, parallelism=[4, 8])
    assert run(arbo, "next", parallelism=[4, 8]).parallelism == 4


def test_limit_is_what_ran_when_those_runs_do_not_train(arbo):
    for number in range(2):
        run(
            arbo, number, ran=2, why="of 8 instances at most 2 ran side by side", parallelism=[2, 8]
        )
    assert run(arbo, "next", parallelism=[2, 8]).limit == "2 by what ran side by side lately"


def test_there_is_no_limit_when_runs_do_not_train_for_another_reason(arbo):
    for number in range(2):
        run(arbo, number, ran=8, why="retried: map index [1]", parallelism=[2, 8])
    assert run(arbo, "next", parallelism=[2, 8]).limit == "16 by max_active_tasks"
