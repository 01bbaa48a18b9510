"""History that is attached again."""

import pytest

from arbo_bo import ArboOptimizer

RUN = {"parallelism": 4, "execution_time_s": 30.0}


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as opened:
        yield opened


def test_run_is_left_out_when_a_trial_has_its_key(arbo):
    first = arbo.attach_trials("t", [{**RUN, "idempotency_key": "a"}])
    again = arbo.attach_trials("t", [{**RUN, "idempotency_key": key} for key in "aabb"])
    assert [trial.trial_index for trial in first + again] == [0, 1]
    assert arbo.trials("t") == first + again
    assert arbo.experiment("t").model.sample_count == 2


def test_equal_runs_are_all_kept_when_they_have_no_keys(arbo):
    arbo.attach_trials("t", [RUN, RUN])
    arbo.attach_trials("t", [RUN])
    assert len(arbo.trials("t")) == 3
