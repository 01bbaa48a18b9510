import logging

import pytest
from known_task import LAW, run

import arbo_bo
from arbo_bo import ArboOptimizer, Objective
from arbo_bo.errors import (
    DegreeNotAllowedError,
    ExperimentNotFoundError,
    TrialClosedError,
)


def test_task_goes_through_baseline_probe_and_optimize(arbo):
    arbo.configure_experiment("t", parallelism=(1, 16), default_parallelism=4)
    decisions = [run(arbo) for _ in range(4)]
    assert [d.phase for d in decisions] == ["baseline", "probe", "optimize", "optimize"]
    assert [d.parallelism for d in decisions[:2]] == [1, 4]
    assert [d.trial_index for d in decisions] == [0, 1, 2, 3]
    last = decisions[-1]
    assert last.predicted_time_s == pytest.approx(LAW.runtime_s(last.parallelism), rel=0.1)
    assert last.predicted_time_std_s > 0
    assert last.reason.endswith(".")


def test_unknown_task_is_configured_with_defaults_when_it_is_suggested(arbo):
    assert arbo.suggest("new").parallelism == 1
    (experiment,) = arbo.experiments()
    assert experiment.search_space.degrees == tuple(range(1, 33))
    assert experiment.default_parallelism == 5


def test_configuring_again_keeps_trials_and_what_is_left_out(arbo):
    arbo.configure_experiment("t", parallelism=[1, 2, 4], objective=Objective(2.0), window=7)
    run(arbo)
    changed = arbo.configure_experiment("t", baseline=False)
    assert changed.search_space.degrees == (1, 2, 4)
    assert (changed.objective.urgency, changed.window, changed.baseline) == (2.0, 7, False)
    assert len(arbo.trials("t")) == 1
    assert arbo.experiment("t").model.sample_count == 1


def test_load_is_the_degrees_of_all_other_running_trials(arbo):
    assert arbo.suggest("a").cluster_load == 0
    arbo.configure_experiment("b", parallelism=[3])
    assert arbo.suggest("b").cluster_load == 1
    assert arbo.suggest("a").cluster_load == 4
    assert arbo.suggest("a", cluster_load=50).cluster_load == 50


def test_load_forgets_trials_that_ended(arbo):
    one = arbo.suggest("a")
    two = arbo.suggest("b")
    arbo.mark_trial_failed("a", one.trial_index)
    arbo.mark_trial_abandoned("b", two.trial_index)
    assert arbo.suggest("c").cluster_load == 0


def test_namespaces_do_not_see_each_other(store_url):
    ours, theirs = ArboOptimizer(store_url), ArboOptimizer(store_url, namespace="theirs")
    ours.suggest("t")
    assert theirs.experiments() == []
    assert theirs.suggest("t").cluster_load == 0
    with pytest.raises(ExperimentNotFoundError):
        theirs.trials("u")


def test_base_size_is_the_first_completed_trials_known_size(arbo):
    arbo.configure_experiment("t", window=1)
    first = arbo.suggest("t")
    arbo.complete_trial("t", first.trial_index, execution_time_s=1)
    second = arbo.suggest("t", input_size=10)
    assert second.input_scale_factor == 1
    arbo.complete_trial("t", second.trial_index, execution_time_s=2)
    third = arbo.suggest("t", input_size=40)
    assert third.input_scale_factor == 4
    arbo.complete_trial("t", third.trial_index, execution_time_s=3)
    assert arbo.suggest("t", input_size=20).input_scale_factor == 2
    assert arbo.experiment("t").model.base_input_size == 10


def test_size_may_come_at_completion(arbo):
    decision = arbo.suggest("t")
    done = arbo.complete_trial("t", decision.trial_index, execution_time_s=1, input_size=7)
    assert done.input_size == 7
    assert arbo.experiment("t").model.base_input_size == 7


def test_completing_twice_is_a_no_op_when_the_time_is_the_same(arbo):
    decision = run(arbo)
    time = LAW.runtime_s(decision.parallelism)
    arbo.complete_trial("t", decision.trial_index, execution_time_s=time)
    assert arbo.experiment("t").model.sample_count == 1
    with pytest.raises(TrialClosedError):
        arbo.complete_trial("t", decision.trial_index, execution_time_s=2 * time)
    assert arbo.trials("t")[0].execution_time_s == time


def test_history_is_added_all_or_none(arbo):
    rows = [{"parallelism": 1, "execution_time_s": 5}, {"parallelism": 99, "execution_time_s": 5}]
    with pytest.raises(DegreeNotAllowedError, match=r"row 2 of 2.*99"):
        arbo.attach_trials("t", rows)
    assert arbo.experiments() == []


def test_optimal_parallelism_makes_no_trial(arbo):
    for _ in range(3):
        run(arbo)
    degree = arbo.get_optimal_parallelism("t", default_val=31)
    assert degree == arbo.decide("t").parallelism != 31
    assert len(arbo.trials("t")) == 3


@pytest.mark.parametrize("known", [False, True])
def test_optimal_parallelism_is_the_default_when_nothing_is_known(arbo, known, caplog):
    if known:
        arbo.suggest("t")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert arbo.get_optimal_parallelism("t", default_val=4) == 4
    assert "default parallelism 4" in caplog.text


def test_optimal_parallelism_is_the_default_when_the_store_is_down(tmp_path, caplog):
    arbo = ArboOptimizer("postgresql://nobody:s3cret@127.0.0.1:1/none")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert arbo.get_optimal_parallelism("t", default_val=4) == 4
    assert "s3cret" not in caplog.text + repr(arbo)


def test_store_url_comes_from_the_environment(store_url, monkeypatch):
    monkeypatch.setenv("ARBO_DATABASE_URL", store_url)
    with ArboOptimizer() as arbo:
        arbo.suggest("t")
    with ArboOptimizer(store_url) as arbo:
        assert len(arbo.trials("t")) == 1


def test_public_names_resolve():
    for name in arbo_bo.__all__:
        assert getattr(arbo_bo, name) is not None
    assert set(arbo_bo.__all__) == set(dir(arbo_bo))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        arbo_bo.nope  # noqa: B018
