"""Input sizes and cluster loads that come from outside."""

import logging

import pytest
from known_task import run

from arbo_bo import ArboOptimizer
from arbo_bo.errors import InputSizeError, InvalidValueError


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"x" * 400)
    return path


def test_size_is_measured_when_a_path_is_given(arbo, source):
    run(arbo, input_size=100)
    decision = arbo.suggest("t", input_size=source)
    assert decision.input_scale_factor == 4
    assert arbo.trials("t")[1].input_size == 400


def test_every_question_takes_a_path(arbo, source):
    for _ in range(3):
        run(arbo, input_size=100)
    assert arbo.decide("t", input_size=str(source)).input_scale_factor == 4
    four, one = (arbo.predict("t", parallelism=1, input_size=n)[0] for n in (source, 100))
    assert four.mean_s > 2 * one.mean_s
    with arbo.trial("t", input_size=source) as decision:
        assert decision.input_scale_factor == 4


def test_no_trial_is_made_when_the_size_cannot_be_had(arbo, source):
    with pytest.raises(InputSizeError, match="other"):
        arbo.suggest("t", input_size=f"{source}.other")
    assert arbo.experiments() == []


def test_advice_is_the_default_when_the_size_cannot_be_had(arbo, source, caplog):
    run(arbo)
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert arbo.get_optimal_parallelism("t", 7, input_size=f"{source}.other") == 7
    assert "cannot be had" in caplog.text


@pytest.mark.parametrize(("fallback", "size"), [(50, 50.0), ("unknown", None)])
def test_fallback_of_the_optimizer_stands(sqlite_url, source, fallback, size):
    with ArboOptimizer(sqlite_url, input_size_fallback=fallback) as arbo:
        arbo.suggest("t", input_size=f"{source}.other")
        assert arbo.trials("t")[0].input_size == size


def test_load_comes_from_the_source_when_there_is_one(store_url):
    loads = iter([7.0, 3.0, 2.0])
    with ArboOptimizer(store_url, cluster_load=lambda: next(loads)) as arbo:
        assert arbo.suggest("a").cluster_load == 7
        assert arbo.suggest("b").cluster_load == 3
        assert arbo.suggest("b", cluster_load=50).cluster_load == 50
        assert arbo.suggest("b").cluster_load == 2


def test_load_is_unknown_and_the_windows_stands_in_when_the_source_is_down(store_url):
    loads = iter([6.0, 8.0, 7.0])
    with ArboOptimizer(store_url, cluster_load=lambda: next(loads)) as arbo:
        for _ in range(3):
            run(arbo)
        arbo.suggest("other")  # so that the store's own answer would be another one
        believed = arbo.decide("t")
        assert believed.cluster_load is None
        usual = arbo.decide("t", cluster_load=7.0)
        assert believed.predicted_time_s == pytest.approx(usual.predicted_time_s)


@pytest.mark.parametrize("load", [6.0, None])
def test_load_of_the_source_is_what_trains(store_url, load):
    with ArboOptimizer(store_url, cluster_load=lambda: load) as arbo:
        other = arbo.suggest("other")
        run(arbo)
        arbo.mark_trial_abandoned("other", other.trial_index)
        assert arbo.trials("t")[0].training_context.cluster_load == load


def test_load_source_is_refused_when_it_cannot_be_called(sqlite_url):
    with pytest.raises(InvalidValueError, match="callable"):
        ArboOptimizer(sqlite_url, cluster_load=3)
